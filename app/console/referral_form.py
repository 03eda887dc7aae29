"""The form of a referral: what a caseworker put into its fields, as a body of the API says it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.api.faults import Finding
from app.api.language import Language
from app.console import places
from app.console.forms import FormUnreadable, PostedForm, name_of
from app.console.words.entry_faults import INSTEAD
from app.storage.reference import Reference

UNKNOWN = "unknown"
"""What a field says of which nothing is known: it is left out of the body, not guessed."""
LOCATIONS = ("incident", "domicile", "current")
SOUGHT, SEARCHED, SEARCH = "sought", "searched", "search"
AVOID = "avoid"
"""The places where the victim is not safe, which are sought as the locations are."""
PLACES = (*LOCATIONS, AVOID)
TIME = re.compile(r"([01]?\d|2[0-3])[.:]([0-5]\d)\Z", re.ASCII)
WHOLE = re.compile(r"\d{1,3}\Z", re.ASCII)
PARTS = ("locations", "case", "consent", "victim", "victim.guardian")
"""What holds other fields, and is no field itself."""
FLAGS: tuple[tuple[str, str], ...] = (
    ("case", "perpetrator_in_household"),
    ("victim.guardian", "is_perpetrator"),
    ("victim.guardian", "in_conflict"),
)
_OURS = re.compile(rf"({SOUGHT}|{SEARCHED})\.|{SEARCH}\Z|version\Z|unknown\[\]\Z|.*\.time\Z|(note|cannot)\b")


@dataclass(frozen=True, slots=True)
class SoughtPlace:
    """A place of the form: what was written to find it, what that finds, and what was chosen of it."""

    name: str
    sought: str
    searched: str
    options: tuple[places.Place, ...]
    chosen: tuple[str, ...]
    is_unsettled: bool
    """It was written down and none was chosen: nobody guesses which one is meant."""
    found_nothing: bool


@dataclass(frozen=True, slots=True)
class ReferralForm:
    """The form of a referral, or of an amendment of one, in the time zone of who fills it in."""

    form: PostedForm
    zone: str

    def submission(self) -> dict[str, Any]:
        """Say it as the body of `POST /v1/referrals`; what is not known is not in it."""
        body = self.facts()
        chosen = self.form.all("services[]")
        body.setdefault("case", {})
        if chosen:
            body["services"] = [self._service(type_) for type_ in chosen]
        return {**body, "consent": self.consent()}

    def preview(self) -> list[dict[str, Any]]:
        """Say it as bodies of `POST /v1/routing/preview`: services the sender can give, and those it cannot.

        Each body has `services`, and the second one is to be tried without the sender.
        """
        said = self.submission()
        known = ("urgency", "case", "locations", "avoid_regions", "victim", "consent", "conflicts")
        facts = {name: said[name] for name in known if name in said}
        cannot = set(self.form.all("cannot[]"))
        chosen = self.form.all("services[]")
        parts = ([one for one in chosen if one not in cannot], [one for one in chosen if one in cannot])
        return [{**facts, "services": services} for services in parts]

    def facts(self) -> dict[str, Any]:
        """Say what is known, with numbers and flags as the API takes them, and without what is not known."""
        kept = {name: given for name, given in self.form.fields.items() if not _OURS.match(name)}
        body = PostedForm({name: given for name, given in kept.items() if name != "services[]"}).values()
        for part in PARTS:
            _check_part(body, part)
        for outer, name in FLAGS:
            _make_flag(body, outer, name)
        victim = body.get("victim", {})
        if WHOLE.match(str(victim.get("age", ""))):
            victim["age"] = int(victim["age"])
        locations = {name: code for name, code in body.get("locations", {}).items() if code != UNKNOWN}
        if "locations" in body:
            body["locations"] = locations
        if reported := self.moment("case.police_reported_at"):
            body.setdefault("case", {})["police_reported_at"] = reported
        return _without_empty(body)

    def unsettled(self, reference: Reference, language: Language) -> list[Finding]:
        """Find places that were written down and not chosen: nobody guesses which one is meant."""
        return [
            Finding("choose_place", pointer="/avoid_regions" if one.name == AVOID else f"/locations/{one.name}")
            for one in self.places(reference, language).values()
            if one.is_unsettled
        ]

    def places(self, reference: Reference, language: Language, *, now: str = "") -> dict[str, SoughtPlace]:
        """Give each place with what was sought, what that finds, and what was chosen; `now` is sought this time."""
        return {name: self._place(reference, language, name, is_sought=name == now) for name in PLACES}

    def _place(self, reference: Reference, language: Language, name: str, *, is_sought: bool) -> SoughtPlace:
        sought, searched = (self.form.get(f"{part}.{name}")[: places.LONGEST] for part in (SOUGHT, SEARCHED))
        found = places.search(reference, sought, language) if sought else []
        codes = [one.code for one in found]
        several = name == AVOID
        said = self.form.all("avoid_regions[]") if several else self.form.all(f"locations.{name}")[:1]
        settled = [code for code in said if code in codes] if several else sought == searched and bool(said)
        # Another place is sought than was chosen: what was chosen before is nobody's answer to it.
        keeps = several or not sought or sought == searched or any(code in codes for code in said)
        chosen = tuple(code for code in said if code) if keeps else ()
        others = [places.place(reference, code, language) for code in chosen if code not in codes and code != UNKNOWN]
        return SoughtPlace(
            name=name,
            sought=sought,
            searched=sought if is_sought or (sought and not settled) else searched,
            options=(*others, *found),
            chosen=chosen or (() if sought or several else (UNKNOWN,)),
            is_unsettled=bool(sought) and not settled,
            found_nothing=bool(sought) and not found,
        )

    def contradictions(self) -> list[Finding]:
        """Find what the form says in two ways."""
        both = self.form.get("victim.age") and "victim.age" in self.form.all("unknown[]")
        return [Finding("contradiction", pointer="/victim/age")] if both else []

    def moment(self, name: str) -> str:
        """Give a moment that was put into three fields and one for the hour, with the offset of the zone."""
        day, at = self.form.day(name), TIME.match(self.form.get(f"{name}.time"))
        try:
            on = date.fromisoformat(day)
        except ValueError:
            on = None
        if on is None or at is None:
            # It cannot be read, and is refused under its name.
            return f"{day} {self.form.get(f'{name}.time')}".strip()
        return datetime(on.year, on.month, on.day, int(at[1]), int(at[2]), tzinfo=ZoneInfo(self.zone)).isoformat()

    def consent(self) -> dict[str, Any]:
        """Say what the form says of consent, with its moments in the zone of who fills it in."""
        consent = dict(self.facts().get("consent", {}))
        given = self.moment("consent.given_at")
        if given:
            consent["given_at"] = given
        last = consent.pop("last_day", None)
        if last is not None:
            consent["expires_at"] = self._end_of(str(last))
        return consent

    def _end_of(self, day: str) -> str:
        """Give the moment at which a day is over."""
        try:
            after = date.fromisoformat(day) + timedelta(days=1)
        except (ValueError, OverflowError):
            return day
        return datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(self.zone)).isoformat()

    def _service(self, type_: str) -> dict[str, Any]:
        service: dict[str, Any] = {"type": type_}
        if note := self.form.get(f"note.{type_}"):
            service["note"] = note
        if type_ in self.form.all("cannot[]"):
            service["sender_cannot"] = True
        return service


def _check_part(body: Mapping[str, Any], part: str) -> None:
    """Let a part pass that holds fields, or is not there; else FormUnreadable: no page of ours sends it so."""
    at: Any = body
    for name in part.split("."):
        at = at.get(name, {})
        if not isinstance(at, Mapping):
            raise FormUnreadable


def _make_flag(body: dict[str, Any], outer: str, name: str) -> None:
    at: Any = body
    for part in outer.split("."):
        at = at.get(part, {}) if isinstance(at, Mapping) else {}
    if name in at:
        if at[name] == UNKNOWN:
            del at[name]
        elif at[name] == "false":
            at[name] = False


def _without_empty(body: Mapping[str, Any]) -> dict[str, Any]:
    inner = {name: _without_empty(value) if isinstance(value, Mapping) else value for name, value in body.items()}
    return {name: value for name, value in inner.items() if value != {}}


def texts(found: Sequence[Finding], form: PostedForm, language: Language) -> dict[str, str]:
    """Say for each field of the form what is wrong with it, in words of its own where the API's are for programs."""
    said: dict[str, str] = {}
    for one in found:
        name = _field_of(one.pointer or "", form)
        own = INSTEAD.get(one.code)
        said.setdefault(name, getattr(own, language.value) if own else one.as_json(language)["detail"])
    return said


def _field_of(pointer: str, form: PostedForm) -> str:
    parts = pointer.split("/")[1:]
    if len(parts) > 2 and parts[0] == "services" and parts[1].isdigit():
        chosen = form.all("services[]")
        place = int(parts[1])
        return f"{parts[2]}.{chosen[place]}" if place < len(chosen) and parts[2] == "note" else "services"
    name = name_of(pointer)
    return {"consent.expires_at": "consent.last_day"}.get(name, name)
