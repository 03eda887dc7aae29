"""What happens to referrals is counted once it is committed, and never anything of a person."""

from contextlib import suppress
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app import metrics
from app.storage.after_commit import after_commit
from app.storage.signals import look
from tests.watching.numbers import value
from tests.workflows.conftest import KUKAR, PPU, RECEIVER, Service, a_referral, denied, of


async def counted(service: Service) -> dict[tuple[str, ...], float]:
    async with service.sessions.begin() as tx:
        samples = await look(tx, now=service.clock(), real_now=service.clock())
    return {(sample.name, *sample.labels): sample.value for sample in samples}


async def test_a_referral_its_decision_its_offer_and_its_acceptance_are_each_counted_once(service: Service) -> None:
    received = value("lintas_referrals_received_total", urgency="urgent")
    decided = value("lintas_decisions_total", outcome="offered", reason="")
    offered = value("lintas_handoff_news_total", news="offered", urgency="urgent")
    first = value("lintas_first_offer_seconds_count", urgency="urgent")
    taken = value("lintas_acceptance_seconds_count", urgency="urgent")
    waited = value("lintas_acceptance_seconds_sum", urgency="urgent")

    referral = await service.submit(a_referral(urgency="urgent"))
    service.clock.advance(timedelta(minutes=7))
    answer = await service.act(RECEIVER, of(referral)["handoff"]["id"], "accept")

    assert answer.status_code == 200, answer.text
    assert value("lintas_referrals_received_total", urgency="urgent") == received + 1
    assert value("lintas_decisions_total", outcome="offered", reason="") == decided + 1
    assert value("lintas_handoff_news_total", news="offered", urgency="urgent") == offered + 1
    assert value("lintas_first_offer_seconds_count", urgency="urgent") == first + 1
    assert value("lintas_acceptance_seconds_count", urgency="urgent") == taken + 1
    assert value("lintas_acceptance_seconds_sum", urgency="urgent") == waited + 7 * 60


async def test_a_decision_that_needs_a_coordinator_is_counted_with_its_reason(service: Service) -> None:
    before = value("lintas_decisions_total", outcome="needs_coordinator", reason="denied")

    await service.submit(denied())

    assert value("lintas_decisions_total", outcome="needs_coordinator", reason="denied") == before + 1


async def test_an_offer_that_expires_is_counted(service: Service) -> None:
    before = value("lintas_handoff_news_total", news="expired", urgency="urgent")
    await service.submit(a_referral(urgency="urgent"))

    await service.after(timedelta(hours=25))

    assert value("lintas_handoff_news_total", news="expired", urgency="urgent") >= before + 1


async def test_a_referral_that_is_refused_is_not_counted(service: Service) -> None:
    body = a_referral()
    await service.submit(body)
    before = value("lintas_referrals_received_total", urgency="standard")

    answer = await service.call(PPU, "POST", "/referrals", json=body)

    assert answer.status_code == 409
    assert value("lintas_referrals_received_total", urgency="standard") == before


async def test_what_is_rolled_back_is_not_counted(sessions: async_sessionmaker[AsyncSession]) -> None:
    done: list[str] = []

    async with sessions() as session:
        await session.connection()
        after_commit(session, lambda: done.append("rolled back"))
        await session.rollback()
        await session.connection()
        after_commit(session, lambda: done.append("committed"))
        assert done == []
        await session.commit()
    with suppress(LookupError):
        async with sessions.begin() as session:
            await session.connection()
            after_commit(session, lambda: done.append("broken"))
            raise LookupError

    assert done == ["committed"]


async def test_an_emergency_that_nobody_has_taken_shows_its_age_until_somebody_takes_it(service: Service) -> None:
    referral = await service.submit(a_referral(urgency="emergency"))
    service.clock.advance(timedelta(minutes=20))
    waiting = await counted(service)
    await service.act(RECEIVER, of(referral)["handoff"]["id"], "accept")
    taken = await counted(service)

    assert waiting["lintas_emergencies_without_taker",] == 1
    assert waiting["lintas_emergency_without_taker_age_seconds",] == 20 * 60
    assert waiting["lintas_offers_open", "emergency"] == 1
    assert waiting["lintas_oldest_offer_age_seconds", "emergency"] == 20 * 60
    assert taken["lintas_emergencies_without_taker",] == 0
    assert taken["lintas_emergency_without_taker_age_seconds",] == 0


async def test_the_coordinators_queue_shows_by_age_what_waits_and_whether_it_was_seen(service: Service) -> None:
    seen = await service.submit(denied(urgency="urgent"))
    service.clock.advance(timedelta(hours=2))
    await service.submit(denied(urgency="urgent"))
    before = await counted(service)
    await service.call(KUKAR, "POST", f"/service-requests/{of(seen)['id']}/acknowledge")
    after = await counted(service)

    queue = "lintas_coordinator_queue"
    assert (before[queue, "urgent", "no", "15m_to_4h"], before[queue, "urgent", "no", "under_15m"]) == (1, 1)
    assert before["lintas_oldest_unacknowledged_age_seconds", "urgent"] == 2 * 3600
    assert after[queue, "urgent", "yes", "15m_to_4h"] == 1
    assert after["lintas_oldest_unacknowledged_age_seconds", "urgent"] == 0


async def test_clocks_that_nobody_runs_show_how_late_they_are(service: Service) -> None:
    referral = await service.submit(a_referral(urgency="emergency"))
    respond_by = of(referral)["handoff"]["respond_by"]

    service.clock.advance(timedelta(hours=30))
    late = await counted(service)
    await service.after(timedelta(0))
    run = await counted(service)

    assert respond_by
    assert late["lintas_offers_late", "emergency"] == 1
    assert late["lintas_clock_lag_seconds",] > 3600
    assert run["lintas_offers_late", "emergency"] == 0
    assert run["lintas_clock_lag_seconds",] < 60


async def test_no_label_names_an_agency_a_place_or_a_case(service: Service) -> None:
    referral = await service.submit(a_referral(urgency="emergency"))
    await service.act(RECEIVER, of(referral)["handoff"]["id"], "accept")

    shown = {label for family in metrics.REGISTRY.collect() for sample in family.samples for label in sample.labels}
    values = {v for family in metrics.REGISTRY.collect() for sample in family.samples for v in sample.labels.values()}
    async with service.sessions.begin() as tx:
        samples = await look(tx, now=service.clock(), real_now=service.clock())
    values |= {label for sample in samples for label in sample.labels}

    allowed = {label for told in metrics.DESCRIBED.values() for label in told.labels} | {"le"}
    assert shown <= allowed
    for forbidden in (PPU, KUKAR, RECEIVER, "64.0", referral["id"], of(referral)["id"]):
        assert not any(forbidden in one for one in values), forbidden
