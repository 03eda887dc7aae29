"""How codes are said to people, in Indonesian and English."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from app.domain.clauses import Basis
from app.domain.durations import clock_time, working_days
from app.domain.regions import COUNTRY, NATION, Regions, is_country
from app.domain.registry import Registry
from app.domain.vocabulary import Sex, Urgency, Vocabulary


@dataclass(frozen=True, slots=True)
class Text:
    """The same in both languages."""

    id: str
    en: str

    @classmethod
    def same(cls, text: str) -> Text:
        """Take a name or code that no language changes."""
        return cls(text, text)

    def __add__(self, other: Text) -> Text:
        return Text(self.id + other.id, self.en + other.en)

    def said(self, language: str) -> str:
        """Return one of the languages."""
        return self.id if language == "id" else self.en

    def to_json(self) -> dict[str, str]:
        """Write both."""
        return {"id": self.id, "en": self.en}


def joined(texts: Iterable[Text], indonesian: str = "dan", english: str = "and") -> Text:
    """Put several in a row, the last after an and."""
    texts = list(texts)
    return Text(_row([text.id for text in texts], indonesian), _row([text.en for text in texts], english))


def _row(words: list[str], last: str) -> str:
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


LOCATIONS = {
    Basis.INCIDENT: Text("tempat kejadian", "the place of the incident"),
    Basis.DOMICILE: Text("domisili korban", "the victim's domicile"),
    Basis.CURRENT: Text("tempat korban berada", "where the victim is now"),
}
KINDS = {
    "office": Text("dinas", "office"),
    "uptd_ppa": Text("UPTD PPA", "UPTD PPA"),
    "intake_point": Text("tempat pengaduan", "intake point"),
    "hospital": Text("rumah sakit", "hospital"),
    "police": Text("kepolisian", "police"),
    "social_affairs": Text("dinas sosial", "social affairs"),
    "legal_aid": Text("lembaga bantuan hukum", "legal aid"),
    "migrant_protection": Text("pelindungan pekerja migran", "migrant protection"),
    "witness_protection": Text("perlindungan saksi dan korban", "witness protection"),
    "national_hotline": Text("layanan telepon nasional", "national hotline"),
    "authority": Text("otorita", "authority"),
}
"""What the kinds of agency are called; the code sets name them by their codes alone."""
_SEXES = {Sex.FEMALE: Text("perempuan", "female"), Sex.MALE: Text("laki-laki", "male")}


@dataclass(frozen=True, slots=True)
class Wording:
    """Says codes by their labels and names; a code that is not known stands for itself."""

    registry: Registry
    vocabulary: Vocabulary
    regions: Regions

    def service(self, code: str) -> Text:
        """Say a service type."""
        term = self.vocabulary.service_types.get(code)
        return Text(term.id, term.en) if term else Text.same(code)

    def case_type(self, code: str) -> Text:
        """Say a case type."""
        term = self.vocabulary.case_types.get(code)
        return Text(term.id, term.en) if term else Text.same(code)

    def kind(self, code: str) -> Text:
        """Say a kind of agency."""
        if code in KINDS:
            return KINDS[code]
        term = self.vocabulary.agency_kinds.get(code)
        return Text(term.id, term.en) if term else Text.same(code)

    def urgency(self, code: Urgency) -> Text:
        """Say an urgency."""
        term = self.vocabulary.urgencies.get(code)
        return Text(term.id, term.en) if term else Text.same(code.value)

    def agency(self, code: str) -> str:
        """Say an agency by its name and code."""
        agency = self.registry.agencies.get(code)
        return f"{agency.name} ({code})" if agency else code

    def region(self, code: str) -> Text:
        """Say a region by its name and code."""
        if code == NATION:
            return Text("seluruh Indonesia", "all of Indonesia")
        if is_country(code):
            return Text.same(code.removeprefix(COUNTRY))
        region = self.regions.by_code.get(code)
        return Text.same(f"{region.name} ({code})" if region else code)

    def sexes(self, codes: Collection[Sex]) -> Text:
        """Say one sex, or both."""
        return joined((_SEXES[sex] for sex in Sex if sex in codes), "atau", "or")


def lowered(text: Text) -> Text:
    """Begin with a small letter, as within a sentence; abbreviations keep theirs."""
    return Text(_small(text.id), _small(text.en))


def _small(text: str) -> str:
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def capital(text: Text) -> Text:
    """Begin with a capital letter, as a sentence does."""
    return Text(text.id[:1].upper() + text.id[1:], text.en[:1].upper() + text.en[1:])


def ages(age_from: int | None, age_below: int | None) -> Text | None:
    """Say an age range in whole years; None if it asks nothing."""
    if age_from is not None and age_below is not None:
        return Text(
            f"berusia {age_from} sampai di bawah {age_below} tahun", f"aged {age_from} to under {age_below} years"
        )
    if age_from is not None:
        return Text(f"berusia {age_from} tahun ke atas", f"aged {age_from} or older")
    if age_below is not None:
        return Text(f"berusia di bawah {age_below} tahun", f"aged under {age_below}")
    return None


def duration(written: str) -> Text:
    """Say a time limit."""
    days = working_days(written)
    if days is not None:
        return Text(f"{days} hari kerja", _counted(days, "working day"))
    length = clock_time(written)
    if length is None:
        return Text.same(written)
    hours, minutes = divmod(int(length.total_seconds()) // 60, 60)
    if not minutes and written.endswith("D"):
        return Text(f"{hours // 24} hari", _counted(hours // 24, "day"))
    parts = [(hours, "jam", "hour"), (minutes, "menit", "minute")]
    said = [(count, indonesian, english) for count, indonesian, english in parts if count]
    return Text(
        " ".join(f"{count} {indonesian}" for count, indonesian, _ in said),
        " ".join(_counted(count, english) for count, _, english in said),
    )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
