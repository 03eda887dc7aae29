"""`lintas sandbox`: a private world for whoever writes a client, with nothing real in it."""

import asyncio
import os
import signal
import sys
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from socket import socket
from typing import Annotated, Any

import structlog
import typer

from app.api.server import Server
from app.commands.lifetime import stop_with
from app.commands.running import CannotGoOn, print_columns, run_to_end
from app.main import SAYS_SANDBOX, listen
from app.observability import configure_logging
from app.sandbox.control import create_control
from app.sandbox.databases import Databases
from app.sandbox.world import World, WorldEnded, begun
from app.settings import Settings, read_settings
from app.storage.embedded import EmbeddedPostgres
from app.workflows import prepare_trial

HOST = "127.0.0.1"
API_PORT, CONTROL_PORT = 8090, 8091
DIRECTORY = Path(".lintas-sandbox")
FROM_OUTSIDE = ("log_level", "log_format")
"""What of the environment counts in a sandbox; the rest is for the real thing."""
STOPS_WITHIN = timedelta(seconds=3)

log = structlog.get_logger()


def add_to(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("sandbox")(sandbox)


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port API / the API's port.")] = API_PORT,
    control_port: Annotated[int, typer.Option(min=0, max=65535, help="Port kendali / the control's port.")] = (
        CONTROL_PORT
    ),
    directory: Annotated[Path, typer.Option(help="Tempat datanya; boleh dihapus / where it is kept; removable.")] = (
        DIRECTORY
    ),
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="Berhenti bersama induknya / stop when what started it ends.")
    ] = False,
) -> None:
    """Run a private world to try a client out in: its own keys, agencies that are played, a clock that can be moved."""
    parent = os.getppid() if with_parent else None
    settings = _settings(directory)
    configure_logging(
        level=settings.log_level,
        console=settings.log_format == "console" or (settings.log_format is None and sys.stderr.isatty()),
        stream=sys.stderr,
    )
    with ExitStack() as stack:
        api, control = (stack.enter_context(_listening(one)) for one in (port, control_port))
        settings = settings.model_copy(update={"port": api.getsockname()[1]})
        _make_room(directory)
        key_ring = prepare_trial.own_key_ring(directory)
        server = stack.enter_context(EmbeddedPostgres.start(directory / prepare_trial.POSTGRES))
        at = f"http://{HOST}:{control.getsockname()[1]}"
        databases = Databases(server)
        # For `lintas sign-in`: the console of a sandbox is opened by a link too.
        for name, address in (
            (prepare_trial.ADDRESS, databases.world),
            (prepare_trial.REACHED_AT, settings.reached_at),
        ):
            stack.enter_context(prepare_trial.telling(directory / name, address))
        world = partial(World, settings, databases, key_ring, api, at)
        run_to_end(_run(world, control, at, parent))


def _settings(directory: Path) -> Settings:
    """Give the settings of a sandbox, whatever the environment says of the real thing."""
    plain = {
        name: field.get_default(call_default_factory=True)
        for name, field in Settings.model_fields.items()
        if name not in FROM_OUTSIDE
    }
    own: dict[str, Any] = {
        "host": HOST,
        "data_dir": directory,
        "webhook": {"allow_http": True, "allow_networks": "127.0.0.0/8,::1", "keep_answers": True},
        "console": True,
        # However far the clock is moved, nothing of what was sent goes.
        "history_months": 0,
        "stop_within": STOPS_WITHIN,
    }
    return read_settings(**plain | own)


def _listening(port: int) -> socket:
    try:
        return listen(HOST, port)
    except OSError:
        raise CannotGoOn(
            f"{HOST}:{port} tidak dapat dipakai; pilih lain dengan --port atau --control-port",
            f"{HOST}:{port} cannot be used; choose another with --port or --control-port",
        ) from None


def _make_room(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotGoOn(
            f"direktori itu tidak dapat dibuat ({error.strerror})", f"the directory cannot be made ({error.strerror})"
        ) from None


async def _run(make: "partial[World]", listener: socket, at: str, parent: int | None) -> None:
    world, stop, ready = make(), asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    control = Server(create_control(world), ready.set, stop_within=STOPS_WITHIN, headers=SAYS_SANDBOX)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(control.serve([listener]))
        await ready.wait()
        if parent is not None:
            tasks.create_task(stop_with(parent, stop))
        try:
            async with begun(world):
                await _welcome(world, at)
                waiting = [asyncio.create_task(one.wait()) for one in (stop, world.ended)]
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for one in waiting:
                    one.cancel()
                if world.ended.is_set():
                    raise WorldEnded
        finally:
            stop.set()
            control.should_exit = True
        await serving


async def _welcome(world: World, at: str) -> None:
    api = world.service.settings.reached_at
    print(
        "\nIni sandbox: tidak ada yang nyata di sini, dan kuncinya tidak berlaku di tempat lain."
        "\nThis is a sandbox: nothing here is real, and its keys work nowhere else.\n"
        f"\nAPI:                  {api}"
        f"\nKendali / control:    {at}/sandbox   ({at}/openapi.json)\n"
    )
    keys = await world.printed_keys()
    print_columns([(key.role, key.agency, key.secret) for key in keys])
    print(
        "\nBuka konsol dengan tautan sekali pakai dari / open the console by a link that works once, from:\n\n"
        f"LINTAS_DATA_DIR={world.service.settings.data_dir} .venv/bin/lintas sign-in {keys[1].agency}"
        ' --role receiver --name "Ibu Contoh"\n'
        f"\nKirim rujukan / send a referral:\n\n{prepare_trial.first_request(api, keys[0].secret)}\n"
        f"\nMajukan jam / move the clock:\n\ncurl -s {at}/sandbox/clock/advance"
        " -H 'Content-Type: application/json' -d '{\"by\": \"PT4H\"}'\n"
    )
    sys.stdout.flush()
