"""Endpoints over HTTP: what is shown once, who may do what, and what is never said."""

import base64
from typing import Any

import httpx
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from sqlalchemy import text

from app.domain.caller import Role
from app.storage import api_keys, challenges
from app.storage.tables import endpoints as endpoints_table
from tests.delivery.certificates import Authority
from tests.workflows.conftest import KUKAR, NATIONAL, PPU, Service

URL = "https://agency.example/lintas"
AUTHORITY = Authority()
TOKEN = "kanari-token"


async def register(service: Service, agency: str = PPU, **more: Any) -> dict[str, Any]:
    answer = await service.call(agency, "POST", "/endpoints", json={"url": URL, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def challenge_of(service: Service, endpoint_id: str) -> str:
    """Work out what was posted to an endpoint."""
    async with service.sessions.begin() as tx:
        row = (await tx.execute(endpoints_table.select().where(endpoints_table.c.id == endpoint_id))).one()
    return challenges.challenge_of(service.key_ring, endpoint_id=row.id, event_id=row.challenge_id, url=row.url)


async def without_operator(service: Service, agency: str) -> httpx.AsyncClient:
    """Speak as an agency that has every role but the operator's."""
    roles = tuple(role for role in Role if role is not Role.OPERATOR)
    secret = api_keys.new_secret(roles)
    async with service.sessions.begin() as tx:
        await api_keys.add(tx, secret=secret, agency_code=agency, roles=roles, label="", expires_at=None)
    client = await service.as_agency(agency)
    return httpx.AsyncClient(
        transport=client._transport, base_url="http://lintas.test", headers={"Authorization": f"Bearer {secret}"}
    )


def faults(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(one["pointer"], one["code"]) for one in answer.json()["errors"]]


async def test_an_endpoint_is_registered_proven_and_shown_without_its_secret(service: Service) -> None:
    made = await register(service, headers=[{"name": "X-Token", "value": TOKEN}])
    path = f"/endpoints/{made['id']}"

    answer = await service.call(
        PPU, "POST", f"{path}/verify", json={"challenge": await challenge_of(service, made["id"])}
    )
    shown = await service.call(PPU, "GET", path)
    listed = await service.read(PPU, "/endpoints")

    assert made["state"] == "unverified"
    assert made["secret"].startswith("whsec_")
    assert made["public_key"] is None
    assert (answer.status_code, answer.json()["state"]) == (200, "active")
    assert answer.headers["ETag"] == shown.headers["ETag"] == '"v2"'
    assert listed["items"] == [shown.json()]
    assert shown.json()["headers"] == ["X-Token"]
    assert [one["scheme"] for one in shown.json()["secrets"]] == ["hmac_sha256"]
    for later in (answer, shown):
        assert made["secret"] not in later.text
        assert TOKEN not in later.text


async def test_a_wrong_challenge_is_a_fault_in_both_languages(service: Service) -> None:
    made = await register(service)
    path = f"/endpoints/{made['id']}/verify"

    indonesian = await service.call(PPU, "POST", path, json={"challenge": "kanari"})
    english = await service.call(PPU, "POST", path, json={"challenge": "kanari"}, headers={"Accept-Language": "en"})

    assert indonesian.status_code == english.status_code == 422
    assert faults(english) == [("/challenge", "challenge_wrong")]
    assert "tantangan" in indonesian.json()["errors"][0]["detail"]
    assert "not the challenge" in english.json()["errors"][0]["detail"]
    assert "kanari" not in indonesian.text + english.text


async def test_every_fault_of_what_an_endpoint_carries_is_named_and_no_value_repeated(service: Service) -> None:
    body = {
        "url": URL,
        "headers": [
            {"name": "Host", "value": "kanari"},
            {"name": "X-Kanari\r\nEvil", "value": "1"},
            {"name": "X-A", "value": "kanari\r\nEvil: 1"},
        ],
        "tls": {"client_certificate": "kanari", "ca": "kanari"},
    }

    answer = await service.call(PPU, "POST", "/endpoints", json=body, headers={"Accept-Language": "en"})

    assert answer.status_code == 422
    assert faults(answer) == [
        ("/headers/0/name", "header_reserved"),
        ("/headers/1/name", "header_name"),
        ("/headers/2/value", "header_value"),
        ("/tls/client_certificate", "certificate_unreadable"),
        ("/tls/ca", "certificate_unreadable"),
        ("/tls/client_key", "required"),
    ]
    assert "kanari" not in answer.text.lower()
    assert (await service.read(PPU, "/endpoints"))["items"] == []


async def test_a_repeated_registration_and_rotation_give_the_first_answer_again(service: Service) -> None:
    client = await service.as_agency(PPU)
    first = await client.post("/v1/endpoints", json={"url": URL}, headers={"Idempotency-Key": "register"})
    again = await client.post("/v1/endpoints", json={"url": URL}, headers={"Idempotency-Key": "register"})
    path = f"/v1/endpoints/{first.json()['id']}/rotate-secret"
    rotated = await client.post(path, json={}, headers={"Idempotency-Key": "rotate"})
    rotated_again = await client.post(path, json={}, headers={"Idempotency-Key": "rotate"})

    assert first.json() == again.json()
    assert rotated.json() == rotated_again.json()
    assert rotated.json()["secret"] != first.json()["secret"]
    assert len((await service.read(PPU, "/endpoints"))["items"][0]["secrets"]) == 2
    async with service.sessions.begin() as tx:
        kept = str((await tx.execute(text("SELECT * FROM idempotency_records"))).all())
    assert first.json()["secret"] not in kept


async def test_how_long_an_old_secret_lives_is_a_duration_within_bounds(service: Service) -> None:
    made = await register(service)
    path = f"/endpoints/{made['id']}/rotate-secret"

    for odd in ("P8D", "P1WD", "24h", "", "PT", "-PT1H", "P1Y"):
        answer = await service.call(PPU, "POST", path, json={"old_valid_for": odd})
        assert (answer.status_code, faults(answer)) == (422, [("/old_valid_for", "secret_life")]), odd
    for good, left in (("PT30M", 2), ("P7D", 3), ("PT0S", 1)):
        answer = await service.call(PPU, "POST", path, json={"old_valid_for": good})
        assert (answer.status_code, len(answer.json()["secrets"])) == (200, left), answer.text
    for _ in range(2):
        await service.call(PPU, "POST", path, json={})
    refused = await service.call(PPU, "POST", path, json={}, headers={"Accept-Language": "en"})
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_secrets")
    assert "PT0S" in refused.json()["detail"]


async def test_public_keys_are_for_anybody_and_may_be_kept_for_a_while(service: Service) -> None:
    made = await register(service, scheme="ed25519")
    rotated = await service.call(PPU, "POST", f"/endpoints/{made['id']}/rotate-secret", json={})
    hmac = await register(service, KUKAR)
    client = await service.as_agency(PPU)
    anybody = httpx.AsyncClient(transport=client._transport, base_url="http://lintas.test")

    answer = await anybody.get(f"/.well-known/webhook-keys/{made['id']}")
    fresh = await anybody.get(
        f"/.well-known/webhook-keys/{made['id']}", headers={"If-None-Match": answer.headers["ETag"]}
    )

    keys = answer.json()["keys"]
    assert made["secret"] is None
    assert [key["public_key"] for key in keys] == [rotated.json()["public_key"], made["public_key"]]
    assert [key["kid"] for key in keys] == [one["id"] for one in rotated.json()["secrets"]]
    assert (keys[0]["kty"], keys[0]["crv"]) == ("OKP", "Ed25519")
    assert base64.urlsafe_b64decode(keys[0]["x"] + "=") == base64.b64decode(keys[0]["public_key"].removeprefix("whpk_"))
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert fresh.status_code == 304
    for none in (hmac["id"], "01a210da-d6e2-7746-9b9b-d83dc9ae42b0", "kanari"):
        missing = await anybody.get(f"/.well-known/webhook-keys/{none}")
        assert missing.status_code == 404
        assert "kanari" not in missing.text


async def test_headers_and_tls_are_set_whole_and_need_the_version_they_are_a_change_of(service: Service) -> None:
    made = await register(service)
    path = f"/endpoints/{made['id']}"
    issued = AUTHORITY.issue("lintas", usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    headers = {"headers": [{"name": "X-Token", "value": TOKEN}]}
    tls = {"client_certificate": issued.certificate, "client_key": issued.key, "ca": AUTHORITY.pem}

    missing = [
        await service.call(PPU, "PUT", f"{path}/{one}", json={"headers": []} if one == "headers" else {})
        for one in ("headers", "tls")
    ]
    set_headers = await service.call(PPU, "PUT", f"{path}/headers", json=headers, headers={"If-Match": '"v1"'})
    stale = await service.call(PPU, "PUT", f"{path}/tls", json=tls, headers={"If-Match": '"v1"'})
    set_tls = await service.call(PPU, "PUT", f"{path}/tls", json=tls, headers={"If-Match": set_headers.headers["ETag"]})
    half = await service.call(PPU, "PUT", f"{path}/tls", json={"client_key": issued.key}, headers={"If-Match": "*"})
    none = await service.call(PPU, "PUT", f"{path}/tls", json={}, headers={"If-Match": "*"})

    assert [answer.status_code for answer in missing] == [428, 428]
    assert (set_headers.status_code, stale.status_code, set_tls.status_code) == (200, 412, 200)
    assert set_headers.json()["headers"] == ["X-Token"]
    shown = set_tls.json()["tls"]
    assert shown["client_certificate"]["subject"] == "CN=lintas"
    assert [one["subject"] for one in shown["ca"]] == ["CN=tests"]
    assert "PRIVATE" not in set_tls.text
    assert faults(half) == [("/client_certificate", "required")]
    assert none.json()["tls"] == {"client_certificate": None, "ca": []}


async def test_a_new_address_waits_for_its_proof_and_comes_without_the_old_hosts_headers(service: Service) -> None:
    made = await register(service, headers=[{"name": "X-Token", "value": TOKEN}])
    path = f"/endpoints/{made['id']}"
    old = await challenge_of(service, made["id"])
    await service.call(PPU, "POST", f"{path}/verify", json={"challenge": old})

    changed = await service.call(PPU, "PUT", path, json={"url": "https://other.example/"}, headers={"If-Match": '"v2"'})
    replayed = await service.call(PPU, "POST", f"{path}/verify", json={"challenge": old})
    proven = await service.call(
        PPU, "POST", f"{path}/verify", json={"challenge": await challenge_of(service, made["id"])}
    )

    assert (changed.json()["state"], changed.json()["headers"]) == ("unverified", [])
    assert replayed.status_code == 422
    assert proven.json()["state"] == "active"
    assert [type_ for type_, _ in await service.news(PPU)] == [
        "endpoint.verification",
        "endpoint.changed",
        "endpoint.verification",
    ]


@pytest.mark.parametrize(
    ("method", "action", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"url": URL}),
        ("PUT", "/headers", {"headers": []}),
        ("PUT", "/tls", {}),
        *(("POST", f"/{action}", None) for action in ("challenge", "ping", "pause", "enable", "disable")),
        ("POST", "/verify", {"challenge": "x"}),
        ("POST", "/rotate-secret", {}),
    ],
)
async def test_anothers_endpoint_is_as_absent_for_every_route(
    service: Service, method: str, action: str, body: Any
) -> None:
    made = await register(service)
    stranger = await without_operator(service, KUKAR)

    for endpoint_id in (made["id"], "01a210da-d6e2-7746-9b9b-d83dc9ae42b0"):
        answer = await stranger.request(
            method, f"/v1/endpoints/{endpoint_id}{action}", json=body, headers={"If-Match": "*"}
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await service.read(PPU, f"/endpoints/{made['id']}"))["state"] == "unverified"


async def test_an_operator_sees_and_stops_any_endpoint_and_an_agency_starts_none_that_was_stopped_so(
    service: Service,
) -> None:
    made = await register(service)
    path = f"/endpoints/{made['id']}"
    await service.call(PPU, "POST", f"{path}/verify", json={"challenge": await challenge_of(service, made["id"])})
    agency = await without_operator(service, PPU)

    listed = await service.read(NATIONAL, f"/endpoints?agency={PPU}")
    stopped = await service.call(NATIONAL, "POST", f"{path}/disable")
    refused = [await agency.post(f"/v1{path}/{action}") for action in ("enable", "pause", "disable")]
    moved = await agency.put(f"/v1{path}", json={"url": "https://other.example/"}, headers={"If-Match": "*"})
    not_theirs = [
        await service.call(NATIONAL, "POST", f"{path}/rotate-secret", json={}),
        await service.call(NATIONAL, "PUT", path, json={"url": URL}, headers={"If-Match": "*"}),
        await service.call(NATIONAL, "POST", f"{path}/ping"),
    ]
    enabled = await service.call(NATIONAL, "POST", f"{path}/enable")

    assert [one["id"] for one in listed["items"]] == [made["id"]]
    assert (stopped.json()["state"], stopped.json()["state_reason"]) == ("disabled", "by_operator")
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(403, "role_required")] * 3
    assert moved.json()["state"] == "disabled"
    assert [answer.status_code for answer in not_theirs] == [404] * 3
    assert enabled.json()["state"] == "unverified", "it moved while it was stopped"
    other = await agency.get(f"/v1/endpoints?agency={KUKAR}")
    assert (other.status_code, other.json()["code"]) == (403, "role_required")


async def test_eleven_addresses_without_proof_are_one_too_many(service: Service) -> None:
    for _ in range(10):
        await register(service)

    answer = await service.call(PPU, "POST", "/endpoints", json={"url": URL})

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_unverified")
    assert len((await service.read(PPU, "/endpoints"))["items"]) == 10
