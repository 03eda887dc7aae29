"""Every operation, and everybody who may not ask for it: refused before anything of the request is looked at."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import func, select, update

from app.api.application import build
from app.api.route import LintasRoute
from app.domain.caller import Role
from app.main import ROUTERS
from app.storage.tables import api_keys, referrals
from tests.api.issuers import TokenIssuer, an_issuer, tokens_of
from tests.conftest import KeyFactory
from tests.workflows.conftest import PPU, Service

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
BODY = b'{"never": "looked at'


def operations() -> Iterator[tuple[str, str, LintasRoute]]:
    """Give the method, an address and the route of every operation that wants a caller."""
    for route in (route for router in ROUTERS for route in router.routes):
        if isinstance(route, LintasRoute):
            (method,) = tuple(route.methods or ())
            path = re.sub(r"\{[a-z_]+_id\}", "00000000-0000-7000-8000-000000000000", route.path)
            path = path.replace("{version}", "1")
            yield method, re.sub(r"\{[a-z_]+\}", "some-code", path), route


@pytest.fixture
async def issuer() -> AsyncIterator[TokenIssuer]:
    """An issuer that signs with an RSA key."""
    async with an_issuer() as found:
        yield found


@pytest.fixture
async def client(service: Service, issuer: TokenIssuer) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole service, which shows nothing of its own."""
    api = build(
        ROUTERS,
        sessions=service.sessions,
        key_ring=service.key_ring,
        reference=service.keeper,
        clock=service.clock,
        terms=service.terms,
        tokens=tokens_of(issuer, scope_claim="scope"),
        real_clock=lambda: NOW,
    )
    transport = httpx.ASGITransport(app=api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://lintas.test") as found:
        yield found


async def ask(client: httpx.AsyncClient, method: str, path: str, secret: str | None) -> tuple[int, str, str | None]:
    headers = (
        {"Idempotency-Key": "a"} if secret is None else {"Idempotency-Key": "a", "Authorization": f"Bearer {secret}"}
    )
    answer = await client.request(method, path, headers=headers, content=None if method == "GET" else BODY)
    said = answer.json()
    return answer.status_code, said["code"], said.get("scope")


async def test_nobody_is_let_in_without_a_key_that_counts(
    client: httpx.AsyncClient, service: Service, issuer: TokenIssuer, a_key: KeyFactory
) -> None:
    revoked, expired = await a_key(PPU, *Role), await a_key(PPU, *Role)
    async with service.sessions.begin() as tx:
        first, second = (await tx.scalars(select(api_keys.c.id).order_by(api_keys.c.id))).all()
        await tx.execute(update(api_keys).where(api_keys.c.id == first).values(revoked_at=func.now()))
        await tx.execute(update(api_keys).where(api_keys.c.id == second).values(expires_at=func.now()))
    nobodies = (
        None,
        "lintas_sender_wrong",
        revoked,
        expired,
        issuer.token(NOW, exp=0),
        issuer.token(NOW, aud="another"),
    )

    for method, path, _ in operations():
        for secret in nobodies:
            assert await ask(client, method, path, secret) == (401, "unauthenticated", None), (method, path)


async def test_only_the_roles_of_an_operation_may_ask_for_it(
    client: httpx.AsyncClient, issuer: TokenIssuer, a_key: KeyFactory
) -> None:
    keys = {role: await a_key(PPU, role) for role in Role}
    tried = 0

    for method, path, route in operations():
        open_to = {role for asked in route.roles for role in asked.roles} or set(Role)
        for role in set(Role) - open_to:
            token = issuer.token(NOW, lintas_agency=PPU, lintas_roles=[role], scope=route.scope)
            for secret in (keys[role], token):
                assert await ask(client, method, path, secret) == (403, "role_required", None), (method, path, role)
                tried += 1

    assert tried > 100


async def test_what_is_narrowed_to_everything_else_is_told_the_one_scope_it_lacks(
    client: httpx.AsyncClient, issuer: TokenIssuer, service: Service, a_key: KeyFactory
) -> None:
    every = frozenset(route.scope for _, _, route in operations())

    for method, path, route in operations():
        others = every - {route.scope}
        key = await a_key(PPU, *Role, scopes=others)
        token = issuer.token(NOW, lintas_agency=PPU, lintas_roles=list(Role), scope=" ".join(sorted(others)))
        for secret in (key, token):
            assert await ask(client, method, path, secret) == (403, "scope_required", route.scope), (method, path)
    async with service.sessions.begin() as tx:
        assert await tx.scalar(select(func.count()).select_from(referrals)) == 0


async def test_the_one_scope_is_enough(client: httpx.AsyncClient, a_key: KeyFactory) -> None:
    for method, path, route in operations():
        key = await a_key(PPU, *Role, scopes=frozenset({route.scope}))
        answer = await client.request(method, path, headers={"Authorization": f"Bearer {key}"})

        assert answer.status_code not in {401, 403, 500}, (method, path, answer.text)
