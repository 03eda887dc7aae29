"""Whatever happens to a case, a person hears of what waits, in time and once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.api.application import build
from app.domain.caller import Role
from app.domain.clock import SettableClock
from app.main import ROUTERS
from app.storage import api_keys
from app.storage.reference import ReferenceKeeper
from app.storage.sealing import KeyRing
from app.workflows.desk import Terms
from app.workflows.run_clocks import run_due_clocks
from app.workflows.seed import seed
from tests.workflows.conftest import KALTIM, KUKAR, NATIONAL, PPU, RECEIVER, Service, a_referral, amend, denied, of


async def because(service: Service, agency: str) -> list[str]:
    return [why for _, data in await service.news(agency) for why in data.get("because", [])]


@asynccontextmanager
async def served_with(
    sessions: async_sessionmaker[AsyncSession], key_ring: KeyRing, clock: SettableClock, terms: Terms
) -> AsyncIterator[Service]:
    async with sessions.begin() as tx:
        await seed(tx, clock())
    keeper = ReferenceKeeper()
    api = build(ROUTERS, sessions=sessions, key_ring=key_ring, reference=keeper, clock=clock, terms=terms)
    async with AsyncExitStack() as stack:

        async def connect(agency: str) -> httpx.AsyncClient:
            secret = api_keys.new_secret(tuple(Role))
            async with sessions.begin() as tx:
                await api_keys.add(tx, secret=secret, agency_code=agency, roles=tuple(Role), label="", expires_at=None)
            transport = httpx.ASGITransport(app=api, raise_app_exceptions=False)
            headers = {"Authorization": f"Bearer {secret}"}
            client = httpx.AsyncClient(transport=transport, base_url="http://lintas.test", headers=headers)
            return await stack.enter_async_context(client)

        yield Service(sessions, keeper, key_ring, clock, terms, connect)


async def test_one_referral_whose_clock_cannot_run_keeps_nobody_elses_clock_from_running(service: Service) -> None:
    broken = await service.submit(a_referral(urgency="urgent"))
    service.clock.advance(timedelta(seconds=1))
    sound = await service.submit(a_referral(urgency="urgent"))
    async with service.sessions.begin() as tx:
        await tx.execute(text("UPDATE facts SET body = '{}' WHERE referral_id = :id"), {"id": broken["id"]})

    service.clock.advance(timedelta(hours=25))
    for _ in range(3):  # as `repeat` does: log, and again
        with suppress(Exception):
            await run_due_clocks(service.sessions, service.keeper, service.key_ring, service.terms, service.clock)

    assert (await service.read(PPU, f"/handoffs/{of(sound)['handoff']['id']}"))["state"] == "expired"


async def test_an_offer_that_becomes_an_emergency_by_amendment_tells_its_coordinator_at_once(service: Service) -> None:
    referral = await service.submit(a_referral(services=[{"type": "health_service"}]))
    before = len(await service.news(KUKAR))

    await amend(service, referral["id"], urgency="emergency")

    told = await service.news(KUKAR)
    assert [data["because"] for _, data in told[before:] if "emergency" in data.get("because", [])] != []


async def test_an_offer_that_becomes_an_emergency_is_reported_if_it_is_not_delivered_in_five_minutes(
    service: Service,
) -> None:
    referral = await service.submit(a_referral(services=[{"type": "health_service"}]))

    await amend(service, referral["id"], urgency="emergency")
    await service.after(timedelta(minutes=5))

    assert "offer_undelivered" in await because(service, KUKAR)


async def test_amending_what_waits_unacknowledged_does_not_put_off_the_wider_coordinator(service: Service) -> None:
    referral = await service.submit(denied(urgency="urgent"))
    await service.after(timedelta(hours=3, minutes=50))

    await amend(service, referral["id"], purpose="pendampingan")
    await service.after(timedelta(minutes=10))

    assert "unacknowledged" in await because(service, KALTIM)


async def test_a_coordinator_that_amends_what_it_acknowledged_need_not_acknowledge_it_again(service: Service) -> None:
    referral = await service.submit(denied(urgency="urgent"))
    await service.call(KUKAR, "POST", f"/service-requests/{of(referral)['id']}/acknowledge")

    amended = await amend(service, referral["id"], agency=KUKAR, purpose="pendampingan")

    assert of(amended)["acknowledged_at"] is not None


async def test_when_the_place_becomes_known_the_narrowest_coordinator_is_told(service: Service) -> None:
    referral = await service.submit(denied(locations={}))
    assert of(referral)["coordinators"] == [NATIONAL]

    amended = await amend(service, referral["id"], locations={"current": "64.02.06"})

    assert KUKAR in of(amended)["coordinators"]


async def test_a_coordinator_that_takes_over_a_live_emergency_is_told_of_it(service: Service) -> None:
    referral = await service.submit(a_referral(urgency="emergency", services=[{"type": "health_service"}]))
    assert of(referral)["coordinators"] == [KUKAR]

    amended = await amend(service, referral["id"], conflicts=[KUKAR])

    assert (of(amended)["state"], of(amended)["coordinators"]) == ("offered", [KALTIM])
    assert "emergency" in await because(service, KALTIM)


async def test_a_sender_is_told_when_its_coordinator_cancels_what_was_waiting(service: Service) -> None:
    referral = await service.submit(denied())
    before = len(await service.news(PPU))

    ended = await service.call(KUKAR, "POST", f"/referrals/{referral['id']}/cancel")

    # Either a coordinator may not (design: sender alone), or the sender hears of it.
    assert ended.status_code == 403 or len(await service.news(PPU)) > before


async def test_an_amendment_that_makes_a_service_denied_puts_it_into_the_queue_once(service: Service) -> None:
    body = denied()
    body["case"]["perpetrator_in_household"] = False
    referral = await service.submit(body)
    assert of(referral)["state"] == "offered"

    await amend(service, referral["id"], case={"perpetrator_in_household": True})

    told = [data for type_, data in await service.news(KUKAR) if type_ == "service_request.needs_coordinator"]
    assert len(told) == 1


async def test_consent_given_again_after_it_was_withdrawn_lets_the_case_move_and_be_seen(service: Service) -> None:
    referral = await service.submit()
    await service.call(PPU, "POST", f"/referrals/{referral['id']}/consent/withdraw")

    amended = await amend(service, referral["id"], consent={"basis": "victim", "given_at": "2025-03-04T08:30:00+08:00"})

    handoff = of(amended)["handoff"]
    assert handoff["state"] == "offered"
    assert (await service.read(handoff["agency"], f"/handoffs/{handoff['id']}"))["case"] is not None


async def test_a_request_that_nobody_coordinates_can_be_taken_by_the_operator_who_sees_it(service: Service) -> None:
    referral = await service.submit(denied(conflicts=[KUKAR, KALTIM, NATIONAL]))
    assert of(referral)["coordinators"] == []
    request_id = of(referral)["id"]
    listed = await service.read("lpsk", "/service-requests?status=needs_coordinator")
    assert [line["id"] for line in listed["items"]] == [request_id]

    seen = await service.call("lpsk", "GET", f"/service-requests/{request_id}")
    taken = await service.call("lpsk", "POST", f"/service-requests/{request_id}/acknowledge")

    assert (seen.status_code, taken.status_code) == (200, 200)


async def test_a_fallback_that_was_named_later_is_told_of_what_already_waits(service: Service) -> None:
    referral = await service.submit(denied(urgency="urgent", conflicts=[KUKAR, KALTIM, NATIONAL]))
    assert of(referral)["coordinators"] == []
    service.terms = Terms(fallback_coordinator="otorita-ikn")

    await service.after(timedelta(hours=4))

    assert "unacknowledged" in await because(service, "otorita-ikn")


async def test_a_fallback_that_is_not_in_the_registry_loses_no_referral(
    sessions: async_sessionmaker[AsyncSession], key_ring: KeyRing, clock: SettableClock
) -> None:
    async with served_with(sessions, key_ring, clock, Terms(fallback_coordinator="otorita-ikm")) as service:
        body = denied(conflicts=[KUKAR, KALTIM, NATIONAL])

        answer = await service.call(PPU, "POST", "/referrals", json=body)

    assert answer.status_code == 201


async def test_a_fallback_named_in_the_case_later_coordinates_it_no_more(
    sessions: async_sessionmaker[AsyncSession], key_ring: KeyRing, clock: SettableClock
) -> None:
    async with served_with(sessions, key_ring, clock, Terms(fallback_coordinator="otorita-ikn")) as service:
        referral = await service.submit(denied(conflicts=[KUKAR, KALTIM, NATIONAL]))
        assert of(referral)["coordinators"] == ["otorita-ikn"]

        await amend(service, referral["id"], conflicts=[KUKAR, KALTIM, NATIONAL, "otorita-ikn"])
        seen = await service.call("otorita-ikn", "GET", f"/referrals/{referral['id']}")

    assert seen.status_code == 404


async def test_two_changes_of_the_registry_at_once_both_succeed(service: Service) -> None:
    codes = ["uptd-ppa-ppu", "uptd-ppa-kukar", "uptd-ppa-balikpapan", "uptd-ppa-samarinda"]
    tags = {code: (await service.call(code, "GET", f"/agencies/{code}")).headers["ETag"] for code in codes}

    async def change(code: str) -> int:
        answer = await service.call(
            code,
            "PUT",
            f"/agencies/{code}/services/legal_service",
            json={"area": ["64"], "available": False},
            headers={"If-Match": tags[code]},
        )
        return answer.status_code

    answers = await asyncio.gather(*map(change, codes))

    assert answers == [200] * 4


async def test_a_cancelled_referral_does_not_come_back_when_an_earlier_cancellation_lapses(service: Service) -> None:
    referral = await service.submit()
    handoff_id = of(referral)["handoff"]["id"]
    await service.act(RECEIVER, handoff_id, "accept")
    await service.act(PPU, handoff_id, "request-cancel", reason="wrong_agency")
    await service.call(PPU, "POST", f"/referrals/{referral['id']}/cancel")

    await service.act(RECEIVER, handoff_id, "confirm-cancel")

    assert (await service.read(PPU, f"/referrals/{referral['id']}"))["state"] == "cancelled"


async def test_in_a_transfer_the_case_returns_to_its_sender_when_its_holder_hands_everything_back(
    service: Service,
) -> None:
    referral = await service.submit(a_referral(mode="transfer"))
    handoff_id = of(referral)["handoff"]["id"]
    await service.act(RECEIVER, handoff_id, "accept")

    await service.act(RECEIVER, handoff_id, "hand-back", reason="no_capacity")

    assert (await service.read(PPU, f"/referrals/{referral['id']}"))["holder"] == PPU


async def test_work_left_by_a_receiver_in_conflict_reaches_the_wider_coordinator_when_nobody_takes_notice(
    service: Service,
) -> None:
    referral = await service.submit(a_referral(urgency="urgent"))
    handoff_id = of(referral)["handoff"]["id"]
    await service.act(RECEIVER, handoff_id, "accept")
    await service.act(RECEIVER, handoff_id, "start")
    await amend(service, referral["id"], conflicts=[RECEIVER])

    await service.after(timedelta(hours=4))

    assert await service.news(KALTIM) != []


async def test_a_sender_is_told_when_its_coordinator_voids_what_was_waiting(service: Service) -> None:
    referral = await service.submit(denied())

    await service.call(KUKAR, "POST", f"/referrals/{referral['id']}/void")

    for agency in (PPU, KUKAR):
        type_, data = (await service.news(agency))[-1]
        assert (type_, data["reason"]) == ("service_request.cancelled", "entered_in_error")


async def test_what_an_offer_that_becomes_an_emergency_still_has_to_send_goes_first_and_now(service: Service) -> None:
    referral = await service.submit(a_referral(services=[{"type": "health_service"}]))
    async with service.sessions.begin() as tx:
        receiver = (await tx.execute(text("SELECT agency_code FROM handoffs"))).scalar_one()
    async with service.sessions.begin() as tx:
        endpoint_id = (
            await tx.execute(
                text(
                    "INSERT INTO endpoints (id, agency_code, url, state, created_at) VALUES"
                    " (gen_random_uuid(), :agency, 'http://127.0.0.1:9/', 'active', now()) RETURNING id"
                ),
                {"agency": receiver},
            )
        ).scalar_one()
        await tx.execute(
            text(
                "INSERT INTO deliveries (id, event_id, endpoint_id, state, due_at, attempts, created_at)"
                " SELECT gen_random_uuid(), id, :endpoint, 'due', now() + interval '10 hours', 5, now()"
                " FROM events WHERE agency_code = :agency AND type = 'handoff.offered'"
            ),
            {"endpoint": endpoint_id, "agency": receiver},
        )

    await amend(service, referral["id"], urgency="emergency")

    async with service.sessions.begin() as tx:
        found = await tx.execute(text("SELECT goes_first, due_at <= now() AS due FROM deliveries"))
        assert {(row.goes_first, row.due) for row in found} == {(True, True)}
