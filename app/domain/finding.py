"""What a check found in a document: how much it weighs, which clauses it names, and a referral that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.domain.wording import Text

Witness = Mapping[str, object]
"""A case as the case files write it, which `lintas route` decides."""


class Severity(StrEnum):
    """Whether a finding keeps a document from being published."""

    REFUSE = "refuse"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know of a document before it is published."""

    code: str
    severity: Severity
    clauses: tuple[str, ...]
    """The clauses it is about, as document/key; empty: the document as a whole."""
    message_id: str
    message_en: str
    witness: Witness | None = None

    def to_json(self) -> dict[str, object]:
        """Write the finding for machines."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "clauses": list(self.clauses),
            "message_id": self.message_id,
            "message_en": self.message_en,
            "witness": self.witness,
        }


_SENTENCES: Mapping[str, tuple[Severity, str, str]] = {
    "unknown_agency": (
        Severity.REFUSE,
        "Lembaga {agency} tidak ada dalam daftar.",
        "Agency {agency} is not in the registry.",
    ),
    "unknown_code": (
        Severity.REFUSE,
        "Kode {unknown} tidak dikenal ({of}).",
        "The code {unknown} is not known ({of}).",
    ),
    "unknown_region": (
        Severity.REFUSE,
        "Wilayah {region} tidak ada dalam daftar nasional.",
        "Region {region} is not in the national list.",
    ),
    "never_matches": (
        Severity.REFUSE,
        "Klausul ini tidak mungkin berlaku: {why}.",
        "This clause can never match: {why}.",
    ),
    "ambiguous": (
        Severity.REFUSE,
        (
            "Dua klausul setingkat dapat berlaku untuk satu rujukan {service} dan menunjuk lembaga berbeda: "
            "{one} dan {other}."
        ),
        "Two clauses of one rank can match one referral for {service} and name different agencies: {one} and {other}.",
    ),
    "ambiguous_later": (
        Severity.REFUSE,
        (
            "Dua klausul setingkat dapat berlaku untuk satu rujukan {service}; bila {refused} tidak dapat menerima, "
            "keduanya menunjuk lembaga berbeda: {one} dan {other}."
        ),
        (
            "Two clauses of one rank can match one referral for {service}; once {refused} cannot take it, they name "
            "different agencies: {one} and {other}."
        ),
    ),
    "ambiguous_with_another": (
        Severity.REPORT,
        (
            "Klausul ini dan klausul setingkat dari dokumen lain dapat berlaku untuk satu rujukan {service} dan "
            "menunjuk lembaga berbeda: {one} dan {other}."
        ),
        (
            "This clause and one of the same level in another document can match one referral for {service} and name "
            "different agencies: {one} and {other}."
        ),
    ),
    "more_conflicts": (
        Severity.REFUSE,
        "Masih ada pertentangan lain; yang ditampilkan hanya {count} yang pertama.",
        "There are more such conflicts; only the first {count} are shown.",
    ),
    "in_the_past": (
        Severity.REFUSE,
        "Versi pengganti tidak boleh mulai berlaku di masa lalu ({day}).",
        "A successor may not begin in the past ({day}).",
    ),
    "confirmed_in_the_future": (
        Severity.REFUSE,
        "Konfirmasi ini bertanggal di masa depan ({day}): yang belum terjadi bukan konfirmasi.",
        "This confirmation is dated in the future ({day}): what has not happened confirms nothing.",
    ),
    "version_not_next": (
        Severity.REFUSE,
        "Versi {version} tidak dapat diterbitkan: yang berikutnya adalah {next}.",
        "Version {version} cannot be published: the next one is {next}.",
    ),
    "inactive_agency": (Severity.REPORT, "Lembaga {agency} tidak aktif.", "Agency {agency} is not active."),
    "names_nobody": (
        Severity.REPORT,
        "Klausul ini tidak menunjuk siapa pun untuk layanan mana pun: tidak ada lembaga yang memberikannya.",
        "This clause names nobody for any service: no agency that it looks for offers one.",
    ),
    "shadowed": (
        Severity.REPORT,
        "Klausul ini tidak pernah menentukan: setiap kali berlaku, {by} lebih dahulu menunjuk lembaga yang sama.",
        "This clause never decides: whenever it matches, {by} names the same agencies before it.",
    ),
    "shadowed_together": (
        Severity.REPORT,
        (
            "Klausul ini tidak pernah menentukan: setiap kali berlaku, salah satu dari {by} lebih dahulu menunjuk "
            "lembaga yang sama atau melarang layanannya."
        ),
        (
            "This clause never decides: whenever it matches, one of {by} names the same agencies before it or denies "
            "the service."
        ),
    ),
    "shadows_not_searched": (
        Severity.REPORT,
        (
            "Untuk {count} klausul tidak ditelusuri sampai selesai apakah beberapa klausul lain bersama-sama selalu "
            "mendahuluinya: kombinasinya terlalu banyak."
        ),
        (
            "For {count} clauses it was not searched to the end whether several others together always come before "
            "them: there are too many combinations."
        ),
    ),
    "denied_always": (
        Severity.REPORT,
        "Klausul ini tidak pernah menentukan: setiap kali berlaku, {by} melarang layanannya.",
        "This clause never decides: whenever it matches, {by} denies the service.",
    ),
    "retired_region": (
        Severity.REPORT,
        "{region} tidak ada lagi dalam daftar wilayah yang berlaku; klausul ini masih menyebutnya.",
        "{region} is no longer in the list of regions in force; these clauses still go by it.",
    ),
    "capacity_unknown": (
        Severity.REPORT,
        (
            "Ketersediaan {service} di {agency} tidak diketahui: terakhir dikonfirmasi {day}, padahal itu berlaku "
            "{days} hari. Lembaga ini tetap ditawari."
        ),
        (
            "Whether {agency} can take {service} is not known: it was last confirmed on {day}, which counts for "
            "{days} days. It is offered it all the same."
        ),
    ),
    "capacity_never_confirmed": (
        Severity.REPORT,
        (
            "Ketersediaan {service} di {agency} tidak diketahui: belum pernah dikonfirmasi, padahal konfirmasi berlaku "
            "{days} hari. Lembaga ini tetap ditawari."
        ),
        (
            "Whether {agency} can take {service} is not known: nobody ever confirmed it, though that would count for "
            "{days} days only. It is offered it all the same."
        ),
    ),
    "nobody_offers": (
        Severity.REPORT,
        "Tidak ada lembaga di wilayah dokumen ini yang memberikan {service}.",
        "No agency in the territory of this document offers {service}.",
    ),
    "gap": (
        Severity.REPORT,
        "{service} di {region} ({group}) berakhir pada koordinator karena tidak ada aturan yang menunjuk siapa pun.",
        "{service} in {region} ({group}) ends at the coordinator for want of a rule that names anybody.",
    ),
    "not_confirmed": (
        Severity.REPORT,
        "Belum dikonfirmasi para pihak: {source}",
        "Not yet confirmed by the parties: {source}",
    ),
}

CODES: Mapping[str, Severity] = {code: severity for code, (severity, _, _) in _SENTENCES.items()}


def finding(code: str, *clauses: str, witness: Witness | None = None, **words: Text | str | int) -> Finding:
    """Say a finding in both languages."""
    severity, indonesian, english = _SENTENCES[code]
    said = {name: word if isinstance(word, Text) else Text.same(str(word)) for name, word in words.items()}
    message_id = indonesian.format(**{name: word.id for name, word in said.items()})
    message_en = english.format(**{name: word.en for name, word in said.items()})
    return Finding(code, severity, clauses, message_id, message_en, witness)
