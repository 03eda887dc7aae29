"""Whom no working way leads to is seen before anything is offered to them, and told of when the last way is lost."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, update

from app.domain.addresses import Reach
from app.domain.caller import Role
from app.storage import api_keys, ways
from app.storage.tables import console_looks, endpoints, reached_agencies
from app.workflows.desk import Terms
from app.workflows.notice_unreached import notice_unreached
from tests.workflows.conftest import KALTIM, KUKAR, NATIONAL, PPU, RECEIVER, Service, a_referral

URL = "https://agency.example/lintas"
OFFICE = "mailto:kantor@uptd.example"
WEEK = timedelta(days=7)


@pytest.fixture
def terms() -> Terms:
    """An installation that has a mail server."""
    return Terms(reach=Reach(sends_mail=True))


async def register(service: Service, url: str = URL, agency: str = RECEIVER, **values: Any) -> UUID:
    """Register an endpoint as if it had been proven for long."""
    answer = await service.call(agency, "POST", "/endpoints", json={"url": url})
    assert answer.status_code == 201, answer.text
    await put(service, UUID(answer.json()["id"]), state="active", verified_at=func.now(), **values)
    return UUID(answer.json()["id"])


async def put(service: Service, endpoint_id: UUID, **values: Any) -> None:
    async with service.sessions.begin() as tx:
        await tx.execute(update(endpoints).where(endpoints.c.id == endpoint_id).values(values))


async def sign_in(service: Service, agency: str = RECEIVER, *, reaches_for: timedelta = WEEK) -> None:
    async with service.sessions.begin() as tx:
        await ways.seen_in_console(tx, agency, reaches_for=reaches_for)


async def lapse(service: Service) -> None:
    """Have the last sign-in be as long ago as it counts."""
    async with service.sessions.begin() as tx:
        await tx.execute(update(console_looks).values(reaches_until=func.now()))


async def notice(service: Service) -> int:
    return await notice_unreached(service.sessions, now=service.clock(), public_url="https://lintas.example")


async def coordinating(service: Service, agency: str) -> httpx.AsyncClient:
    """Speak as an agency that coordinates, and does nothing else."""
    secret = api_keys.new_secret((Role.COORDINATOR,))
    async with service.sessions.begin() as tx:
        await api_keys.add(tx, secret=secret, agency_code=agency, roles=(Role.COORDINATOR,), label="", expires_at=None)
    client = await service.as_agency(agency)
    return httpx.AsyncClient(
        transport=client._transport, base_url="http://lintas.test", headers={"Authorization": f"Bearer {secret}"}
    )


async def reach_of(service: Service, agency: str = RECEIVER) -> dict[str, Any]:
    listed = await service.read(NATIONAL, "/reach?limit=200")
    (found,) = [one for one in listed["items"] if one["agency"] == agency]
    return dict(found)


async def test_a_coordinator_sees_who_in_its_region_would_hear_of_an_offer_and_by_which_ways(service: Service) -> None:
    await register(service)
    await register(service, OFFICE)
    await sign_in(service)
    client = await coordinating(service, PPU)

    listed = (await client.get("/v1/reach?limit=200")).json()["items"]
    unreached = (await client.get("/v1/reach?reached=false")).json()["items"]
    reached = (await client.get("/v1/reach?reached=true")).json()["items"]

    assert [(one["agency"], one["reached_by"]) for one in reached] == [(RECEIVER, ["webhook", "mail", "console"])]
    assert {one["region"][:5] for one in listed} == {"64.09"}
    assert sorted(one["agency"] for one in (*unreached, *reached)) == [one["agency"] for one in listed]
    assert PPU in {one["agency"] for one in unreached}
    assert "complaint_intake" in reached[0]["services"]


async def test_a_page_of_the_reach_goes_on_where_the_last_one_ended(service: Service) -> None:
    whole = await service.read(NATIONAL, "/reach?reached=false&limit=200")
    first = await service.read(NATIONAL, "/reach?reached=false&limit=3")
    second = await service.read(NATIONAL, f"/reach?reached=false&limit=200&after={first['next']}")

    assert [*first["items"], *second["items"]] == whole["items"]


async def test_who_coordinates_nowhere_sees_nobody(service: Service) -> None:
    client = await coordinating(service, RECEIVER)

    assert (await client.get("/v1/reach")).json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    "broken",
    [
        {"state": "paused"},
        {"state": "unverified"},
        {"state": "disabled"},
        {"state_reason": "failing"},
        {"failing_since": func.now() - timedelta(minutes=5)},
        {"breaker_opened_at": func.now()},
        {"event_types": ["referral.closed"]},
    ],
)
async def test_a_way_that_would_not_bring_an_offer_now_is_not_shown_as_one(
    service: Service, broken: dict[str, Any]
) -> None:
    endpoint = await register(service)
    assert (await reach_of(service))["reached_by"] == ["webhook"]

    await put(service, endpoint, **broken)

    assert (await reach_of(service))["reached_by"] == []


async def test_a_sign_in_to_the_console_counts_as_long_as_the_operator_lets_it(service: Service) -> None:
    await sign_in(service, reaches_for=timedelta(0))
    at_once = await reach_of(service)
    await sign_in(service)
    within = await reach_of(service)
    await lapse(service)
    after = await reach_of(service)

    assert [one["reached_by"] for one in (at_once, within, after)] == [[], ["console"], []]


async def test_no_delivery_is_made_for_who_is_told_in_the_console(service: Service) -> None:
    await sign_in(service)

    referral = await service.submit(a_referral(urgency="emergency"))

    handoff = referral["service_requests"][0]["handoff"]
    listed = await service.read(NATIONAL, f"/endpoints?agency={handoff['agency']}")
    assert listed["items"] == []
    assert "handoff.offered" in [type_ for type_, _ in await service.news(handoff["agency"])]


async def test_a_preview_and_a_decision_remark_on_whom_no_working_way_leads_to(service: Service) -> None:
    body = {name: value for name, value in a_referral().items() if name not in {"sender_reference", "victim"}}
    body |= {"services": ["legal_service"], "victim": {"sex": "female", "age": 31}}

    before = (await service.call(PPU, "POST", "/routing/preview", json=body)).json()
    head = before["explanations"][0]["decision"]["agency"]
    await register(service, OFFICE, head)
    after = (await service.call(PPU, "POST", "/routing/preview", json=body)).json()
    referral = await service.submit()
    decision = await service.read(PPU, f"/decisions/{referral['service_requests'][0]['decision']['id']}")

    chain = {line["agency"] for line in before["explanations"][0]["decision"]["chain"]}
    assert set(before["unreached"]) == chain
    assert set(after["unreached"]) == set(decision["unreached"]) == chain - {head}
    # Whom it is offered to is for the agreements to say, and the same whoever can be told.
    assert before["explanations"] == after["explanations"]


@pytest.mark.parametrize(("urgency", "because"), [("emergency", ["emergency"]), ("standard", [])])
@pytest.mark.parametrize("way", ["none", "mail", "console"])
async def test_an_offer_to_who_cannot_be_told_reaches_the_coordinator_with_it(
    service: Service, urgency: str, because: list[str], way: str
) -> None:
    head = (await service.submit())["service_requests"][0]["handoff"]["agency"]
    if way == "mail":
        await register(service, OFFICE, head)
    if way == "console":
        await sign_in(service, head)

    await service.submit(a_referral(urgency=urgency))

    told = [data["because"] for type_, data in await service.news(KUKAR) if type_ == "handoff.offered"]
    because = because if way != "none" else [*because, "receiver_has_no_working_endpoint"]
    assert told[1:] == ([because] if because else [])


async def test_the_last_way_that_is_lost_is_told_to_the_coordinator_once_and_again_only_after_there_was_one(
    service: Service,
) -> None:
    first, second = await register(service), await register(service, OFFICE)
    assert await notice(service) == 0

    await put(service, first, state="paused")
    still = await notice(service)
    await put(service, second, state="disabled")
    lost = sum(await asyncio.gather(*(notice(service) for _ in range(4))))
    again = await notice(service)
    await put(service, first, state="active")
    back = await notice(service)
    await put(service, first, state="paused")

    assert (still, lost, again, back, await notice(service)) == (0, 1, 0, 0, 1)
    told = [data for type_, data in await service.news(PPU) if type_ == "agency.unreached"]
    assert [data["agency"] for data in told] == [RECEIVER, RECEIVER]
    assert told[0]["url"] == f"https://lintas.example/v1/agencies/{RECEIVER}"
    assert (await reach_of(service))["lost_at"] is not None
    assert not [type_ for type_, _ in await service.news(KUKAR) if type_ == "agency.unreached"]


async def test_who_never_had_a_way_is_no_news(service: Service) -> None:
    assert await notice(service) == 0
    async with service.sessions.begin() as tx:
        assert await tx.scalar(select(func.count()).select_from(reached_agencies)) == 0


async def test_a_breaker_that_opens_for_a_while_is_no_news(service: Service) -> None:
    endpoint = await register(service)
    await notice(service)

    await put(service, endpoint, breaker_opened_at=func.now(), failing_since=func.now())

    assert await notice(service) == 0


async def test_a_coordinator_that_loses_its_own_way_is_the_next_wider_ones_concern(service: Service) -> None:
    endpoint = await register(service, agency=PPU)
    await notice(service)

    await put(service, endpoint, state="paused")

    assert await notice(service) == 1
    assert "agency.unreached" in [type_ for type_, _ in await service.news(KALTIM)]


async def test_offers_that_waited_in_a_console_nobody_looks_into_any_more_become_the_coordinators_concern(
    service: Service,
) -> None:
    head = (await service.submit())["service_requests"][0]["handoff"]["agency"]
    await sign_in(service, head)
    referral = await service.submit()
    await notice(service)

    await lapse(service)
    assert await notice(service) == 1
    await service.after(timedelta(seconds=1))

    handoff = referral["service_requests"][0]["handoff"]["id"]
    overdue = [data for type_, data in await service.news(KUKAR) if type_ == "service_request.overdue"]
    assert (handoff, ["offer_undelivered"]) in [(data["handoff_id"], data["because"]) for data in overdue]


async def test_a_mail_address_is_an_endpoint_by_its_url_and_comes_without_a_secret(service: Service) -> None:
    answer = await service.call(RECEIVER, "POST", "/endpoints", json={"url": OFFICE})
    path = f"/endpoints/{answer.json()['id']}"

    shown = await service.read(RECEIVER, path)
    rotated = await service.call(RECEIVER, "POST", f"{path}/rotate-secret", json={})
    headers = await service.call(RECEIVER, "PUT", f"{path}/headers", json={"headers": []}, headers={"If-Match": "*"})

    assert {name: answer.json()[name] for name in ("channel", "url", "secret", "public_key", "state")} == {
        "channel": "mail",
        "url": OFFICE,
        "secret": None,
        "public_key": None,
        "state": "unverified",
    }
    assert (shown["channel"], shown["secrets"]) == ("mail", [])
    assert [(one.status_code, one.json()["code"]) for one in (rotated, headers)] == [(409, "not_a_webhook")] * 2


@pytest.mark.parametrize("url", ["mailto:a@uptd.example,b@uptd.example", "mailto:a@uptd.example?bcc=kanari@x.example"])
async def test_an_address_that_is_more_than_one_plain_one_is_a_fault_that_repeats_nothing(
    service: Service, url: str
) -> None:
    for language, said in (("id", "bukan satu alamat surel"), ("en", "not one plain mail address")):
        answer = await service.call(
            RECEIVER, "POST", "/endpoints", json={"url": url}, headers={"Accept-Language": language}
        )

        assert answer.status_code == 422
        assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [("/url", "mail_address")]
        assert said in answer.text
        assert "example" not in answer.text.replace("lembaga.example", "").replace("agency.example", "")


async def test_nobody_but_coordinators_and_operators_reads_the_reach(service: Service) -> None:
    roles = (Role.RECEIVER, Role.SENDER)
    secret = api_keys.new_secret(roles)
    async with service.sessions.begin() as tx:
        await api_keys.add(tx, secret=secret, agency_code=RECEIVER, roles=roles, label="", expires_at=None)
    client = await service.as_agency(RECEIVER)

    answer = await client.get("/v1/reach", headers={"Authorization": f"Bearer {secret}"})

    assert (answer.status_code, answer.json()["code"]) == (403, "role_required")
    assert await service.read(NATIONAL, "/reach?limit=1")
