"""Signing in at the provider: who is let in, and what an attacker may try at each step."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from sqlalchemy import func, select

from app.api.rate_limit import Buckets
from app.domain.access_token import TokenHolder
from app.domain.caller import Role
from app.domain.clock import SettableClock
from app.storage import token_subjects
from app.storage.tables import console_sessions, console_sign_ins
from tests.api.issuers import OTHER_RSA, signed
from tests.api.stopwatch import Stopwatch
from tests.console.conftest import Browser, House, a_console, serve
from tests.console.providers import CLIENT, AccountProvider, a_provider, provider_at
from tests.workflows.conftest import RECEIVER, Service

LIST = "/console/handoffs"
BACK = "/console/sign-in/return"


@dataclass(slots=True)
class Door:
    """A console in earnest, with its provider."""

    house: House
    provider: AccountProvider

    async def goes_out(self, browser: Browser, **fields: Any) -> httpx.Response:
        """Press the button that leads to the provider."""
        return await browser.send(await browser.open("/console/sign-in"), "/console/sign-in/provider", **fields)

    async def comes_back(self, browser: Browser, sent: httpx.Response, **changes: Any) -> httpx.Response:
        """Let the provider sign the person in, and bring its answer back; what is changed to None is left out."""
        _, answer = self.provider.code_for(sent.headers["location"])
        return await browser.open(f"{BACK}?{urlencode(given(answer | changes))}")

    async def sessions(self) -> int:
        """Count who is signed in."""
        async with self.house.service.sessions.begin() as tx:
            return await tx.scalar(select(func.count()).select_from(console_sessions)) or 0


def given(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if value is not None}


@pytest.fixture
async def door(service: Service) -> AsyncIterator[Door]:
    """A console whose people sign in at a provider alone."""
    clock = SettableClock(service.clock())
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(a_provider(clock))
        console = a_console(clock, provider=provider_at(provider.url), links=False)
        yield Door(House(service, serve(service, console), clock, stack), provider)


async def test_who_the_provider_names_is_signed_in_and_led_to_the_page_they_wanted(door: Door) -> None:
    browser = await door.house.browser()
    wanted = await browser.follow(await browser.open(LIST))
    sent = await browser.send(wanted, "/console/sign-in/provider")

    answer = await door.comes_back(browser, sent)

    assert answer.status_code == 303
    assert answer.headers["location"] == LIST
    page = await browser.open(LIST)
    assert page.status_code == 200
    assert "Ibu Rina" in page.text


async def test_a_person_is_asked_for_with_a_code_a_challenge_a_nonce_and_a_state(door: Door) -> None:
    browser = await door.house.browser()

    sent = await door.goes_out(browser)

    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{door.house.service.terms.public_url}{BACK}"
    assert asked["prompt"] == "login"
    kept = browser.client.cookies["__Host-lintas-signing-in"]
    parts = [asked[name] for name in ("state", "nonce", "code_challenge")]
    assert len(set(parts)) == 3
    assert kept not in sent.headers["location"]


async def test_nothing_secret_of_a_sign_in_lies_in_the_database(door: Door) -> None:
    browser = await door.house.browser()
    await door.goes_out(browser)

    async with door.house.service.sessions.begin() as tx:
        (row,) = (await tx.execute(select(console_sign_ins))).all()

    assert browser.client.cookies["__Host-lintas-signing-in"].encode() not in row.hash
    assert len(row.hash) == 32


async def test_the_audit_knows_the_person_as_it_knows_a_bearer_of_the_same_issuers_tokens(door: Door) -> None:
    browser = await door.house.browser()
    await door.comes_back(browser, await door.goes_out(browser))

    async with door.house.service.sessions.begin() as tx:
        (subject,) = await token_subjects.listed(tx, agency_code=RECEIVER)

    roles = frozenset({Role.RECEIVER})
    assert subject.id == TokenHolder(door.provider.url, "account-7", RECEIVER, roles, None, None).id


@pytest.mark.parametrize("state", ["", "x", None, "é"])
async def test_an_answer_with_another_state_signs_nobody_in(door: Door, state: str | None) -> None:
    browser = await door.house.browser()
    sent = await door.goes_out(browser)

    answer = await door.comes_back(browser, sent, state=state)

    assert answer.status_code == 400
    assert await door.sessions() == 0
    assert not door.provider.forms


async def test_an_answer_that_is_brought_to_another_browser_signs_nobody_in(door: Door) -> None:
    attacker, victim = await door.house.browser(), await door.house.browser()
    sent = await door.goes_out(attacker)
    await door.goes_out(victim)

    answers = [await door.comes_back(victim, sent), await door.comes_back(await door.house.browser(), sent)]

    assert [one.status_code for one in answers] == [400, 400]
    assert await door.sessions() == 0


async def test_an_answer_counts_once(door: Door) -> None:
    browser = await door.house.browser()
    sent = await door.goes_out(browser)
    kept = browser.client.cookies["__Host-lintas-signing-in"]
    _, said = door.provider.code_for(sent.headers["location"])
    first = await browser.open(f"{BACK}?{urlencode(said)}")
    browser.client.cookies.set("__Host-lintas-signing-in", kept, domain="lintas.test", path="/")

    again = await browser.open(f"{BACK}?{urlencode(said)}")

    assert (first.status_code, again.status_code) == (303, 400)
    assert len(door.provider.forms) == 1


async def test_a_code_of_another_sign_in_signs_nobody_in(door: Door) -> None:
    attacker, victim = await door.house.browser(), await door.house.browser()
    stolen = door.provider.code_for((await door.goes_out(attacker)).headers["location"])[1]["code"]

    answer = await door.comes_back(victim, await door.goes_out(victim), code=stolen)

    assert answer.status_code == 403
    assert await door.sessions() == 0


async def test_an_answer_that_comes_too_late_signs_nobody_in(door: Door) -> None:
    browser = await door.house.browser()
    sent = await door.goes_out(browser)
    door.house.clock.advance(timedelta(minutes=10))

    answer = await door.comes_back(browser, sent)

    assert answer.status_code == 400


@pytest.mark.parametrize("issuer", ["https://other.example", None, ""])
async def test_an_answer_of_another_provider_never_has_its_code_sent_to_this_one(
    door: Door, issuer: str | None
) -> None:
    browser = await door.house.browser()

    answer = await door.comes_back(browser, await door.goes_out(browser), iss=issuer)

    assert answer.status_code == 403
    assert not door.provider.forms


async def test_a_parameter_that_is_said_twice_is_refused(door: Door) -> None:
    browser = await door.house.browser()
    _, said = door.provider.code_for((await door.goes_out(browser)).headers["location"])

    answer = await browser.open(f"{BACK}?{urlencode(said)}&code=other")

    assert answer.status_code == 403
    assert not door.provider.forms


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "of another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"aud": None},
        {"azp": "another-client"},
        {"iss": "https://other.example"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"iat": 4_102_444_800},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
    ],
)
async def test_an_id_token_that_does_not_answer_this_sign_in_signs_nobody_in(
    door: Door, claims: dict[str, Any]
) -> None:
    door.provider.claims = claims
    browser = await door.house.browser()

    answer = await door.comes_back(browser, await door.goes_out(browser))

    assert answer.status_code == 403
    assert "penyedia akun" in answer.text
    assert await door.sessions() == 0


@pytest.mark.parametrize(
    "header", [{"typ": "at+jwt"}, {"alg": "RS512"}, {"kid": "unknown"}, {"jku": "https://evil.example"}]
)
async def test_an_id_token_whose_header_is_not_as_settled_signs_nobody_in(door: Door, header: dict[str, Any]) -> None:
    door.provider.header = header
    browser = await door.house.browser()

    answer = await door.comes_back(browser, await door.goes_out(browser))

    assert answer.status_code == 403
    assert await door.sessions() == 0


async def test_an_id_token_that_somebody_else_signed_signs_nobody_in(door: Door) -> None:
    forged = signed({"alg": "RS256", "kid": "first", "typ": "JWT"}, {"iss": door.provider.url}, OTHER_RSA)
    door.provider.body = b'{"id_token": "%s"}' % forged.encode()
    browser = await door.house.browser()

    answer = await door.comes_back(browser, await door.goes_out(browser))

    assert answer.status_code == 403
    assert await door.sessions() == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b'{"id_token": 7}', b'{"id_token": "a.b.c"}', b"<html>"])
async def test_an_answer_of_the_token_endpoint_that_is_none_signs_nobody_in(door: Door, body: bytes) -> None:
    door.provider.body = body or b" "
    browser = await door.house.browser()

    answer = await door.comes_back(browser, await door.goes_out(browser))

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"lintas_agency": None},
        {"lintas_agency": "nobody-knows-it"},
        {"lintas_roles": []},
        {"lintas_roles": ["admin"]},
        {"lintas_roles": None},
    ],
)
async def test_an_account_without_an_agency_or_a_role_is_told_to_ask_the_operator(
    door: Door, claims: dict[str, Any]
) -> None:
    door.provider.claims = claims
    browser = await door.house.browser()

    answer = await door.comes_back(browser, await door.goes_out(browser))

    assert answer.status_code == 403
    assert "Hubungi operator" in answer.text
    assert await door.sessions() == 0


async def test_a_person_who_is_revoked_is_not_let_in(door: Door) -> None:
    browser = await door.house.browser()
    await door.comes_back(browser, await door.goes_out(browser))
    async with door.house.service.sessions.begin() as tx:
        (subject,) = await token_subjects.listed(tx, agency_code=RECEIVER)
        await token_subjects.revoke(tx, subject.id)

    answer = await door.comes_back(browser, await door.goes_out(browser))

    assert answer.status_code == 403
    assert (await browser.open(LIST)).status_code == 303


@pytest.mark.parametrize("error", ["access_denied", "server_error", "<script>"])
async def test_what_the_provider_refuses_is_said_and_never_repeated(door: Door, error: str) -> None:
    browser = await door.house.browser()

    answer = await door.comes_back(
        browser, await door.goes_out(browser), code=None, error=error, error_description="<b>x</b>"
    )

    assert answer.status_code == 403
    assert error not in answer.text
    assert "<b>x" not in answer.text


async def test_a_provider_that_is_away_is_a_page_that_says_so(service: Service) -> None:
    clock = SettableClock(service.clock())
    async with AsyncExitStack() as stack:
        async with a_provider(clock) as gone:
            url = gone.url
        console = a_console(clock, provider=provider_at(url), links=False)
        browser = await House(service, serve(service, console), clock, stack).browser()

        answer = await browser.send(await browser.open("/console/sign-in"), "/console/sign-in/provider")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "10"
    assert "tidak menjawab" in answer.text


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_provider_that_breaks_on_the_way_back_is_a_page_that_says_so(door: Door, status: int) -> None:
    door.provider.status = status
    browser = await door.house.browser()

    answer = await door.comes_back(browser, await door.goes_out(browser))

    assert answer.status_code == 503
    assert await door.sessions() == 0


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/v1/referrals", "/console/../docs", "javascript:x"],
)
async def test_signing_in_leads_to_the_console_and_nowhere_else(door: Door, wanted: str) -> None:
    browser = await door.house.browser()
    shown = await browser.open(f"/console/sign-in?{urlencode({'next': wanted})}")
    sent = await browser.send(shown, "/console/sign-in/provider", next=wanted)

    answer = await door.comes_back(browser, sent)

    assert answer.headers["location"] == "/console"
    assert (await browser.open(f"/console/sign-in?{urlencode({'next': wanted})}")).headers["location"] == "/console"


async def test_only_the_sign_in_page_itself_sends_anybody_to_the_provider(door: Door) -> None:
    browser = await door.house.browser()

    answer = await browser.post("/console/sign-in/provider", {}, **{"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert "__Host-lintas-signing-in" not in browser.client.cookies


async def test_signing_out_ends_the_session_at_the_provider_too_where_it_can(door: Door) -> None:
    door.provider.says = {"end_session_endpoint": f"{door.provider.url}/end"}
    browser = await door.house.browser()
    await door.comes_back(browser, await door.goes_out(browser))
    page = await browser.open(LIST)

    answer = await browser.send(page, "/console/sign-out")

    assert answer.headers["location"].startswith(f"{door.provider.url}/end?client_id={CLIENT}")
    assert door.provider.url in page.headers["content-security-policy"]
    assert await door.sessions() == 0


async def test_a_client_whose_provider_takes_no_header_gives_its_secret_in_the_body(door: Door) -> None:
    door.provider.says = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    browser = await door.house.browser()

    answer = await door.comes_back(browser, await door.goes_out(browser))

    assert answer.status_code == 303
    assert door.provider.authorizations == [""]


async def test_no_link_signs_anybody_in_where_there_is_a_provider_alone(door: Door) -> None:
    link = await door.house.link()
    browser = await door.house.browser()

    assert (await browser.open(link)).status_code == 404
    assert (await browser.post(link, {})).status_code == 404
    assert await door.sessions() == 0


async def test_who_fails_again_and_again_is_stopped_by_address_and_nobody_else_is(service: Service) -> None:
    clock = SettableClock(service.clock())
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(a_provider(clock))
        console = a_console(clock, provider=provider_at(provider.url), failures=Buckets(3, Stopwatch()))
        house = House(service, serve(service, console), clock, stack)
        browser, other = await house.browser(address="192.0.2.7"), await house.browser(address="192.0.2.8")

        answers = [(await browser.open(f"{BACK}?state=x&code=x")).status_code for _ in range(4)]
        link = await house.link()

        assert answers == [400, 400, 400, 429]
        assert (await browser.open(link)).status_code == 429
        assert (await other.open(link)).status_code == 200


async def test_who_goes_out_again_and_again_is_stopped_by_address_and_fills_no_table(service: Service) -> None:
    clock = SettableClock(service.clock())
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(a_provider(clock))
        console = a_console(clock, provider=provider_at(provider.url), requests=Buckets(3, Stopwatch()))
        house = House(service, serve(service, console), clock, stack)
        browser, other = await house.browser(address="192.0.2.7"), await house.browser(address="192.0.2.8")

        answers = [await browser.post("/console/sign-in/provider", {}) for _ in range(4)]

        async with service.sessions.begin() as tx:
            waiting = await tx.scalar(select(func.count()).select_from(console_sign_ins))
        assert [one.status_code for one in answers] == [303, 303, 303, 429]
        assert waiting == 3
        assert (await other.post("/console/sign-in/provider", {})).status_code == 303
