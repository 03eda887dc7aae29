"""`lintas sign-in`: a link that opens the console once, for a trial that has no provider to sign in at."""

from typing import Annotated

import typer

from app.commands.running import CannotGoOn, in_transaction, settings_with
from app.domain.access_token import LONGEST_SUBJECT
from app.domain.caller import Role
from app.service import real_time
from app.storage.console_sign_ins import LINK_LIVES
from app.workflows import prepare_trial
from app.workflows.sign_in import offer_link


def add_to(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("sign-in")(sign_in)


def sign_in(
    agency: Annotated[str, typer.Argument(help="Kode lembaga / agency code.")],
    role: Annotated[list[Role], typer.Option(help="Boleh diulang / may be repeated.")],
    name: Annotated[str, typer.Option(help="Siapa yang masuk, untuk audit / who signs in, for the audit.")],
) -> None:
    """Print a link that signs a person in to the console once, within ten minutes; in a trial alone."""
    settings = settings_with()
    if not settings.is_trial or prepare_trial.address_of_own_database(settings.data_dir) is None:
        raise CannotGoOn(
            "tautan masuk hanya untuk percobaan: jalankan `lintas all` atau `make run` lebih dahulu",
            "links to sign in by are for a trial alone: run `lintas all` or `make run` first",
        )
    said = " ".join(name.split())
    if not 0 < len(said) <= LONGEST_SUBJECT or not said.isprintable():
        raise CannotGoOn("nama itu tidak dapat dipakai", "that name cannot be used")
    now = real_time()
    link = in_transaction(lambda tx: offer_link(tx, agency_code=agency, roles=role, name=said, now=now))
    at = prepare_trial.where_it_is_reached(settings.data_dir) or settings.reached_at
    minutes = int(LINK_LIVES.total_seconds()) // 60
    typer.echo(f"Berlaku sekali, dalam {minutes} menit / works once, within {minutes} minutes:", err=True)
    print(f"{at}/console/sign-in/link/{link}")
