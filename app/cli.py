"""The command line: what an operator starts, and what a person tries."""

import contextlib
import os
import resource
import socket
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import httpx
import typer

from app.api.contract import as_file
from app.api.openapi import document
from app.commands import (
    agreements,
    audit,
    callers,
    narrowing,
    proposals,
    regions,
    rights,
    sandbox,
    sealing,
    sign_in,
    statistics,
    written,
)
from app.commands import keys as keys_of_agencies
from app.commands.in_indonesian import speak_both
from app.commands.lifetime import run
from app.commands.running import (
    CannotGoOn,
    address_of,
    any_database,
    check_database,
    direct_address,
    given_database,
    given_key_ring,
    in_transaction,
    key_ring_of,
    look_at_ledger,
    look_at_role,
    print_columns,
    revision_at,
    run_to_end,
    settings_with,
    without_limits,
)
from app.domain.caller import Role
from app.domain.errors import NotFound, UnknownAgency
from app.domain.retention import RetentionInvalid
from app.main import create_app, listen
from app.observability import configure_logging, frames, hear_what_nobody_catches
from app.reference.cases import run_route
from app.service import compose, real_time
from app.settings import Settings, SettingsInvalid
from app.storage.database import is_passing
from app.storage.embedded import EmbeddedPostgresError
from app.storage.migrating import MigrationBlocked, head, migrate_to_head
from app.storage.run_role import grant_run_role
from app.storage.sealing import KeyRing, KeyRingInvalid
from app.workflows import keep_history, prepare_trial
from app.workflows.repair_feed import repair_feed as repair
from app.workflows.seed import seed as add_what_ships

TOLD_WHOLE = (
    CannotGoOn,
    EmbeddedPostgresError,
    KeyRingInvalid,
    MigrationBlocked,
    RetentionInvalid,
    SettingsInvalid,
)
"""What ends a command and says why by itself, without a value."""
OPENAPI = Path(__file__).parents[1] / "openapi" / "openapi.json"

cli = typer.Typer(name="lintas", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
sandbox.add_to(cli)
sign_in.add_to(cli)
keys = typer.Typer(no_args_is_help=True, help="Kunci API dan kunci segel / API keys, and keys that seal.")
keys_of_agencies.add_to(keys)
cli.add_typer(keys, name="keys")
narrowing.add_to(keys)
callers.add_to(keys)
sealing.add_to(keys)
cli.add_typer(agreements.group, name="agreements")
cli.add_typer(audit.group, name="audit")
cli.add_typer(proposals.group, name="proposals")
cli.add_typer(regions.group, name="regions")
cli.add_typer(rights.group, name="rights")
cli.add_typer(statistics.group, name="statistics")

Host = Annotated[str | None, typer.Option(help="Alamat yang didengar / address to listen on.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port yang didengar / port to listen on.")]


@cli.command()
def serve(host: Host = None, port: Port = None) -> None:
    """Serve the API on the database of LINTAS_DATABASE_URL; any number of these may run."""
    settings = settings_with(host=host, port=port)
    configure_logging(level=settings.log_level, console=settings.log_format == "console")
    url, ring = given_database(settings), given_key_ring(settings)
    if settings.console and settings.sign_in.issuer is None:
        raise CannotGoOn(
            "LINTAS_SIGN_IN__ISSUER belum diisi: tidak seorang pun dapat masuk ke konsol",
            "LINTAS_SIGN_IN__ISSUER is not set: nobody could sign in to the console",
        )
    look_at_ledger(settings)
    with _listening(settings) as listener:
        settings = _at(settings, listener)
        service = compose(settings, url=url, key_ring=ring, name="api", revision=head())
        run_to_end(run(service, listener=listener, workers=False))


@cli.command()
def work() -> None:
    """Run the workers on the database of LINTAS_DATABASE_URL; any number of these may run."""
    settings = settings_with()
    configure_logging(level=settings.log_level, console=settings.log_format == "console")
    url, ring = given_database(settings), given_key_ring(settings)
    look_at_ledger(settings)
    service = compose(settings, url=url, key_ring=ring, name="worker", revision=head())

    async def look() -> None:
        await check_database(service.sessions, ring)
        await look_at_role(service.sessions)

    run_to_end(run(service, listener=None, workers=True, first=look))


@cli.command("all")
def all_(
    host: Host = None,
    port: Port = None,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="Berhenti bersama induknya / stop when what started it ends.")
    ] = False,
) -> None:
    """Run all of Lintas in one process, with a database of its own under .lintas/ unless one is given."""
    parent = os.getppid() if with_parent else None
    settings = settings_with(host=host, port=port)
    person = settings.log_format == "console" or (settings.log_format is None and sys.stderr.isatty())
    configure_logging(level=settings.log_level, console=person, stream=sys.stderr)
    with _listening(settings) as listener:
        settings = _with_console(_at(settings, listener))
        _make_room(settings)
        ring = key_ring_of(settings) or prepare_trial.own_key_ring(settings.data_dir)
        with contextlib.ExitStack() as stack:
            url = address_of(settings) or stack.enter_context(prepare_trial.own_database(settings.data_dir))
            reached_at = settings.data_dir / prepare_trial.REACHED_AT
            stack.enter_context(prepare_trial.telling(reached_at, settings.reached_at))
            direct = direct_address(settings, url)
            if revision_at(direct) != head():
                migrate_to_head(direct)
            service = compose(settings, url=url, key_ring=ring, name="all", revision=head())

            async def everything() -> None:
                await check_database(service.sessions, ring)
                async with service.sessions.begin() as tx:
                    await add_what_ships(tx, service.clock())
                async with service.sessions.begin() as tx:
                    issued = await prepare_trial.trial_keys(tx, settings.data_dir) if settings.trial else {}
                welcome = partial(_welcome, settings, issued)
                await run(service, listener=listener, workers=True, on_ready=welcome, parent=parent)

            run_to_end(everything())


@cli.command()
def migrate() -> None:
    """Bring the database to the state this version was written for."""
    settings = settings_with()
    url = direct_address(settings, any_database(settings))
    migrate_to_head(url)
    kept = settings.history_months
    without_limits(url, lambda sessions: keep_history.make_months(sessions, now=real_time(), kept=kept))
    if settings.database.run_role is not None:
        run_to_end(grant_run_role(url, settings.database.run_role))
    print(f"{head()}")


@cli.command("repair-feed")
def repair_feed() -> None:
    """After a dump was restored: let what is new follow what was restored, for every reader of the feed."""
    print("umpan diteruskan / the feed goes on" if in_transaction(repair) else "umpan utuh / the feed is whole")


@cli.command()
def seed() -> None:
    """Add the regions, code sets, agencies and documents that ship with Lintas and are not there yet."""
    print(in_transaction(lambda tx: add_what_ships(tx, real_time())))


@cli.command()
def route(
    file: Annotated[Path, typer.Argument(help="YAML or JSON.")],
    beside: Annotated[
        list[Path] | None, typer.Option("--with", help="Dokumen tambahan / a document to decide by as well.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line for each case and service.")] = False,
) -> None:
    """Decide a file of cases without a database, and compare with what the file expects."""
    documents = [written.read_document(one) for one in beside or ()]
    raise typer.Exit(run_route(file, as_json=as_json, out=sys.stdout, beside=documents))


@cli.command("openapi")
def write_openapi(
    check: Annotated[bool, typer.Option("--check", help="Only say whether the file is as the code.")] = False,
) -> None:
    """Write the API's description to openapi/openapi.json."""
    nowhere = "postgresql://localhost/none"
    service = compose(Settings(), url=nowhere, key_ring=KeyRing.generate("none"), name="openapi")
    written = as_file(document(create_app(service)))
    if not check:
        OPENAPI.parent.mkdir(exist_ok=True)
        OPENAPI.write_bytes(written)
    elif not OPENAPI.exists() or OPENAPI.read_bytes() != written:
        raise CannotGoOn(
            f"{OPENAPI} tidak sesuai dengan kode: jalankan `lintas openapi`",
            f"{OPENAPI} is not as the code says: run `lintas openapi`",
        )


@cli.command()
def health(url: Annotated[str | None, typer.Option(help="Alamat Lintas / where Lintas is.")] = None) -> None:
    """Say whether a running Lintas is ready; exit 1 if not."""
    settings = settings_with()
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - asked, not bound
    at = url or settings.model_copy(update={"host": host, "public_url": None}).reached_at
    try:
        answer = httpx.get(f"{at.rstrip('/')}/health/ready", timeout=3)
        print(answer.text)
    except httpx.HTTPError as error:
        raise CannotGoOn(f"tidak ada jawaban dari {at}", f"no answer from {at} ({type(error).__name__})") from None
    if answer.status_code != 200:
        raise typer.Exit(1)


speak_both(cli)


def main() -> None:
    """Run the command line; what goes wrong is said in a line, and what broke by its name."""
    _leave_no_memory_behind()
    # Until a command says otherwise; with nothing said, what breaks is shown with all that it held.
    configure_logging(console=sys.stderr.isatty(), stream=sys.stderr)
    hear_what_nobody_catches()
    try:
        cli()
    except Exception as error:  # noqa: BLE001 - whatever ends a command is told in a line
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        sys.exit("\n".join(f"lintas: {line}" for line in _said(error).splitlines()))


def _leave_no_memory_behind() -> None:
    """Have no core file written of this process, nor of what it starts: names and keys would lie in it, open."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _said(error: Exception) -> str:
    if isinstance(error, TOLD_WHOLE):
        return str(error)
    if isinstance(error, UnknownAgency):
        return f"tidak ada lembaga / there is no agency {error.agency_code}"
    if isinstance(error, NotFound):
        return "tidak ditemukan / not found"
    if is_passing(error):
        return f"basis data tidak menjawab / the database does not answer ({type(error).__name__})"
    # Its message may hold anything: told are its name and its places.
    return f"{type(error).__name__}: {frames(error)}"


def _listening(settings: Settings) -> socket.socket:
    """Take the port before anything else is started."""
    try:
        return listen(settings.host, settings.port)
    except OSError as error:
        at = f"{settings.host}:{settings.port}"
        # The text goes on to say what was attempted; a name that nobody knows has an errno that no table holds.
        why = str(error.strerror).partition(" (")[0]
        raise CannotGoOn(
            f"{at} tidak dapat dipakai; pilih lain dengan --port atau LINTAS_PORT, --host atau LINTAS_HOST",
            f"{at} cannot be used ({why}); choose another with --port or LINTAS_PORT, --host or LINTAS_HOST",
        ) from None


def _make_room(settings: Settings) -> None:
    """See that there is a directory for what `lintas all` keeps."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotGoOn(
            f"LINTAS_DATA_DIR tidak dapat dibuat sebagai direktori ({error.strerror})",
            f"LINTAS_DATA_DIR cannot be made, or is no directory ({error.strerror})",
        ) from None


def _at(settings: Settings, listener: socket.socket) -> Settings:
    return settings.model_copy(update={"port": listener.getsockname()[1]})


def _with_console(settings: Settings) -> Settings:
    """Have the console on, unless the settings have it off."""
    return settings if settings.console is not None else settings.model_copy(update={"console": True})


def _welcome(settings: Settings, issued: dict[str, tuple[str, str]]) -> None:
    """Tell a person where Lintas is and how to send it something."""
    at = settings.reached_at
    print(f"\nLintas siap / is ready:   {at}\nDokumentasi / API docs:   {at}/docs\n")
    print_columns([(role, agency_code, secret) for role, (agency_code, secret) in issued.items()])
    if settings.console and settings.is_trial:
        who = prepare_trial.HOLDERS[Role.RECEIVER]
        print(
            "\nBuka konsol dengan tautan sekali pakai dari / open the console by a link that works once, from:\n\n"
            f'.venv/bin/lintas sign-in {who} --role receiver --name "Ibu Contoh"'
        )
    if "sender" in issued:
        print(f"\nKirim rujukan / send a referral:\n\n{prepare_trial.first_request(at, issued['sender'][1])}\n")
    else:
        print("Buat kunci / make a key:  lintas keys create --agency KODE --role sender\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
