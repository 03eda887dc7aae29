"""What the codes of a ground mean, in Indonesian and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GROUNDS: Mapping[str, tuple[str, str]] = {
    "consent": ("Kasus diteruskan atas dasar persetujuan.", "The case moves on consent."),
    "vital_interest": (
        "Keadaan darurat tanpa persetujuan: hanya data penyelamat nyawa yang dibuka, dan hal ini harus dikonfirmasi.",
        "An emergency without consent: only the minimum that saves a life is disclosed, and it must be confirmed.",
    ),
    "none": (
        "Tidak ada dasar untuk meneruskan layanan ini; koordinator yang menindaklanjuti.",
        "There is no ground to pass this service on; a coordinator sees to it.",
    ),
}
BASES: Mapping[str, tuple[str, str]] = {
    "victim": ("Persetujuan diberikan oleh korban.", "The victim gave the consent."),
    "guardian": ("Persetujuan diberikan oleh orang tua atau wali.", "A parent or guardian gave the consent."),
    "child_best_interest": (
        "Kepentingan terbaik bagi anak menjadi dasar penerusan.",
        "It rests on the best interest of the child.",
    ),
    "legal_duty": ("Kewajiban hukum menjadi dasar penerusan.", "It rests on a legal duty."),
}
BECAUSE: Mapping[str, tuple[str, str]] = {
    "withdrawn": ("Persetujuan telah dicabut.", "The consent was taken back."),
    "expired": ("Masa berlaku persetujuan telah berakhir.", "The consent has come to its end."),
    "unconfirmed": (
        "Kepentingan vital tidak dikonfirmasi sampai batas waktunya.",
        "Nobody confirmed the vital interest in time.",
    ),
    "not_given": ("Persetujuan tidak ada.", "There is no consent."),
    "service_refused": ("Layanan ini ditolak oleh korban.", "The victim refuses this service."),
    "service_not_covered": ("Persetujuan tidak mencakup layanan ini.", "The consent does not cover this service."),
    "child_alone": (
        "Persetujuan anak sendiri belum cukup; diperlukan orang tua, wali, atau kepentingan terbaik bagi anak.",
        "A child's own word is not enough: it takes a parent, a guardian, or the best interest of the child.",
    ),
    "guardian_excluded": (
        "Wali adalah pelaku atau berbenturan kepentingan: persetujuannya tidak berlaku dan ia tidak boleh dihubungi.",
        "The guardian is the perpetrator or in conflict: their consent is none, and nobody may contact them.",
    ),
    "not_a_child": ("Korban bukan anak.", "The victim is not a child."),
    "age_unknown": (
        "Usia korban tidak diketahui: jika ia anak, persetujuannya sendiri belum cukup.",
        "The victim's age is not known: if she is a child, her own consent is not enough.",
    ),
}


def ground_sentences(ground: Mapping[str, Any]) -> list[dict[str, str]]:
    """Say a kept ground, sentence by sentence, in both languages."""
    said = [GROUNDS[ground["kind"]]]
    if ground["kind"] == "consent" and ground["basis"] in BASES:
        said.append(BASES[ground["basis"]])
    said += [BECAUSE[code] for code in ground["because"] if code in BECAUSE]
    return [{"id": indonesian, "en": english} for indonesian, english in said]
