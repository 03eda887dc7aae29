"""Each referral's journey, read over the API as its sender reads it, and printed as a person likes to read it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from demo.cases import WorkedCase
from demo.sending import Senders, Sent

LOCAL = ZoneInfo("Asia/Makassar")
STATES = {
    "completed": ("selesai\ncompleted", "green"),
    "declined": ("ditolak\ndeclined", "yellow"),
    "expired": ("kedaluwarsa\nexpired", "yellow"),
    "needs_coordinator": ("koordinator\ncoordinator", "magenta"),
}


@dataclass(frozen=True, slots=True)
class Stop:
    """One agency on the way of a request, or the coordinator at its end."""

    agency: str
    state: str
    decision: Mapping[str, Any]
    offered_at: str
    answered_at: str | None


@dataclass(frozen=True, slots=True)
class ServiceJourney:
    """A service's way: the decision its case speaks of, what the 201 showed, and the agencies one by one."""

    service: str
    decision: Mapping[str, Any]
    shown: Mapping[str, Any]
    """The first decision as the 201 showed it."""
    shown_of: Mapping[str, Any]
    """The result that was kept of that decision."""
    stops: Sequence[Stop]


@dataclass(frozen=True, slots=True)
class Journey:
    """A referral's way."""

    case: WorkedCase
    received_at: datetime
    services: Sequence[ServiceJourney]


async def read_journey(senders: Senders, sent: Sent) -> Journey:
    """Read what became of a referral, as its sender."""
    sender = sent.case.sender
    referral = await senders.get(sender, f"/referrals/{sent.referral['id']}")
    first = {one["id"]: one["decision"] for one in sent.referral["service_requests"]}
    services = []
    for request in referral["service_requests"]:
        shown = first[request["id"]]
        kept = decided = await senders.get(sender, f"/decisions/{shown['id']}?explained=false")
        if sent.case.decided_last:
            decided = await senders.get(sender, f"/decisions/{request['decision']['id']}?explained=false")
        made = [*request["earlier_handoffs"], *([request["handoff"]] if request["handoff"] else [])]
        stops = [_stop(await senders.get(sender, f"/handoffs/{one['id']}")) for one in made]
        if request["state"] == "needs_coordinator":
            stops.append(_coordinator(request))
        services.append(ServiceJourney(request["service_type"], decided, shown, kept["result"], stops))
    return Journey(sent.case, datetime.fromisoformat(referral["received_at"]), services)


def _stop(handoff: Mapping[str, Any]) -> Stop:
    return Stop(handoff["agency"], handoff["state"], handoff["decision"], handoff["offered_at"], handoff["answered_at"])


def _coordinator(request: Mapping[str, Any]) -> Stop:
    who = request["coordinators"][0] if request["coordinators"] else "-"
    return Stop(who, request["state"], request["decision"], request["waiting_since"], request["acknowledged_at"])


def show(console: Console, journeys: Sequence[Journey], different: frozenset[int]) -> None:
    """Print every journey; `different` names the numbers of the cases that did not go as they should."""
    for place, journey in enumerate(journeys):
        case = journey.case
        mark = Text("≠ ", "bold red") if case.number in different else Text("✓ ", "green")
        about = f"   {case.urgency}, {_time(case.received_at)} WITA, dari / from {case.sender}"
        console.print(mark.append(f"{case.number}. {case.name}", "bold").append(about, "dim not bold"))
        console.print(Padding(_table(journey, console.width - 2, heading=place == 0), (0, 0, 1, 2)))


def _table(journey: Journey, width: int, *, heading: bool) -> Table:
    table = Table(box=None, width=width, show_header=heading, header_style="dim", pad_edge=False)
    table.add_column("layanan → lembaga\nservice → agency", width=28, overflow="fold")
    table.add_column("hasil\noutcome", width=15)
    table.add_column("klausul dan dasarnya\nclause and citation", ratio=1, overflow="fold")
    table.add_column("ditawarkan, dijawab\noffered, answered", width=19)
    for line in journey.services:
        before = None
        for stop in line.stops:
            why = _why(stop.decision)
            service = f"{line.service}\n" if before is None else ""
            table.add_row(f"{service}→ {stop.agency}", _outcome(stop), "″" if why == before else why, _times(stop))
            before = why
    return table


def _outcome(stop: Stop) -> Text:
    said, style = STATES.get(stop.state, (stop.state, "red"))
    reason = stop.decision["reason"] if stop.state == "needs_coordinator" else None
    return Text(f"{said}\n{reason}" if reason else said, style)


def _why(decision: Mapping[str, Any]) -> Text:
    return Text("\n").join(_reasons(decision)) or Text("-")


def _reasons(decision: Mapping[str, Any]) -> Iterator[Text]:
    if citation := decision["citation"]:
        confirmed, not_yet = (
            ("(terkonfirmasi / confirmed)", "green"),
            ("(belum dikonfirmasi / not confirmed)", "yellow"),
        )
        clause = Text(f"{decision['document']}/{decision['clause']} ")
        yield clause.append(*(confirmed if citation["confirmed"] else not_yet))
        yield Text(citation["source"], "dim")
    for warning in decision["warnings"]:
        yield Text(f"! {warning}", "italic dim")
    if decision["missing"]:
        yield Text(f"tidak diketahui / unknown: {', '.join(decision['missing'])}", "italic dim")


def _times(stop: Stop) -> str:
    offered = datetime.fromisoformat(stop.offered_at)
    answered = _time(datetime.fromisoformat(stop.answered_at)) if stop.answered_at else "-"
    return f"{_time(offered)}\n{answered}"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(LOCAL):%Y-%m-%d %H:%M}"
