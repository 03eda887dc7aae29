"""Every operation, and everybody who may not ask for it: one answer, whether or not there is anything."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.caller import Role
from app.domain.proposals import SecondPerson
from app.storage.tables import api_keys, referrals
from app.workflows.desk import Terms
from tests.api.conftest import TOKEN_TIME
from tests.api.issuers import TokenIssuer
from tests.api.matrix import FOR_ANYBODY, LINES, NOWHERE, address, operations
from tests.api.theirs import STRANGER, everything_of_theirs
from tests.conftest import KeyFactory
from tests.statements import statements
from tests.workflows.conftest import PPU, Service

UNREAD = b'{"never": "looked at'
Things = Mapping[str, str]
Token = Callable[..., str]


@pytest.fixture
def terms() -> Terms:
    """An operator who has a second person confirm where news goes."""
    return Terms(second_person=SecondPerson(endpoints=True))


@pytest.fixture
async def things(service: Service) -> Things:
    """One of everything that an agency can have."""
    return await everything_of_theirs(service)


@pytest.fixture
def token(issuer: TokenIssuer) -> Token:
    """A function that issues a token which holds every scope unless told otherwise."""
    every = " ".join(sorted({route.scope for _, route in operations()}))

    def issue(agency: str = PPU, *roles: Role, scope: str = every, **changes: Any) -> str:
        claims = {"lintas_agency": agency, "lintas_roles": list(roles or Role), "scope": scope, **changes}
        return issuer.token(TOKEN_TIME, **claims)

    return issue


class Asking:
    """Asks for the same at several addresses, and holds that nobody could tell the answers apart."""

    def __init__(self, client: httpx.AsyncClient, engine: AsyncEngine, things: Things) -> None:
        self.client, self.engine, self.things = client, engine, things
        self.met: set[str | None] = set()

    async def __call__(
        self, name: str, secret: str | None, *, theirs: str | None = None, body: Mapping[str, Any] | None = None
    ) -> tuple[int, str, str | None]:
        """Give the status, the code and the scope that were told, at what is there and what is not alike."""
        method, path = name.split()
        if secret not in self.met:
            # A token's subject is written down when it is first met, and the rules are read when first needed.
            await self._once("GET", "/v1/agreements", secret, None)
            self.met.add(secret)
        (first, first_did), (second, second_did) = [
            await self._once(method, address(theirs or path, things), secret, body) for things in (NOWHERE, self.things)
        ]
        assert first.status_code == second.status_code, (name, first.text, second.text)
        assert (first.content, first.headers.multi_items()) == (second.content, second.headers.multi_items()), name
        assert first_did == second_did, name
        said = first.json()
        return first.status_code, said["code"], said.get("scope")

    async def _once(
        self, method: str, path: str, secret: str | None, body: Mapping[str, Any] | None
    ) -> tuple[httpx.Response, list[str]]:
        headers = {"Idempotency-Key": "a", "If-Match": "*", "X-Request-Id": "a" * 32}
        if secret is not None:
            headers["Authorization"] = f"Bearer {secret}"
        sent: dict[str, Any] = {"content": UNREAD} if body is None else {"json": dict(body)}
        with statements(self.engine) as did:
            answer = await self.client.request(method, path, headers=headers, **({} if method == "GET" else sent))
        return answer, did


@pytest.fixture
def ask(nobody: httpx.AsyncClient, engine: AsyncEngine, things: Things) -> Asking:
    """A function that asks for an operation."""
    return Asking(nobody, engine, things)


def test_every_operation_has_its_line_and_is_open_to_the_roles_of_it(whole_api: FastAPI) -> None:
    found = {
        f"{method} {context.path}"
        for context in iter_route_contexts(whole_api.routes)
        for method in (context.methods or set()) - {"HEAD"}
    }

    assert found == LINES.keys() | FOR_ANYBODY
    assert dict(operations()).keys() == LINES.keys()
    for name, route in operations():
        assert ({role for asked in route.roles for role in asked.roles} or set(Role)) == LINES[name].open_to, name


async def test_nobody_is_let_in_without_a_key_that_counts(
    ask: Asking, service: Service, token: Token, a_key: KeyFactory
) -> None:
    revoked, expired = await a_key(PPU, *Role), await a_key(PPU, *Role)
    async with service.sessions.begin() as tx:
        ended = (await tx.scalars(select(api_keys.c.id).order_by(api_keys.c.id.desc()).limit(2))).all()
        for id_, how in zip(sorted(ended), ("revoked_at", "expires_at"), strict=True):
            await tx.execute(update(api_keys).where(api_keys.c.id == id_).values({how: func.now()}))
    nobodies = (
        None,
        "lintas_sender_wrong",
        revoked,
        expired,
        token(exp=0),
        token(aud="another"),
        token("no-agency-of-ours"),
    )

    for name in LINES:
        for secret in nobodies:
            assert await ask(name, secret) == (401, "unauthenticated", None), (name, secret)


async def test_only_the_roles_of_an_operation_may_ask_for_it(ask: Asking, token: Token, a_key: KeyFactory) -> None:
    keys = {role: await a_key(PPU, role) for role in Role}
    tried = 0

    for name, line in LINES.items():
        for role in set(Role) - line.open_to:
            for secret in (keys[role], token(PPU, role)):
                assert await ask(name, secret) == (403, "role_required", None), (name, role)
                tried += 1

    assert tried > 300


async def test_what_is_narrowed_to_everything_else_is_told_the_one_scope_it_lacks(
    ask: Asking, token: Token, service: Service, a_key: KeyFactory
) -> None:
    every = frozenset(route.scope for _, route in operations())
    async with service.sessions.begin() as tx:
        before = await tx.scalar(select(func.sum(referrals.c.version)))

    for name, route in operations():
        others = every - {route.scope}
        for secret in (await a_key(PPU, *Role, scopes=others), token(scope=" ".join(sorted(others)))):
            assert await ask(name, secret) == (403, "scope_required", route.scope), name

    async with service.sessions.begin() as tx:
        assert await tx.scalar(select(func.sum(referrals.c.version))) == before


async def test_the_one_scope_is_enough(nobody: httpx.AsyncClient, a_key: KeyFactory) -> None:
    for name, route in operations():
        method, path = name.split()
        key = await a_key(PPU, *Role, scopes=frozenset({route.scope}))
        answer = await nobody.request(method, address(path, {}), headers={"Authorization": f"Bearer {key}"})

        assert answer.status_code not in {401, 403, 500}, (name, answer.text)


async def test_what_is_another_agency_s_is_answered_as_what_is_not_there(
    ask: Asking, token: Token, a_key: KeyFactory
) -> None:
    keys = {role: await a_key(STRANGER, role) for role in Role}
    tried = 0

    for name, line in LINES.items():
        theirs = line.theirs or (name.split()[1] if "_id}" in name else None)
        if theirs is None:
            continue
        for role in line.strangers:
            for secret in (keys[role], token(STRANGER, role)):
                said = await ask(name, secret, theirs=theirs, body=line.body or {})
                assert said == (*line.refused, None), (name, role)
                tried += 1

    assert tried > 300


async def test_no_list_and_no_count_shows_anything_of_another_agency(
    nobody: httpx.AsyncClient, things: Things, a_key: KeyFactory
) -> None:
    keys = {role: await a_key(STRANGER, role) for role in Role}
    hidden = {value for name, value in things.items() if name.endswith("_id")}

    for name in (one for one in LINES if one.startswith("GET ") and "{" not in one):
        query = {"from": "2025-01", "to": "2025-03"} if "statistics" in name else {}
        query |= {"by": "service_outcome"} if name.endswith("statistics/referrals") else {}
        for role in LINES[name].strangers:
            headers = {"Authorization": f"Bearer {keys[role]}"}
            answer = await nobody.get(name.split()[1], params=query, headers=headers)

            assert answer.status_code == 200, (name, answer.text)
            shown = {one for one in hidden if one in answer.text}
            assert shown <= seen_in_the_list(name, role, things), (name, role)


def seen_in_the_list(name: str, role: Role, things: Things) -> set[str]:
    """Say what lists show by design: an operator sees whose endpoints fail, and what is proposed by which key."""
    if role is Role.OPERATOR and name in {"GET /v1/proposals", "GET /v1/failing-endpoints"}:
        return {things[one] for one in ("proposal_id", "endpoint_id", "key_id")}
    return set()
