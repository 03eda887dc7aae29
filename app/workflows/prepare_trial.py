"""All that a trial needs and a service in earnest is given: a database, a key ring, keys, and a first request."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from secrets import token_hex
from types import MappingProxyType

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.caller import Role
from app.storage import api_keys
from app.storage.embedded import EmbeddedPostgres
from app.storage.embedded_cluster import is_laid_out
from app.storage.sealing import KeyRing, KeyRingInvalid
from app.workflows.issue_key import issue_key

HOLDERS: Mapping[Role, str] = MappingProxyType(
    {
        Role.SENDER: "dp3ap2kb-ppu",
        Role.RECEIVER: "uptd-ppa-ppu",
        Role.COORDINATOR: "dp3a-kukar",
        Role.OPERATOR: "kemenpppa-sapa129",
        Role.PROTECTION_OFFICER: "dp3ap2kb-ppu",
    }
)
"""Who holds the key of each role: seed agencies that a first referral is likely to meet."""

ADDRESS = "database-url"
REACHED_AT = "reached-at"
POSTGRES = "postgres"


def own_key_ring(data_dir: Path) -> KeyRing:
    """Give the trial's key ring, made when first asked for; without it the trial's data cannot be read.

    One that was lost is not made anew beside a database: what lies there would never be read again.
    """
    path = data_dir / "keyring.json"
    if not path.exists():
        if is_laid_out(data_dir / POSTGRES):
            raise KeyRingInvalid(
                f"{path} tidak ada, padahal data di {data_dir / POSTGRES} disegel dengannya: kembalikan berkas itu,"
                f" atau hapus {data_dir} untuk mulai dari awal\n"
                f"{path} is missing, and the data in {data_dir / POSTGRES} was sealed under its key: put it back,"
                f" or remove {data_dir} to begin anew"
            )
        KeyRing.generate(f"trial-{token_hex(4)}").write(path)
    return KeyRing.read(path)


@contextlib.contextmanager
def own_database(data_dir: Path) -> Iterator[str]:
    """Run the embedded database; its address lies beside it for the other commands, for as long as it runs."""
    with EmbeddedPostgres.start(data_dir / POSTGRES) as server, telling(data_dir / ADDRESS, server.url()):
        yield server.url()


def address_of_own_database(data_dir: Path) -> str | None:
    """Give the address of the embedded database; None while it does not run."""
    try:
        return (data_dir / ADDRESS).read_text()
    except OSError:
        return None


@contextlib.contextmanager
def telling(path: Path, text: str) -> Iterator[None]:
    """Let other commands on this machine know something for as long as this runs: an address, of what is running."""
    write_private(path, text)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def where_it_is_reached(data_dir: Path) -> str | None:
    """Give the address at which the service of a trial is reached; None while it does not run."""
    try:
        return (data_dir / REACHED_AT).read_text()
    except OSError:
        return None


async def trial_keys(tx: AsyncSession, data_dir: Path) -> dict[str, tuple[str, str]]:
    """Give agency and key by role: issued when no key ever was, and read again for as long as they are valid."""
    path = data_dir / "trial-keys.json"
    if not await api_keys.any_exist(tx):
        issued = {
            role.value: (await issue_key(tx, agency_code=agency_code, roles={role}, label="trial")).secret
            for role, agency_code in HOLDERS.items()
        }
        # Written before they are committed: a key that nobody has is worse than a file nobody needs.
        write_private(path, json.dumps(issued, indent=2))
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    found = {role: (await api_keys.caller_of(tx, secret), secret) for role, secret in kept.items()}
    return {role: (caller.agency_code, secret) for role, (caller, secret) in found.items() if caller}


def first_request(at: str, secret: str) -> str:
    """Write a referral as a command that a person can copy; it is the same every time, so a repeat does no harm."""
    body = {
        "sender_reference": "coba-1",
        "urgency": "standard",
        "case": {"types": ["physical", "psychological"]},
        "locations": {"incident": "64.09.04", "domicile": "64.02.06", "current": "64.02.06"},
        "victim": {"alias": "Bunga", "age": 31, "sex": "female"},
        "services": [{"type": "legal_service"}, {"type": "psychological_support"}],
        "consent": {"basis": "victim", "given_at": "2025-01-06T09:00:00+08:00"},
    }
    return (
        f"curl -s {at}/v1/referrals \\\n"
        f"  -H 'Authorization: Bearer {secret}' \\\n"
        f"  -H 'Content-Type: application/json' -H 'Idempotency-Key: coba-1' \\\n"
        f"  -d '{json.dumps(body)}'"
    )


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone can read, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
