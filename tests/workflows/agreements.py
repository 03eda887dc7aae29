"""What tests of agreements start from: a third one, between parties elsewhere, and how an operator speaks of it."""

from datetime import date
from typing import Any

import httpx

from tests.workflows.conftest import NATIONAL, Service, a_referral, of

ID = "pks-balikpapan-samarinda-2025"
BALIKPAPAN, SAMARINDA, PROVINCE = "uptd-ppa-balikpapan", "uptd-ppa-samarinda", "uptd-ppa-kaltim"
OPERATOR = NATIONAL


def a_clause(key: str = "legal-at-incident", **changes: Any) -> dict[str, Any]:
    """Legal help where it happened."""
    return {
        "key": key,
        "kind": "assign",
        "cite": {"source": "pasal 5", "confirmed": True},
        "when": {"services": ["legal_service"]},
        "basis": ["incident", "current", "domicile"],
        "to": {"where": "basis", "kinds": ["uptd_ppa"]},
        "rank": 20,
        **changes,
    }


def a_document(*clauses: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An agreement between Balikpapan and Samarinda."""
    return {
        "format": 1,
        "id": ID,
        "version": 1,
        "kind": "agreement",
        "precedence": 100,
        "title": {"id": "Perjanjian Balikpapan - Samarinda", "en": "Agreement Balikpapan - Samarinda"},
        "effective": {"from": "2025-01-01", "until": None},
        "timezone": "Asia/Makassar",
        "parties": [
            {"agency": BALIKPAPAN, "territory": ["64.71"]},
            {"agency": SAMARINDA, "territory": ["64.72"]},
        ],
        "covers": {"domicile": ["64.71", "64.72"]},
        "clauses": list(clauses) or [a_clause()],
        **changes,
    }


def a_successor(*clauses: dict[str, Any], begins: date, version: int = 2, **changes: Any) -> dict[str, Any]:
    """A next version, in force from a day on."""
    effective = {"from": begins.isoformat(), "until": None}
    return a_document(*clauses, version=version, effective=effective, **changes)


def hurt_in_balikpapan(**changes: Any) -> dict[str, Any]:
    """A woman of Samarinda, hurt in Balikpapan and home again, who needs legal help."""
    places = {"incident": "64.71", "domicile": "64.72", "current": "64.72"}
    return a_referral(locations=places, **changes)


async def put(service: Service, body: dict[str, Any], **more: Any) -> httpx.Response:
    """Draft a version."""
    return await service.call(OPERATOR, "PUT", path_of(body), json=body, **more)


async def act(service: Service, body: dict[str, Any], action: str, said: Any = None, **more: Any) -> httpx.Response:
    """Check, simulate or publish a version."""
    return await service.call(OPERATOR, "POST", f"{path_of(body)}/{action}", json=said, **more)


async def publish(service: Service, body: dict[str, Any]) -> dict[str, Any]:
    """Draft a version and make it law."""
    drafted = await put(service, body)
    assert drafted.status_code == 200, drafted.text
    published = await act(service, body, "publish")
    assert published.status_code == 200, published.text
    return dict(published.json())


def path_of(body: dict[str, Any]) -> str:
    """Give the address of a version."""
    return f"/agreements/{body['id']}/versions/{body['version']}"


async def decided(service: Service, **changes: Any) -> tuple[str, str]:
    """Hand in a referral, and say whom it went to by which clause."""
    decision = of(await service.submit(hurt_in_balikpapan(**changes)))["decision"]
    return decision["agency"], f"{decision['document']}/{decision['clause']}"
