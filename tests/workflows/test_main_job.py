"""A referral goes in, the right agency is told, and everybody sees what became of it."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from tests.statements import statements
from tests.workflows.conftest import Service, a_referral


async def test_a_referral_goes_in_and_its_handoff_comes_out(service: Service) -> None:
    referral = await service.submit()

    [request] = referral["service_requests"]
    assert request["state"] == "offered"
    assert request["handoff"]["agency"] == "uptd-ppa-ppu"
    assert request["decision"]["clause"] == "legal-at-incident"
    assert request["decision"]["citation"] == {
        "source": "Akupedia, Jul 2024: legal accompaniment; the place of the offence first",
        "confirmed": False,
    }


async def test_the_receiver_sees_no_name_until_it_accepts(service: Service) -> None:
    referral = await service.submit()
    handoff_id = referral["service_requests"][0]["handoff"]["id"]

    before = await service.read("uptd-ppa-ppu", f"/handoffs/{handoff_id}")
    answer = await service.act("uptd-ppa-ppu", handoff_id, "accept")
    accepted = await service.read("uptd-ppa-ppu", f"/handoffs/{handoff_id}")

    assert answer.json()["case"] is None
    assert before["case"]["personal"] == {}
    assert before["case"]["facts"]["locations"]["incident"] == "64.09"
    assert accepted["case"]["personal"]["victim.name"] == "Contoh Seorang"
    assert accepted["case"]["facts"]["locations"]["incident"] == "64.09.04"


async def test_a_declined_offer_goes_to_the_next_agency_in_the_same_moment(service: Service) -> None:
    referral = await service.submit()
    handoff_id = referral["service_requests"][0]["handoff"]["id"]

    declined = await service.act("uptd-ppa-ppu", handoff_id, "decline", reason="no_capacity")

    assert declined.json()["state"] == "declined"
    assert declined.json()["case"] is None
    [request] = (await service.read("dp3ap2kb-ppu", f"/referrals/{referral['id']}"))["service_requests"]
    assert request["handoff"]["agency"] == "uptd-ppa-kukar"
    assert [line["state"] for line in request["earlier_handoffs"]] == ["declined"]


async def test_an_offer_that_nobody_answers_expires_and_goes_on(service: Service) -> None:
    referral = await service.submit(a_referral(urgency="urgent"))

    await service.after(timedelta(hours=24))

    [request] = (await service.read("dp3ap2kb-ppu", f"/referrals/{referral['id']}"))["service_requests"]
    assert [line["state"] for line in request["earlier_handoffs"]] == ["expired"]
    assert request["handoff"]["agency"] == "uptd-ppa-kukar"


async def test_the_sender_is_told_of_every_change(service: Service) -> None:
    referral = await service.submit()
    handoff_id = referral["service_requests"][0]["handoff"]["id"]

    await service.act("uptd-ppa-ppu", handoff_id, "accept")
    await service.act("uptd-ppa-ppu", handoff_id, "start")
    await service.act("uptd-ppa-ppu", handoff_id, "complete", outcome="service_given")

    told = [type_ for type_, _ in await service.news("dp3ap2kb-ppu")]
    assert told == [
        "handoff.offered",
        "handoff.accepted",
        "service_request.accepted",
        "handoff.started",
        "handoff.completed",
        "service_request.fulfilled",
        "referral.closed",
    ]


async def test_nothing_is_stopped_for_a_referral_that_has_only_just_come(service: Service, engine: AsyncEngine) -> None:
    with statements(engine) as did:
        await service.submit()

    assert [one for one in did if one.startswith("DELETE")] == []
