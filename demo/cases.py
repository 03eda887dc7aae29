"""The worked cases as a sender's system knows them: the referral to send, who sends it, and what is to come of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from app.domain.consent import ADULT_FROM
from app.domain.registry import Registry
from app.reference.load import shipped
from app.reference.yaml_text import load_yaml
from demo.receiver import DECLINE, SILENT

CASES = Path(__file__).parents[1] / "tests" / "cases" / "routing.yaml"
FACTS = frozenset(
    {
        "received_at",
        "urgency",
        "case_types",
        "services",
        "locations",
        "victim",
        "perpetrator_in_household",
        "conflicts",
        "refuses",
        "avoid_regions",
        "consent",
    }
)


class NotSendable(ValueError):
    """A worked case says something that this demonstration cannot send."""


@dataclass(frozen=True, slots=True)
class WorkedCase:
    """One case: `does` says by service and agency who declines and who stays silent; all others accept."""

    number: int
    name: str
    received_at: datetime
    urgency: str
    sender: str
    body: Mapping[str, Any]
    tried: frozenset[str]
    does: Mapping[str, Mapping[str, str]]
    expect: Mapping[str, Mapping[str, Any]]

    @property
    def decided_last(self) -> bool:
        """Say whether what is expected is decided after declines, and not at once."""
        return bool(self.tried - {self.sender})

    def is_silent(self, service: str, agency: str) -> bool:
        """Say whether an agency lets the offer of a service expire."""
        return self.does.get(service, {}).get(agency) == SILENT


def worked_cases(limit: int | None = None) -> list[WorkedCase]:
    """Read the worked cases, all or the first few of the file, in order of time."""
    written = load_yaml(CASES.read_text("utf-8")).value
    if not isinstance(written, list):
        raise NotSendable("the file is a list of cases")
    cases = [_case(number, one) for number, one in enumerate(written[:limit], 1)]
    return sorted(cases, key=lambda case: case.received_at)


def by_time(cases: Sequence[WorkedCase]) -> Iterator[tuple[datetime, list[WorkedCase]]]:
    """Give the cases of each moment."""
    for moment, together in groupby(cases, key=lambda case: case.received_at):
        yield moment, list(together)


def first_emergency(cases: Sequence[WorkedCase]) -> str | None:
    """Name the agency that the first emergency is offered to, if there is any."""
    offered = (one for case in cases if case.urgency == "emergency" for one in case.expect.values())
    return next((one["agency"] for one in offered if one.get("agency")), None)


def first_sender(cases: Sequence[WorkedCase]) -> str | None:
    """Name the sender of the first case that is offered to somebody, who hears of its completion."""
    return next((case.sender for case in cases if any(one.get("agency") for one in case.expect.values())), None)


def _case(number: int, written: Mapping[str, Any]) -> WorkedCase:
    facts, expect = written["facts"], written.get("expect", {})
    if unknown := facts.keys() - FACTS:
        raise NotSendable(f"{written['name']}: no referral says {', '.join(sorted(unknown))}")
    tried = frozenset(written.get("tried", ()))
    sender = _sender(number, facts, expect, tried)
    does = {service: dict.fromkeys(sorted(tried - {sender}), DECLINE) for service in facts["services"]}
    if not tried:
        # Where a case names the whole chain, its head stays silent and the next one is offered the handoff.
        for service, one in expect.items():
            if len(one.get("chain", ())) > 1:
                does[service][one["chain"][0]] = SILENT
    return WorkedCase(
        number=number,
        name=written["name"],
        received_at=datetime.fromisoformat(facts["received_at"]),
        urgency=facts["urgency"],
        sender=sender,
        body=_body(number, facts, sender_cannot=sender in tried),
        tried=tried,
        does=does,
        expect=expect,
    )


def _body(number: int, facts: Mapping[str, Any], *, sender_cannot: bool) -> dict[str, Any]:
    case = {"types": facts["case_types"]}
    if "perpetrator_in_household" in facts:
        case["perpetrator_in_household"] = facts["perpetrator_in_household"]
    consent = (
        {"basis": "none"}
        if facts.get("consent") == "none"
        else {"basis": _consenting(facts), "given_at": datetime.fromisoformat(facts["received_at"]).isoformat()}
    )
    return {
        "sender_reference": f"DEMO-{number:03}",
        "mode": "referral",
        "urgency": facts["urgency"],
        "case": case,
        "locations": facts.get("locations", {}),
        "avoid_regions": facts.get("avoid_regions", []),
        "victim": {"alias": f"Contoh {number}", **facts.get("victim", {})},
        "requested_by": "victim",
        "services": [{"type": service, "sender_cannot": sender_cannot} for service in facts["services"]],
        "conflicts": facts.get("conflicts", []),
        "consent": {**consent, "agencies_refused": facts.get("refuses", [])},
    }


def _consenting(facts: Mapping[str, Any]) -> str:
    """Say whose consent a case has: for a child that of a guardian."""
    age = facts.get("victim", {}).get("age")
    return "victim" if age is None or age >= ADULT_FROM else "guardian"


def _sender(number: int, facts: Mapping[str, Any], expect: Mapping[str, Any], tried: frozenset[str]) -> str:
    """Choose who sends a case: who was tried though nobody would ask it, else someone it does not concern."""
    registry = shipped().registry
    able = {
        agency.code for agency in registry.agencies.values() if not agency.services.keys().isdisjoint(facts["services"])
    }
    if cannot := sorted(tried - able):
        return cannot[0]
    named = {*tried, *facts.get("conflicts", ()), *facts.get("refuses", ())}
    for one in expect.values():
        named |= {one.get("agency"), one.get("coordinator"), *one.get("chain", ())} - {None}
    roots = {_root(registry, code) for code in named}
    everyone = sorted(registry.agencies)
    turn = number * 7 % len(everyone)
    for code in everyone[turn:] + everyone[:turn]:
        if code not in able and _root(registry, code) not in roots:
            return code
    return everyone[turn]


def _root(registry: Registry, code: str) -> str:
    part_of = registry.agencies[code].part_of
    return _root(registry, part_of) if part_of else code
