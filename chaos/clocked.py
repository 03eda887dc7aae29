"""`lintas serve` and `lintas work` on a machine whose clock is set: real time, and what a file says it is wrong by.

Run as `python -m chaos.clocked FILE serve PORT` or `python -m chaos.clocked FILE work`; settings as ever.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.commands.lifetime import run
from app.commands.running import check_database, given_database, run_to_end, settings_with
from app.main import listen
from app.observability import configure_logging
from app.service import compose
from app.storage.migrating import head
from app.storage.sealing import KeyRing


class SetClock:
    """The clock of such a machine; the file holds seconds, and may change at any moment."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self) -> datetime:
        """Tell the time as this machine sees it."""
        return datetime.now(UTC) + timedelta(seconds=float(self._file.read_text() or 0))  # noqa: TID251


def main(file: str, what: str, port: str = "0") -> None:
    """Compose the process as the command line does, but for its clock."""
    settings = settings_with(port=int(port))
    if settings.key_ring_file is None:
        raise SystemExit("LINTAS_KEY_RING_FILE is not set")
    configure_logging(level=settings.log_level)
    url, ring = given_database(settings), KeyRing.read(settings.key_ring_file)
    listener = listen(settings.host, settings.port) if what == "serve" else None
    service = compose(settings, url=url, key_ring=ring, name=what, revision=head(), machine_clock=SetClock(Path(file)))

    async def check() -> None:
        if listener is None:
            await check_database(service.sessions, ring)

    run_to_end(run(service, listener=listener, workers=listener is None, first=check))


if __name__ == "__main__":
    main(*sys.argv[1:])
