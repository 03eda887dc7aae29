"""The product as it runs: its processes on a server that logs all, agencies that call it, receivers that break."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from app.domain.caller import Role
from app.reference.load import shipped
from app.storage.database import open_for_migrations, sessions_of
from app.storage.migrating import migrate_to_head
from app.storage.sealing import KeyRing
from app.workflows.issue_key import issue_key
from app.workflows.seed import seed
from chaos.postgres import Postgres
from chaos.town import SETTINGS as OF_CHAOS
from chaos.units import PROJECT, House, Unit
from tests.delivery.mailboxes import SENDER as MAILED_FROM
from tests.delivery.mailboxes import Mailbox, a_mailbox
from tests.leaks.bodies import Contract
from tests.leaks.canaries import MARK, NATIONAL_ID, Canaries
from tests.leaks.places import EVERYTHING_LOGGED, LOOKED_INTO_BY
from tests.leaks.receivers import COLLECTS, Receivers, receivers, refusing
from tests.sealing.filled import changed

SENDER = "lpsk"
OPERATOR = "an operator"
"""Somebody of an agency that has nothing to do with the cases, who may do all but what is the protection officer's."""
STRANGER = "rsud-kanujoso"
"""The agency of that operator; its own key is that of a protection officer too, but not of an operator."""
UNITS = (("api", True, False), ("worker", False, False))
SETTINGS = OF_CHAOS | {
    "LINTAS_WEBHOOK__TOTAL_TIMEOUT": "1",
    "LINTAS_WEBHOOK__CONNECT_TIMEOUT": "1",
    "LINTAS_WEBHOOK__KEEP_ANSWERS": "true",
    "LINTAS_DATABASE__STATEMENT_TIMEOUT": "4",
    "LINTAS_STOP_WITHIN": "2",
    "LINTAS_LOG_LEVEL": "DEBUG",
    "LINTAS_METRICS__PORT": "0",
    # What is slow is told with the task that was at it, and a process that aborts tells where its threads stood.
    "PYTHONASYNCIODEBUG": "1",
    "PYTHONFAULTHANDLER": "1",
}
HOSTILE_HEADERS = {
    "X-Request-Id": NATIONAL_ID * 2,
    "User-Agent": f"{MARK}/1.0",
    "Referer": f"https://{MARK}.example/{NATIONAL_ID}",
    "Cookie": f"session={MARK}",
    "Origin": f"https://{MARK}.example",
    "Accept-Language": f"{MARK}, id;q={MARK}",
    "From": f"{MARK}@contoh.example",
    "X-Forwarded-For": f"{MARK}, 10.1.2.3",
    "Forwarded": f"for={MARK}",
    "X-Forwarded-Host": f"{MARK}.example",
    "traceparent": f"00-{NATIONAL_ID * 2}-00f067aa0ba902b7-01",
    "tracestate": f"a={MARK}",
    "baggage": f"name={MARK}",
    f"X-{MARK}": MARK,
}
"""A person's name may be put into any of these; none is answered back or written down."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody was answered, to the byte, and for what."""

    to: str
    asked: str
    status: int
    content: str

    def __repr__(self) -> str:
        return f"{self.to}: {self.asked} -> {self.status}"


@dataclass(slots=True)
class World:
    """Everybody, and all that anybody was told."""

    directory: Path
    postgres: Postgres
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    house: House
    receivers: Receivers
    mailbox: Mailbox
    collector: Receivers
    """Who is sent the traces."""
    keys: dict[str, str]
    client: httpx.AsyncClient
    environment: dict[str, str]
    contract: Contract
    canaries: Canaries = field(default_factory=Canaries)
    told: list[Answer] = field(default_factory=list)
    """What was answered to those who may see nothing of a person."""
    shown: list[Answer] = field(default_factory=list)
    """What was answered to those who may."""
    codes: dict[str, int] = field(default_factory=dict)
    """The exit code of each command, by its words."""
    statements: list[str] = field(default_factory=list)
    """What the server showed of statements while they ran."""

    @property
    def api(self) -> Unit:
        """The process that serves."""
        return next(unit for unit in self.house.units if unit.serves)

    @property
    def worker(self) -> Unit:
        """The process that delivers."""
        return next(unit for unit in self.house.units if not unit.serves)

    @property
    def commands(self) -> Path:
        """Where the output of commands lies."""
        return self.directory / "commands"

    async def call(
        self, agency: str | None, method: str, path: str, *, sees: bool = False, **more: Any
    ) -> httpx.Response:
        """Ask as an agency; `sees`: a success may show it what is sealed, and nothing else may."""
        headers = dict(HOSTILE_HEADERS)
        if method == "POST":
            headers["Idempotency-Key"] = f"{MARK}-{uuid4()}"
        if agency is not None:
            headers["Authorization"] = f"Bearer {self.keys.get(agency, agency)}"
        headers |= more.pop("headers", {})
        url = f"http://127.0.0.1:{more.pop('port', self.api.port)}{path}"
        answer = await self.client.request(method, url, headers=headers, **more)
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        said = Answer(
            agency or "nobody", f"{method} {path}", answer.status_code, f"{answer.reason_phrase}\n{head}\n{answer.text}"
        )
        (self.shown if sees and answer.is_success else self.told).append(said)
        return answer

    async def done(self, agency: str, method: str, path: str, *, sees: bool = False, **more: Any) -> dict[str, Any]:
        """Ask for something that must be done, and give the answer."""
        answer = await self.call(agency, method, path, sees=sees, **more)
        assert answer.is_success, f"{agency}: {method} {path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    def heard(self, asked: str, content: bytes) -> None:
        """Keep what came back for what was no request."""
        self.told.append(Answer("nobody", asked, 0, content.decode("latin-1")))

    async def execute(self, *statements: str, alone: bool = False, **values: Any) -> None:
        """Have something of the database be otherwise; `alone`: in no transaction."""
        if alone:
            async with self.engine.connect() as connection:
                outside = await connection.execution_options(isolation_level="AUTOCOMMIT")
                for statement in statements:
                    await outside.execute(text(statement), values)
            return
        async with self.sessions.begin() as tx:
            for statement in statements:
                await tx.execute(text(statement), values)

    async def listening(self) -> list[int]:
        """List the ports that the processes of the product listen on, as Linux tells them."""
        found = await asyncio.to_thread(_ports_of, {unit.process.pid for unit in self.house.units})
        return sorted(found)

    async def run(self, *commands: Sequence[str]) -> None:
        """Run commands, each as a process of its own, and keep what they print."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.leaks.commands",
            cwd=PROJECT,
            env=self.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        lines = "".join(
            json.dumps([str(self.commands / f"{len(self.codes) + number}.txt"), list(words)]) + "\n"
            for number, words in enumerate(commands)
        )
        said, _ = await process.communicate(lines.encode())
        codes = [int(line) for line in said.split()]
        assert len(codes) == len(commands), "the runner of commands broke off"
        self.codes |= {" ".join(words): code for words, code in zip(commands, codes, strict=True)}

    def output_of(self, words: str) -> str:
        """Give what a command printed."""
        place = list(self.codes).index(words)
        return (self.commands / f"{place}.txt").read_text()


@asynccontextmanager
async def a_world(directory: Path) -> AsyncIterator[World]:
    """Start everybody in a directory; nobody outlives this."""
    postgres = Postgres(directory / "postgres")
    await postgres.start()
    house: House | None = None
    engine: AsyncEngine | None = None
    mail = AsyncExitStack()
    try:
        url = postgres.url()
        await asyncio.to_thread(migrate_to_head, url)
        engine = open_for_migrations(url)
        sessions = sessions_of(engine)
        await _log_all(postgres, engine)
        for name in ("home", "temporary", "data"):
            (directory / name).mkdir()
        ring = changed(KeyRing.generate("first"), directory, active="first", add=("second",))
        ring.write(directory / "ring.json")
        settings = SETTINGS | {
            "LINTAS_KEY_RING_FILE": str(directory / "ring.json"),
            "LINTAS_DATA_DIR": str(directory / "data"),
            "LINTAS_ERASURE_LEDGER": str(directory / "data" / "erasures.jsonl"),
            "HOME": str(directory / "home"),
            "TMPDIR": str(directory / "temporary"),
        }
        keys = await _keys(sessions)
        async with receivers() as there, receivers() as collector:
            mailbox = await mail.enter_async_context(a_mailbox())
            mailbox.at_recipient = refusing
            (directory / "mail.pem").write_text(mailbox.authority.pem)
            settings |= {
                "LINTAS_MAIL__HOST": "127.0.0.1",
                "LINTAS_MAIL__PORT": str(mailbox.port),
                "LINTAS_MAIL__CA_FILE": str(directory / "mail.pem"),
                "LINTAS_MAIL__SENDER": MAILED_FROM,
            }
            settings |= {"LINTAS_TRACING__ENDPOINT": f"http://127.0.0.1:{collector.port}{COLLECTS}"}
            house = House(directory, lambda: postgres.port, postgres.url(0), settings)
            await house.start(UNITS)
            outside = {name: value for name, value in os.environ.items() if not name.startswith("LINTAS_")}
            async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
                api = next(unit for unit in house.units if unit.serves)
                contract = (await client.get(f"http://127.0.0.1:{api.port}/openapi.json")).json()
                yield World(
                    directory,
                    postgres,
                    engine,
                    sessions,
                    house,
                    there,
                    mailbox,
                    collector,
                    keys,
                    client,
                    outside | settings | {"LINTAS_DATABASE_URL": url, "PYTHONASYNCIODEBUG": ""},
                    Contract(contract),
                )
    finally:
        if house is not None:
            house.kill_all()
            await house.end()
        await mail.aclose()
        if engine is not None:
            await engine.dispose()
        await postgres.stop()


async def _log_all(postgres: Postgres, engine: AsyncEngine) -> None:
    """Have the server write down and count whatever it is asked."""
    async with engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(text(f"ALTER SYSTEM SET shared_preload_libraries = {LOOKED_INTO_BY}"))
    await postgres.stop()
    await postgres.start()
    async with engine.begin() as connection:
        await connection.execute(text("CREATE EXTENSION pg_stat_statements"))
        # Of the database, not the server: what a server was started with stands above its files.
        for name, value in EVERYTHING_LOGGED.items():
            await connection.execute(text(f"ALTER DATABASE {engine.url.database} SET {name} = '{value}'"))


async def _keys(sessions: async_sessionmaker[AsyncSession]) -> dict[str, str]:
    """Seed the database, and give the sender a key that holds every role, and to each other agency all but operator.

    One who is an operator and a protection officer at once answers for the persons of all cases, and sees them.
    """
    async with sessions.begin() as tx:
        await seed(tx, datetime.now(UTC))  # noqa: TID251 - an entry point
    async with sessions.begin() as tx:
        roles = {agency: set(Role) - {Role.OPERATOR} for agency in sorted(shipped().registry.agencies)}
        who = {agency: (agency, held) for agency, held in roles.items()} | {
            SENDER: (SENDER, set(Role)),
            OPERATOR: (STRANGER, set(Role) - {Role.PROTECTION_OFFICER}),
        }
        return {
            name: (await issue_key(tx, agency_code=agency, roles=sorted(held), label="")).secret
            for name, (agency, held) in who.items()
        }


def _ports_of(processes: set[int]) -> set[int]:
    sockets = set()
    for process in processes:
        with suppress(OSError):
            sockets |= {str(one.readlink()) for one in Path(f"/proc/{process}/fd").iterdir()}
    listening = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return {
        int(one[1].rpartition(":")[2], 16) for one in listening if one[3] == "0A" and f"socket:[{one[9]}]" in sockets
    }
