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
RIGHTS_ASKED: dict[str, Any] = {"right": "access", "asked_at": "2025-03-03T14:30:00+08:00"}
RIGHTS_ANSWER: dict[str, Any] = {"outcome": "refused", "refused_because": "not_the_person"}
RESTRICTION: dict[str, Any] = {"reason": "person_asked"}
LEGAL_HOLD: dict[str, Any] = {"reason": "court_proceedings"}
LIFT_HOLD: dict[str, Any] = {"reason": "ended"}
WITHDRAW: dict[str, Any] = {"reason": "wrong_agency"}
ENDPOINT: dict[str, Any] = {
    "url": "https://agency.example/lintas",
    "event_types": ["handoff.offered", "handoff.reminder", "endpoint.failing"],
    "max_in_flight": 4,
    "max_per_minute": 300,
}
NEW_ENDPOINT: dict[str, Any] = ENDPOINT | {
    "scheme": "hmac_sha256",
    "headers": [{"name": "X-Api-Key", "value": "contoh-yang-dikarang"}],
}
PROOF: dict[str, Any] = {"challenge": "zwx5_TCxAXNfuF4VtzHxcIX2PQTXdwojMzPuNuxpwGY"}
ROTATION: dict[str, Any] = {"scheme": "ed25519", "old_valid_for": "PT24H"}
HEADERS: dict[str, Any] = {"headers": NEW_ENDPOINT["headers"]}
KEY_ROTATION: dict[str, Any] = {"old_valid_for": "P7D"}
RECOVER: dict[str, Any] = {"failed": True, "since": "2026-01-05T09:00:00+08:00", "dry_run": True}


def shows(example: dict[str, Any], **more: Any) -> ConfigDict:
    """Configure a model to show an example in its schema."""
    return ConfigDict(json_schema_extra={"examples": [example], **more})
