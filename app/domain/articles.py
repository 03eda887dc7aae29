"""A document as the numbered articles its parties would sign or correct, in Indonesian and English."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from app.domain.clauses import Assign, Citation, Clause, Condition, Deny, Duty, Selector, VictimLine, Where
from app.domain.document import Document, DocumentKind
from app.domain.regions import Regions
from app.domain.registry import Registry
from app.domain.vocabulary import Urgency, Vocabulary
from app.domain.wording import LOCATIONS, Text, Wording, ages, capital, duration, joined, lowered

CONFIRMED = Text("sudah dikonfirmasi", "confirmed")
NOT_CONFIRMED = Text("BELUM DIKONFIRMASI", "NOT YET CONFIRMED")
_DUTIES = {
    "report_to_police": Text("melapor kepada kepolisian", "report to the police"),
    "begin_service": Text("memulai layanan", "begin the service"),
}


@dataclass(frozen=True, slots=True)
class Article:
    """One numbered article: a heading and its sentences."""

    number: int
    heading: Text
    sentences: tuple[Text, ...]
    clause: str | None = None
    """The key of the clause it says."""
    is_confirmed: bool | None = None
    """Whether its citation was confirmed; None where nothing is cited."""
    confirmed_by: str | None = None
    confirmed_on: date | None = None

    def to_json(self) -> dict[str, object]:
        """Write the article for machines."""
        return {
            "number": self.number,
            "clause": self.clause,
            "confirmed": self.is_confirmed,
            "confirmed_by": self.confirmed_by,
            "confirmed_on": self.confirmed_on.isoformat() if self.confirmed_on else None,
            "heading": self.heading.to_json(),
            "sentences": [sentence.to_json() for sentence in self.sentences],
        }


def articles(document: Document, registry: Registry, vocabulary: Vocabulary, regions: Regions) -> tuple[Article, ...]:
    """Say a document as articles: what it is, its parties, whom it covers, then a clause an article."""
    writing = _Writing(document, Wording(registry, vocabulary, regions))
    opening = (
        (Text("Dokumen", "The document"), writing.document_itself()),
        (Text("Para pihak dan wilayah", "Parties and territory"), writing.parties()),
        (Text("Siapa yang dicakup", "Whom it covers"), writing.covered()),
    )
    found = [Article(number, heading, tuple(said)) for number, (heading, said) in enumerate(opening, 1)]
    for number, clause in enumerate(writing.in_order(), len(found) + 1):
        heading = Text(f"{_KINDS[type(clause)].id} ({clause.key})", f"{_KINDS[type(clause)].en} ({clause.key})")
        sentences = tuple(map(capital, writing.clause(clause)))
        cited = clause.citation
        found.append(
            Article(number, heading, sentences, clause.key, cited.confirmed, cited.confirmed_by, cited.confirmed_on)
        )
    return tuple(found)


_KINDS: dict[type[Clause], Text] = {
    Assign: Text("Penugasan", "Assignment"),
    Deny: Text("Larangan", "Prohibition"),
    Duty: Text("Kewajiban", "Duty"),
}


def clause_in_words(document: Document, clause: Clause, wording: Wording) -> tuple[Text, ...]:
    """Say one clause of a document: what it does and when, then where it comes from."""
    return tuple(map(capital, _Writing(document, wording).clause(clause)))


@dataclass(frozen=True, slots=True)
class _Writing:
    """Writes one document."""

    own: Document
    say: Wording

    def in_order(self) -> Iterator[Clause]:
        """List prohibitions first, then assignments as they decide, then duties."""
        yield from (clause for clause in self.own.clauses if isinstance(clause, Deny))
        assigning = [clause for clause in self.own.clauses if isinstance(clause, Assign)]
        yield from sorted(assigning, key=lambda clause: (clause.rank, clause.key))
        yield from (clause for clause in self.own.clauses if isinstance(clause, Duty))

    def document_itself(self) -> Iterator[Text]:
        own = self.own
        kind = {
            DocumentKind.AGREEMENT: Text("Perjanjian", "Agreement"),
            DocumentKind.BASELINE: Text("Aturan dasar", "Baseline"),
        }[own.kind]
        yield Text(f"{kind.id}: {own.title_id}.", f"{kind.en}: {own.title_en}.")
        if own.signed_on is not None:
            yield Text(f"Ditandatangani pada {own.signed_on}.", f"Signed on {own.signed_on}.")
        until = own.effective_until
        ends = Text(f" sampai sebelum {until}", f" until before {until}") if until else Text.same("")
        yield Text(
            f"Versi {own.version} berlaku sejak {own.effective_from}{ends.id} (waktu {own.time_zone}).",
            f"Version {own.version} is in force from {own.effective_from}{ends.en} ({own.time_zone} time).",
        )
        yield Text(
            f"Urutan di antara dokumen lain: {own.precedence}; angka yang lebih kecil menentukan lebih dahulu.",
            f"Its place among other documents: {own.precedence}; the lower number decides first.",
        )
        yield (
            Text("Cuti bersama dihitung sebagai hari kerja.", "Joint leave days count as working days.")
            if own.joint_leave_counts
            else Text("Cuti bersama tidak dihitung sebagai hari kerja.", "Joint leave days are not working days.")
        )
        if own.access_after_completion is not None:
            after = duration(own.access_after_completion)
            yield Text(
                f"Lembaga yang menyelesaikan layanan masih dapat melihat kasusnya selama {after.id}.",
                f"The agency that completed a service still sees its case for {after.en}.",
            )

    def parties(self) -> Iterator[Text]:
        for party in self.own.parties:
            territory, name = joined(map(self.say.region, party.territory)), self.say.agency(party.agency)
            yield Text(f"{name}, untuk {territory.id}.", f"{name}, for {territory.en}.")

    def covered(self) -> Iterator[Text]:
        covers = self.own.covers
        if covers.domicile:
            homes = joined(map(self.say.region, covers.domicile), "atau", "or")
            yield Text(f"Korban berdomisili di {homes.id}.", f"The victim's domicile lies in {homes.en}.")
        if covers.victims:
            lines = joined((self._victims(line) for line in covers.victims), "atau", "or")
            yield Text(f"Korban adalah: {lines.id}.", f"The victim is: {lines.en}.")
        if covers.abroad is not None:
            yield _where_abroad(covers.abroad)
        if not (covers.domicile or covers.victims or covers.abroad is not None):
            yield Text("Semua korban.", "Every victim.")
        elif sum(map(bool, (covers.domicile, covers.victims, covers.abroad is not None))) > 1:
            yield Text("Semua syarat ini harus terpenuhi.", "All of these must hold.")

    def _victims(self, line: VictimLine) -> Text:
        parts = []
        if line.sexes:
            parts.append(self.say.sexes(line.sexes))
        aged = ages(line.age_from, line.age_below)
        parts += [aged] if aged is not None else []
        if line.case_types:
            types = joined(self._case_types(line.case_types), "atau", "or")
            parts.append(Text(f"korban kasus {types.id}", f"a victim of {types.en}"))
        return joined(parts, "dan sekaligus", "who is also") if parts else Text("siapa pun", "anybody")

    def clause(self, clause: Clause) -> Iterator[Text]:
        conditions = list(self._when(clause.when))
        when = _listed(conditions)
        services = self._services(clause.when)
        match clause:
            case Deny():
                yield Text(
                    f"{services.id}{when.id} tidak ditawarkan kepada siapa pun; koordinator yang memutuskan.",
                    f"{services.en}{when.en} is offered to nobody; the coordinator decides.",
                )
            case Duty():
                duty, within = _DUTIES.get(clause.duty, Text.same(clause.duty)), duration(clause.within)
                yield Text(
                    f"Siapa pun yang menerima {services.id}{when.id} wajib {duty.id} dalam {within.id} "
                    "sejak rujukan diterima.",
                    f"Whoever takes {services.en}{when.en} must {duty.en} within {within.en} "
                    "of receiving the referral.",
                )
            case Assign():
                yield self._assigned(clause, services + when)
                yield from self._located(clause)
                yield self._respond(clause)
                yield Text(f"Urutan: {clause.rank}.", f"Rank: {clause.rank}.")
        source, cited = clause.citation.source, _confirmation(clause.citation)
        yield Text(f"Dasar: {source} [{cited.id}]", f"Source: {source} [{cited.en}]")

    def _services(self, when: Condition) -> Text:
        if not when.services:
            return Text("setiap layanan", "every service")
        known = [code for code in self.say.vocabulary.service_types if code in when.services]
        return joined((lowered(self.say.service(code)) for code in known or sorted(when.services)), "atau", "or")

    def _case_types(self, codes: frozenset[str]) -> Iterator[Text]:
        return (lowered(self.say.case_type(code)) for code in sorted(codes))

    def _when(self, when: Condition) -> Iterator[Text]:
        if when.urgency:
            urgency = joined((lowered(self.say.urgency(one)) for one in Urgency if one in when.urgency), "atau", "or")
            yield Text(f"tingkat kedaruratan {urgency.id}", f"the urgency is {urgency.en}")
        if when.case_types:
            types = joined(self._case_types(when.case_types), "atau", "or")
            yield Text(f"kasus {types.id}", f"the case is one of {types.en}")
        if when.sexes:
            sexes = self.say.sexes(when.sexes)
            yield Text(f"korban {sexes.id}", f"the victim is {sexes.en}")
        aged = ages(when.age_from, when.age_below)
        if aged is not None:
            yield Text(f"korban {aged.id}", f"the victim is {aged.en}")
        for flag, (yes, no) in zip(
            (when.abroad, when.cross_province, when.cross_regency, when.perpetrator_in_household), _FLAGS, strict=True
        ):
            if flag is not None:
                yield yes if flag else no

    def _assigned(self, clause: Assign, what: Text) -> Text:
        to = self._receiver(clause.to)
        return Text(f"{what.id} ditawarkan kepada {to.id}.", f"{what.en} is offered to {to.en}.")

    def _receiver(self, to: Selector) -> Text:
        if to.where is None:
            return Text.same(self.say.agency(to.agency or ""))
        kinds = joined(map(self.say.kind, to.kinds), "lalu", "then")
        who = Text(f"{kinds.id} ", f"{kinds.en} ") if to.kinds else Text("lembaga ", "agencies ")
        return who + _WHERE[to.where]

    def _located(self, clause: Assign) -> Iterator[Text]:
        if clause.basis:
            places = joined((LOCATIONS[kind] for kind in clause.basis), "lalu", "then")
            yield Text(
                f"Lokasi penentu adalah yang pertama diketahui dari {places.id}, "
                "dan harus berada di wilayah dokumen ini.",
                f"The deciding place is the first known of {places.en}; it must lie in the territory of this document.",
            )

    def _respond(self, clause: Assign) -> Text:
        if clause.respond is not None:
            within = duration(clause.respond)
            return Text(f"Jawaban diberikan dalam {within.id}.", f"It is answered within {within.en}.")
        urgencies = [term for term in self.say.vocabulary.urgencies.values() if _asks(clause.when, term.code)]
        each = [(Text(term.id, term.en), duration(term.respond)) for term in urgencies]
        indonesian = ", ".join(f"{label.id}: {within.id}" for label, within in each)
        english = ", ".join(f"{label.en}: {within.en}" for label, within in each)
        return Text(
            f"Jawaban diberikan sesuai tingkat kedaruratan ({indonesian}).",
            f"It is answered within the time of its urgency ({english}).",
        )


def _confirmation(citation: Citation) -> Text:
    """Say whether a citation was confirmed, and by whom and when where the document says so."""
    if not citation.confirmed:
        return NOT_CONFIRMED
    by, on = citation.confirmed_by, citation.confirmed_on
    said = Text("dikonfirmasi", "confirmed") if by or on else CONFIRMED
    if by is not None:
        said += Text(f" oleh {by}", f" by {by}")
    return said if on is None else said + Text(f" pada {on}", f" on {on}")


def _asks(when: Condition, urgency: Urgency) -> bool:
    return not when.urgency or urgency in when.urgency


def _listed(conditions: Iterable[Text]) -> Text:
    parts = list(conditions)
    if not parts:
        return Text.same("")
    said = joined(parts)
    return Text(f", bila {said.id},", f", where {said.en},")


def _where_abroad(is_abroad: bool) -> Text:
    return (
        Text("Korban berada di luar negeri.", "The victim is abroad.")
        if is_abroad
        else Text("Korban tidak berada di luar negeri.", "The victim is not abroad.")
    )


_FLAGS = (
    (
        Text("korban berada di luar negeri", "the victim is abroad"),
        Text("korban tidak berada di luar negeri", "the victim is not abroad"),
    ),
    (
        Text("kasus lintas provinsi", "the case crosses provinces"),
        Text("kasus tidak lintas provinsi", "the case does not cross provinces"),
    ),
    (
        Text("kasus lintas kabupaten/kota", "the case crosses regencies"),
        Text("kasus tidak lintas kabupaten/kota", "the case does not cross regencies"),
    ),
    (
        Text("pelaku serumah dengan korban", "the perpetrator is in the household"),
        Text("pelaku tidak serumah dengan korban", "the perpetrator is not in the household"),
    ),
)
_WHERE = {
    Where.BASIS: Text(
        "di wilayah dokumen ini yang melayani lokasi penentu",
        "in the territory of this document that serve the deciding place",
    ),
    Where.PARTNER: Text("di wilayah pihak lain", "in the territory of another party"),
    Where.PROVINCE: Text(
        "tingkat provinsi yang melayani lokasi penentu", "at home in the province, serving the deciding place"
    ),
}
