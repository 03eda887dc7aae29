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

AMENDMENT: dict[str, Any] = {
    "victim": {"age": 32},
    "condition": {"physical": "Luka di lengan; sudah ke puskesmas."},
    "locations": {"current": "64.02.06"},
}
PREVIEW: dict[str, Any] = {
    "urgency": "urgent",
    "case": {"types": ["psychological"]},
    "locations": {"current": "64.09.01", "domicile": "64.09.01"},
    "victim": {"sex": "female", "age": 24},
    "services": ["psychological_support", "legal_service"],
    "consent": {"basis": "victim", "given_at": "2025-03-03T14:30:00+08:00"},
}
PLACEMENT: dict[str, Any] = {
    "agency": "uptd-ppa-kaltim",
    "reason": "agreed_by_phone",
    "note": "Sudah dibicarakan dengan petugas piket.",
}
CLOSURE: dict[str, Any] = {"reason": "nobody_able"}
OFFERED_SERVICE: dict[str, Any] = {
    "area": ["64.09"],
    "available": True,
    "confirmed_on": "2025-03-03",
    "valid_for": "P90D",
}
AGENCY: dict[str, Any] = {
    "name": "LBH Contoh Penajam",
    "kind": "legal_aid",
    "region": "64.09",
    "services": {"legal_service": OFFERED_SERVICE},
    "time_zone": "Asia/Makassar",
}
DRAFT: dict[str, Any] = {
    "format": 1,
    "id": "pks-balikpapan-samarinda-2025",
    "version": 1,
    "kind": "agreement",
    "precedence": 100,
    "title": {"id": "Perjanjian Balikpapan - Samarinda", "en": "Agreement Balikpapan - Samarinda"},
    "effective": {"from": "2025-01-01", "until": None},
    "timezone": "Asia/Makassar",
    "parties": [
        {"agency": "uptd-ppa-balikpapan", "territory": ["64.71"]},
        {"agency": "uptd-ppa-samarinda", "territory": ["64.72"]},
    ],
    "covers": {"domicile": ["64.71", "64.72"]},
    "clauses": [
        {
            "key": "legal-at-incident",
            "kind": "assign",
            "cite": {"source": "pasal 5", "confirmed": True},
            "when": {"services": ["legal_service"]},
            "basis": ["incident", "current", "domicile"],
            "to": {"where": "basis", "kinds": ["uptd_ppa"]},
            "rank": 20,
        }
    ],
}
SIMULATION: dict[str, Any] = {"from": "2025-03-01T00:00:00+08:00", "to": "2025-04-01T00:00:00+08:00", "limit": 500}
RECOVER_NOW: dict[str, Any] = {"since": "2025-03-01T00:00:00+08:00", "event_types": ["handoff.offered"]}
# An authority that was made for this example, and whose key nobody has.
TLS: dict[str, Any] = {
    "ca": (
        "-----BEGIN CERTIFICATE-----\n"
        "MIIBLjCB1aADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCUNvbnRvaCBD\n"
        "QTAgFw0yNTAxMDEwMDAwMDBaGA8yMTI0MTIzMTAwMDAwMFowFDESMBAGA1UEAwwJ\n"
        "Q29udG9oIENBMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELndYef2UcaTROLVO\n"
        "fyWDuu+4NOx6PgTmSpFxGqRXWCjAN/X27jiUuGa4IPI2Zvvy2Rgg5nWpnsS9oN7e\n"
        "QrFXRaMWMBQwEgYDVR0TAQH/BAgwBgEB/wIBADAKBggqhkjOPQQDAgNIADBFAiBG\n"
        "QG0kHklzAlFP5LIPY9mw7Sw8O2ptXTwfoCHAnqz1TQIhALK/J6wqtuGBuuYWc5Jt\n"
        "F76AVLYRmhA4ZDT9RkLDlB9b\n"
        "-----END CERTIFICATE-----\n"
    )
}


def shows(*shown: dict[str, Any], **more: Any) -> ConfigDict:
    """Configure a model to show examples in its schema."""
    return ConfigDict(json_schema_extra={"examples": [*shown], **more})
