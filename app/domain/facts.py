"""What a referral says that routing needs, and no more; what is missing is None (routing.md, Facts)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from app.domain.errors import FactsInvalid
from app.domain.reading import Entry
from app.domain.regions import is_country, province_of, regency_of
from app.domain.vocabulary import Sex, Urgency

NOBODY: frozenset[str] = frozenset()

INCIDENT = "locations.incident"
DOMICILE = "locations.domicile"
CURRENT = "locations.current"
AGE = "victim.age"
SEX = "victim.sex"
PERPETRATOR = "perpetrator_in_household"

GIVEN = "given"
NONE = "none"


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one referral at one time."""

    received_at: datetime
    urgency: Urgency
    case_types: frozenset[str]
    incident: str | None = None
    domicile: str | None = None
    current: str | None = None
    age: int | None = None
    sex: Sex | None = None
    perpetrator_in_household: bool | None = None
    conflicts: frozenset[str] = NOBODY
    refuses: frozenset[str] = NOBODY
    avoid_regions: frozenset[str] = NOBODY
    consent: bool = True
    consents_to: frozenset[str] | None = None
    """The only agencies that the case may be passed on to; None: any that is not refused."""

    @property
    def abroad(self) -> bool:
        """Say whether the first known of current, incident, domicile is a country."""
        first = self.current or self.incident or self.domicile
        return first is not None and is_country(first)

    @property
    def cross_province(self) -> bool:
        """Say whether the known domestic locations name more than one province."""
        return len({province_of(code) for code in self._locations()} - {None}) > 1

    @property
    def cross_regency(self) -> bool:
        """Say whether the known domestic locations name more than one regency; a province code names none."""
        return len({regency_of(code) for code in self._locations()} - {None}) > 1

    @property
    def derived(self) -> tuple[bool, bool, bool]:
        """Return whether the victim is abroad, and whether the case crosses provinces, and regencies."""
        if len(self._locations()) < 2:
            return self.abroad, False, False
        return self.abroad, self.cross_province, self.cross_regency

    def location(self, kind: str) -> str | None:
        """Return the location a basis names: incident, domicile or current."""
        if kind == "incident":
            return self.incident
        return self.domicile if kind == "domicile" else self.current

    def _locations(self) -> set[str]:
        return {code for code in (self.incident, self.domicile, self.current) if code is not None}

    def to_json(self) -> dict[str, object]:
        """Write the facts as they are kept: every key always, null for what is missing, lists sorted, time in UTC.

        Keys: received_at, urgency, case_types, locations {incident, domicile, current}, victim {age, sex},
        perpetrator_in_household, conflicts, refuses, avoid_regions, consent (given or none); consents_to if said.
        """
        written: dict[str, object] = {
            "received_at": self.received_at.astimezone(UTC).isoformat(),
            "urgency": self.urgency.value,
            "case_types": sorted(self.case_types),
            "locations": {"incident": self.incident, "domicile": self.domicile, "current": self.current},
            "victim": {"age": self.age, "sex": self.sex.value if self.sex else None},
            "perpetrator_in_household": self.perpetrator_in_household,
            "conflicts": sorted(self.conflicts),
            "refuses": sorted(self.refuses),
            "avoid_regions": sorted(self.avoid_regions),
            "consent": GIVEN if self.consent else NONE,
        }
        # Said of few, and left out where nothing was said: what was kept before it was known stays as it is.
        return written if self.consents_to is None else written | {"consents_to": sorted(self.consents_to)}

    @classmethod
    def from_json(cls, written: object) -> Facts:
        """Read facts as `to_json` and the worked cases write them, or say all that is wrong (FactsInvalid)."""
        entry = Entry(written)
        facts = read_facts(entry)
        if entry.faults:
            raise FactsInvalid(tuple(entry.faults))
        return facts


_REQUIRED = ("received_at", "urgency", "case_types")
_OPTIONAL = (
    "locations",
    "victim",
    "perpetrator_in_household",
    "conflicts",
    "refuses",
    "avoid_regions",
    "consent",
    "consents_to",
)
MEMBERS = (*_REQUIRED, *_OPTIONAL)
"""What facts are written with."""


def read_facts(entry: Entry) -> Facts:
    """Read facts at a place in something larger; the faults are the entry's."""
    found = entry.fields(_REQUIRED, _OPTIONAL)
    locations = found["locations"].fields((), ("incident", "domicile", "current")) if "locations" in found else {}
    victim = found["victim"].fields((), ("age", "sex")) if "victim" in found else {}
    urgency = found["urgency"].code(list(Urgency), "urgency") if "urgency" in found else ""
    perpetrator = found.get("perpetrator_in_household")
    consent = found.get("consent")
    return Facts(
        received_at=found["received_at"].moment() if "received_at" in found else datetime.min.replace(tzinfo=UTC),
        urgency=Urgency(urgency or Urgency.STANDARD),
        case_types=_case_types(found),
        incident=_location(locations, "incident"),
        domicile=_location(locations, "domicile"),
        current=_location(locations, "current"),
        age=victim["age"].age() if "age" in victim else None,
        sex=_sex(victim.get("sex")),
        perpetrator_in_household=perpetrator.boolean() if perpetrator else None,
        conflicts=_agencies(found, "conflicts"),
        refuses=_agencies(found, "refuses"),
        avoid_regions=_avoided(found),
        consent=consent.code((GIVEN, NONE), "consent") != NONE if consent else True,
        consents_to=_agencies(found, "consents_to") if "consents_to" in found else None,
    )


def _case_types(found: Mapping[str, Entry]) -> frozenset[str]:
    return frozenset(e.identifier() for e in found["case_types"].entries()) if "case_types" in found else NOBODY


def _location(locations: Mapping[str, Entry], kind: str) -> str | None:
    return locations[kind].location() if kind in locations else None


def _sex(entry: Entry | None) -> Sex | None:
    said = entry.code((*Sex, "unknown"), "sex") if entry else "unknown"
    return None if said in ("unknown", "") else Sex(said)


def _agencies(found: Mapping[str, Entry], key: str) -> frozenset[str]:
    return frozenset(e.identifier() for e in found[key].entries(may_be_empty=True)) if key in found else NOBODY


def _avoided(found: Mapping[str, Entry]) -> frozenset[str]:
    if "avoid_regions" not in found:
        return NOBODY
    return frozenset(entry.location() for entry in found["avoid_regions"].entries(may_be_empty=True))
