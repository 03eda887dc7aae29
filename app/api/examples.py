"""Requests as an agency's system would send them: the contract shows them, and a test sends them."""

from typing import Any

from pydantic import ConfigDict

REFERRAL: dict[str, Any] = {
    "sender_reference": "2025/03/0017",
    "mode": "referral",
    "urgency": "urgent",
    "case": {
        "types": ["physical"],
        "incident_date": "2025-03-01",
        "place": "household",
        "relation_to_perpetrator": "spouse",
        "perpetrator_in_household": False,
    },
    "locations": {"incident": "64.09.04", "domicile": "64.02.06", "current": "64.02.06"},
    "victim": {
        "alias": "Bunga",
        "age": 31,
        "sex": "female",
        "safe_contact": {"phone": "+62 800 0000 000", "instructions": "Hanya pagi hari; jangan tinggalkan pesan."},
    },
    "services": [{"type": "legal_service", "note": "Memerlukan pendampingan untuk laporan polisi."}],
    "consent": {"basis": "victim", "given_at": "2025-03-03T14:30:00+08:00"},
    "narrative": "Contoh yang dikarang, bukan kejadian nyata.",
}
NOTE: dict[str, Any] = {"note": "Petugas menghubungi besok pagi."}
DECLINE: dict[str, Any] = {"reason": "no_capacity", "note": "Penuh sampai akhir minggu."}
HOLD: dict[str, Any] = {"review_on": "2025-03-14", "note": "Menunggu surat visum."}
COMPLETE: dict[str, Any] = {"outcome": "service_given", "note": "Didampingi sampai laporan selesai."}
FAIL: dict[str, Any] = {"reason": "victim_unreachable"}
KEEP_DUTY: dict[str, Any] = {"document": "baseline-national", "clause": "report-sexual-violence"}
CONFIRMATION: dict[str, Any] = {"because": "victim_unable"}
WITHDRAW: dict[str, Any] = {"reason": "wrong_agency"}


def shows(example: dict[str, Any], **more: Any) -> ConfigDict:
    """Configure a model to show an example in its schema."""
    return ConfigDict(json_schema_extra={"examples": [example], **more})
