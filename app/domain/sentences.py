"""What the codes of an explanation mean, in Indonesian and English."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, tuple[str, str]] = {
    # clauses
    "matched": ("Klausul ini berlaku.", "This clause holds."),
    "depends": (
        "Berlaku atau tidaknya klausul ini bergantung pada fakta yang belum diketahui.",
        "Whether this clause holds depends on a fact that is missing.",
    ),
    "unlocated": (
        "Klausul ini belum dapat ditempatkan: lokasi dasarnya tidak diketahui atau terlalu kasar.",
        "This clause cannot be placed: the location it goes by is not known or is too coarse.",
    ),
    "not_matched": ("Klausul ini tidak berlaku.", "This clause does not hold."),
    # parts of a clause
    "covers.domicile": (
        "Domisili korban di luar wilayah yang dicakup dokumen.",
        "The victim's domicile is not one the document covers.",
    ),
    "covers.abroad": (
        "Keberadaan korban di dalam atau luar negeri tidak dicakup dokumen.",
        "The document does not speak of victims who are, or are not, abroad.",
    ),
    "covers.victims": (
        "Korban tidak termasuk kelompok yang dicakup dokumen.",
        "The document is not about this victim.",
    ),
    "when.services": ("Klausul ini tentang layanan lain.", "The clause is about other services."),
    "when.urgency": ("Klausul ini tentang tingkat kedaruratan lain.", "The clause is about another urgency."),
    "when.case_types": ("Klausul ini tentang jenis kasus lain.", "The clause is about other types of case."),
    "when.sexes": (
        "Klausul ini tentang korban berjenis kelamin lain.",
        "The clause is about victims of the other sex.",
    ),
    "when.age_from": ("Korban lebih muda dari batas klausul.", "The victim is younger than the clause asks."),
    "when.age_below": ("Korban tidak lebih muda dari batas klausul.", "The victim is not as young as the clause asks."),
    "when.abroad": (
        "Keberadaan korban di dalam atau luar negeri tidak sesuai dengan klausul.",
        "Whether the victim is abroad is not as the clause asks.",
    ),
    "when.cross_province": (
        "Lintas provinsi atau tidaknya kasus tidak sesuai dengan klausul.",
        "Whether the case crosses provinces is not as the clause asks.",
    ),
    "when.cross_regency": (
        "Lintas kabupaten/kota atau tidaknya kasus tidak sesuai dengan klausul.",
        "Whether the case crosses regencies is not as the clause asks.",
    ),
    "when.perpetrator_in_household": (
        "Serumah atau tidaknya pelaku tidak sesuai dengan klausul.",
        "Whether the perpetrator is in the household is not as the clause asks.",
    ),
    "basis": (
        "Lokasi penentu berada di luar wilayah dokumen.",
        "The deciding region lies outside the document's territory.",
    ),
    # candidates
    "taken": ("Lembaga ini masuk urutan yang akan ditanya.", "This agency is in the chain."),
    "named_before": (
        "Lembaga ini sudah disebut oleh klausul sebelumnya.",
        "This agency was already named by an earlier clause.",
    ),
    "not_in_this_way": (
        "Klausul ini tidak berlaku pada kemungkinan yang paling melindungi korban.",
        "The clause does not hold in the most protective way the facts could turn out.",
    ),
    "unknown_agency": ("Lembaga ini tidak ada dalam daftar.", "This agency is not in the registry."),
    "inactive": ("Lembaga ini tidak aktif.", "This agency is not active."),
    "not_offered": ("Lembaga ini tidak memberikan layanan tersebut.", "This agency does not offer the service."),
    "not_available": ("Layanan di lembaga ini sedang tidak tersedia.", "The service is not available there now."),
    "kind": ("Jenis lembaga ini tidak disebut klausul.", "The clause does not name this kind of agency."),
    "outside_area": (
        "Wilayah layanannya tidak mencakup lokasi penentu.",
        "Its service area does not contain the deciding region.",
    ),
    "limit": ("Batas layanannya sendiri tidak mencakup korban ini.", "The service's own limits leave this victim out."),
    "conflict": ("Lembaga ini disebut dalam kasus.", "This agency is named in the case."),
    "institution_in_conflict": (
        "Lembaga ini bernaung di bawah lembaga yang sama dengan yang disebut dalam kasus.",
        "This agency belongs to the institution of one that is named in the case.",
    ),
    "refused": ("Korban tidak menghendaki lembaga ini.", "The victim does not want this agency."),
    "not_consented": (
        "Persetujuan tidak mencakup lembaga ini.",
        "The consent does not name this agency.",
    ),
    "avoided_region": (
        "Lembaga ini berada di wilayah yang tidak aman bagi korban.",
        "This agency is at home where the victim is not safe.",
    ),
    "tried": (
        "Lembaga ini sudah ditanya atau tidak dapat menerima.",
        "This agency was already asked, or said it cannot.",
    ),
    "capacity_unknown": (
        "Ketersediaan layanan di lembaga ini sudah lama tidak dikonfirmasi, jadi tidak diketahui.",
        "Nobody has confirmed for as long as the agency's own limit that it can: its capacity is not known.",
    ),
    # overlays
    "ikn.wholly_or_partly": (
        "Lokasi ini seluruhnya atau sebagian berada di Ibu Kota Nusantara; penentuan tujuan rujukan tidak berubah.",
        "This location lies wholly or partly in Ibu Kota Nusantara; where the referral goes does not change.",
    ),
    "ikn.outside": (
        "Lokasi ini di luar Ibu Kota Nusantara, meskipun kecamatannya sebagian berada di dalamnya.",
        "This location lies outside Ibu Kota Nusantara, though a part of its district is in it.",
    ),
    # results
    "offered": (
        "Layanan ditawarkan kepada lembaga pertama dalam urutan.",
        "The head of the chain is offered the service.",
    ),
    "denied": ("Layanan ini dilarang oleh suatu klausul.", "A clause denies the service."),
    "no_consent": ("Tidak ada persetujuan dan bukan keadaan darurat.", "There is no consent and no emergency."),
    "undetermined": (
        "Fakta yang belum diketahui menentukan hasilnya.",
        "Facts that are missing would change the result.",
    ),
    "ambiguous": (
        "Klausul yang setingkat menunjuk lembaga yang berbeda.",
        "Clauses of one level name different agencies first.",
    ),
    "chain_exhausted": ("Semua lembaga yang mungkin sudah ditanya.", "Everyone who could be asked was asked."),
    "unroutable": ("Tidak ada klausul yang menunjuk lembaga.", "No clause names an agency."),
}


def sentence(code: str) -> dict[str, str]:
    """Return what a code means, in both languages."""
    indonesian, english = SENTENCES[code]
    return {"id": indonesian, "en": english}
