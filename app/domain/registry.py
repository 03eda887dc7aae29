"""The registry: the agencies, what each offers, to whom and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.domain.regions import REGENCY_DEPTH, depth, province_of
from app.domain.vocabulary import Sex

NEVER_CONFIRMED = datetime.min.replace(tzinfo=UTC)
WESTERN, CENTRAL, EASTERN = "Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"

TIME_ZONES: Mapping[str, str] = {
    **dict.fromkeys(("11", "12", "13", "14", "15", "16", "17", "18", "19", "21"), WESTERN),
    **dict.fromkeys(("31", "32", "33", "34", "35", "36", "61", "62"), WESTERN),
    **dict.fromkeys(("51", "52", "53", "63", "64", "65", "71", "72", "73", "74", "75", "76"), CENTRAL),
    **dict.fromkeys(("81", "82", "91", "92", "93", "94", "95", "96"), EASTERN),
}


def time_zone_of(region: str) -> str:
    """Name the time zone of a region's province (Keppres 41/1987); the nation keeps Jakarta's."""
    return TIME_ZONES.get(province_of(region) or "", WESTERN)


@dataclass(frozen=True, slots=True)
class Service:
    """What an agency offers of one service type: where, and within which limits of its own."""

    area: tuple[str, ...]
    sexes: frozenset[Sex] = frozenset()
    age_from: int | None = None
    age_below: int | None = None
    case_types: frozenset[str] = frozenset()
    available: bool = True
    secret_location: bool = False
    confirmed_on: date | None = None
    """When the agency last said that it can."""
    valid_for: int | None = None
    """For how many days that counts; None: until it says otherwise."""

    def unknown_from(self, time_zone: str) -> datetime | None:
        """Return since when nobody has said that the agency can, in UTC; None: it need not be said again."""
        if self.valid_for is None:
            return None
        if self.confirmed_on is None:
            return NEVER_CONFIRMED
        first_day = self.confirmed_on + timedelta(days=self.valid_for + 1)
        return datetime.combine(first_day, time.min, ZoneInfo(time_zone)).astimezone(UTC)

    @property
    def is_limited(self) -> bool:
        """Say whether the service is for some victims only."""
        return bool(self.sexes or self.case_types) or self.age_from is not None or self.age_below is not None

    def admits(self, sex: Sex, age: int, case_types: frozenset[str]) -> bool:
        """Say whether the service's own limits hold for a victim; one case type that fits is enough."""
        return (
            (not self.sexes or sex in self.sexes)
            and (self.age_from is None or age >= self.age_from)
            and (self.age_below is None or age < self.age_below)
            and (not self.case_types or not self.case_types.isdisjoint(case_types))
        )


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency as the registry knows it; without a time zone of its own it keeps its province's."""

    code: str
    name: str
    kind: str
    region: str
    services: Mapping[str, Service] = field(default_factory=dict)
    part_of: str | None = None
    coordinator_for: str | None = None
    active: bool = True
    status: str = "unconfirmed"
    time_zone: str = ""

    def __post_init__(self) -> None:
        if not self.time_zone:
            object.__setattr__(self, "time_zone", time_zone_of(self.region))

    def has_secret_place(self, service_type: str) -> bool:
        """Say whether nobody may know where the agency gives a service."""
        service = self.services.get(service_type)
        return service is not None and service.secret_location


def too_narrow(agency: Agency) -> list[str]:
    """List what would tell where a secret place is, as JSON Pointers into the agency as it is written.

    A home or an area narrower than the regency, of an agency with a place that is never shown: what it says would be
    read from every explanation, table of coverage and choice of an agency, so it is not taken in at all.
    """
    secret = [code for code in sorted(agency.services) if agency.has_secret_place(code)]
    found = ["/region"] if secret and depth(agency.region) > REGENCY_DEPTH else []
    return found + [
        f"/services/{code}/area/{place}"
        for code in secret
        for place, area in enumerate(agency.services[code].area)
        if depth(area) > REGENCY_DEPTH
    ]


@dataclass(frozen=True, slots=True)
class Registry:
    """All agencies by code, at one version."""

    version: int
    agencies: Mapping[str, Agency]
