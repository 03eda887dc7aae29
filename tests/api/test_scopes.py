"""A credential may be narrowed to some of what its roles may do, and is then held to it."""

import httpx
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from app.api.scope_table import scopes_of_roles
from app.api.scopes import scope_of
from app.cli import cli
from app.commands.running import CannotGoOn
from app.domain.caller import Role
from app.main import ROUTERS
from app.storage.tables import audit
from tests.api.notes import Sessions, router
from tests.conftest import ClientFactory, KeyFactory
from tests.workflows.conftest import RECEIVER, Service


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v1/handoffs", "handoffs:read"),
        ("GET", "/v1/handoffs/{handoff_id}", "handoffs:read"),
        ("GET", "/v1/reference/code-sets", "reference:read"),
        ("GET", "/v1/endpoints/{endpoint_id}/deliveries", "endpoints:read-deliveries"),
        ("GET", "/v1/referrals/{referral_id}/export", "referrals:read-export"),
        ("PUT", "/v1/endpoints/{endpoint_id}/headers", "endpoints:change-headers"),
        ("POST", "/v1/referrals", "referrals:create"),
        ("POST", "/v1/handoffs/{handoff_id}/hand-back", "handoffs:hand-back"),
        ("POST", "/v1/referrals/{referral_id}/consent/withdraw", "referrals:withdraw-consent"),
        ("POST", "/v1/routing/preview", "routing:preview"),
        ("PUT", "/v1/agencies/{code}", "agencies:change"),
        ("PUT", "/v1/agencies/{code}/services/{service_type}", "agencies:change-services"),
        ("DELETE", "/v1/agreements/{id}/versions/{version}", "agreements:delete-versions"),
    ],
)
def test_a_scope_is_named_as_the_address_names_it(method: str, path: str, scope: str) -> None:
    assert scope_of(method, path) == scope


async def test_a_key_without_scopes_may_do_all_that_its_roles_may(a_client: ClientFactory, a_key: KeyFactory) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER))

    assert (await client.get("/v1/notes")).status_code == 200
    assert (await write(client)).status_code == 201


async def test_a_narrowed_key_is_told_which_scope_it_needs(
    a_client: ClientFactory, a_key: KeyFactory, sessions: Sessions
) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER, scopes=frozenset({"notes:read"})))

    refused = await write(client)

    assert (await client.get("/v1/notes")).status_code == 200
    assert refused.status_code == 403
    assert (refused.json()["code"], refused.json()["scope"]) == ("scope_required", "notes:create")
    assert refused.headers["WWW-Authenticate"].endswith('error="insufficient_scope", scope="notes:create"')
    async with sessions.begin() as tx:
        results = (await tx.scalars(select(audit.c.result).where(audit.c.action == "write_note"))).all()
    assert results == ["scope_required"]


async def test_a_scope_gives_nothing_that_the_role_does_not(a_client: ClientFactory, a_key: KeyFactory) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.RECEIVER, scopes=frozenset({"notes:create"})))

    refused = await write(client)

    assert (refused.status_code, refused.json()["code"]) == (403, "role_required")
    assert (await client.get("/v1/notes")).json().get("code") == "scope_required"


async def test_an_empty_list_of_scopes_is_not_all_of_them(a_client: ClientFactory, a_key: KeyFactory) -> None:
    client = await a_client(router, key=await a_key("dp3a-kukar", Role.SENDER, scopes=frozenset()))

    assert (await client.get("/v1/notes")).status_code == 403


async def test_a_handoff_offers_only_the_actions_that_the_key_may_take(service: Service, a_key: KeyFactory) -> None:
    referral = await service.submit()
    path = f"/v1/handoffs/{referral['service_requests'][0]['handoff']['id']}"
    key = await a_key(RECEIVER, Role.RECEIVER, scopes=frozenset({"handoffs:read", "handoffs:decline"}))
    client = await service.as_agency(RECEIVER)

    all_of_them = (await client.get(path)).json()["available_actions"]
    shown = (await client.get(path, headers={"Authorization": f"Bearer {key}"})).json()["available_actions"]

    assert {"accept", "decline"} <= set(all_of_them)
    assert shown == ["decline"]

    assert (await service.act(RECEIVER, path.rpartition("/")[2], "accept")).status_code == 200
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "a"}
    late = await client.post(f"{path}/decline", json={"reason": "no_capacity"}, headers=headers)
    assert (late.status_code, late.json()["available_actions"]) == (409, [])


async def test_the_contract_names_the_scope_of_every_operation(service: Service) -> None:
    client = await service.as_agency(RECEIVER)
    document = (await client.get("/openapi.json")).json()

    schemes = document["components"]["securitySchemes"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path.startswith("/v1/"):
                assert operation["security"] == [{scheme: [scope_of(method.upper(), path)]} for scheme in schemes]
            else:
                assert operation["security"] == [], "who asks needs no key, and the contract says so"
    assert document["paths"]["/v1/handoffs/{handoff_id}/accept"]["post"]["security"][0] == {"key": ["handoffs:accept"]}


def test_each_role_has_scopes_of_its_own() -> None:
    held = scopes_of_roles(ROUTERS)

    assert "handoffs:accept" in held[Role.RECEIVER]
    assert "handoffs:accept" not in held[Role.SENDER]
    assert "referrals:create" in held[Role.SENDER]
    assert "agreements:publish" in held[Role.OPERATOR] - held[Role.COORDINATOR]
    assert all("events:read" in scopes for scopes in held.values())


def test_a_key_is_not_made_with_a_scope_that_its_roles_have_no_use_for() -> None:
    for scope in ("handoffs:acept", "agreements:publish"):
        run = CliRunner().invoke(
            cli, ["keys", "create", "--agency", "dp3a-kukar", "--role", "receiver", "--scope", scope]
        )

        assert isinstance(run.exception, CannotGoOn)
        assert scope in str(run.exception)
    listed = CliRunner().invoke(cli, ["keys", "scopes"])
    assert "handoffs:accept" in listed.stdout


async def write(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post("/v1/notes", json={"text": "hello"}, headers={"Idempotency-Key": "a"})
