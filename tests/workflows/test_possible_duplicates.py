"""Whoever hands in a person a second time is warned, of their own cases alone, and of nothing that is not theirs."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.storage.tables import identity_hashes
from tests.workflows.conftest import KUKAR, PPU, RECEIVER, Service, a_referral, amend, of

NUMBER = "6402064605900001"


def of_her(name: str = "Siti Aminah", **victim: Any) -> dict[str, Any]:
    return a_referral(victim={"name": name, "sex": "female", "age": 31, **victim})


async def warned(service: Service, agency: str, referral: dict[str, Any]) -> list[str]:
    return list((await service.read(agency, f"/referrals/{referral['id']}"))["possible_duplicate_of"])


async def test_a_first_referral_is_a_duplicate_of_none(service: Service) -> None:
    assert (await service.submit(of_her()))["possible_duplicate_of"] == []


async def test_the_same_name_age_and_regency_warn_in_the_answer_and_whenever_it_is_read(service: Service) -> None:
    first = await service.submit(of_her())

    second = await service.submit(of_her("Hj. Sitti AMINAH, S.Pd."))

    assert second["possible_duplicate_of"] == [first["id"]]
    assert await warned(service, PPU, second) == [first["id"]]
    assert await warned(service, PPU, first) == [second["id"]]


async def test_the_same_identity_number_warns_whatever_else_is_written(service: Service) -> None:
    first = await service.submit(of_her(national_id=NUMBER))

    second = await service.submit(of_her("Aminah Rahman", national_id=NUMBER, age=20))

    assert second["possible_duplicate_of"] == [first["id"]]


async def test_two_people_of_one_name_who_are_of_another_age_warn_of_nothing(service: Service) -> None:
    await service.submit(of_her())

    assert (await service.submit(of_her(age=20)))["possible_duplicate_of"] == []


async def test_nothing_is_merged_or_blocked(service: Service) -> None:
    first, second = await service.submit(of_her()), await service.submit(of_her())

    assert first["id"] != second["id"]
    assert of(second)["handoff"]["state"] == of(first)["handoff"]["state"] == "offered"


async def test_another_agencys_case_is_never_told_of(service: Service) -> None:
    theirs = await service.submit(of_her(national_id=NUMBER), sender=KUKAR)

    ours = await service.submit(of_her(national_id=NUMBER), sender=PPU)

    assert ours["possible_duplicate_of"] == []
    assert await warned(service, KUKAR, theirs) == []


async def test_two_agencies_hashes_of_one_person_have_nothing_in_common(service: Service) -> None:
    await service.submit(of_her(national_id=NUMBER), sender=KUKAR)
    await service.submit(of_her(national_id=NUMBER), sender=PPU)

    async with service.sessions() as tx:
        kept, different = (
            await tx.execute(select(func.count(), func.count(func.distinct(identity_hashes.c.hash))))
        ).one()

    assert kept == different > 0


async def test_a_case_that_an_agency_serves_warns_it_as_its_own_does(service: Service) -> None:
    served = await service.submit(of_her(), sender=PPU)
    before = await service.submit(of_her(), sender=RECEIVER)
    await service.act(RECEIVER, of(served)["handoff"]["id"], "accept")

    assert before["possible_duplicate_of"] == []
    assert await warned(service, RECEIVER, before) == [served["id"]]


async def test_a_case_that_an_agency_left_warns_it_no_more(service: Service) -> None:
    served = await service.submit(of_her(), sender=PPU)
    handoff_id = of(served)["handoff"]["id"]
    own = await service.submit(of_her(), sender=RECEIVER)
    await service.act(RECEIVER, handoff_id, "accept")
    await service.act(RECEIVER, handoff_id, "hand-back", reason="no_capacity")

    assert await warned(service, RECEIVER, own) == []


async def test_a_case_that_is_over_warns_whom_it_served_for_as_long_as_they_see_it(service: Service) -> None:
    served = await service.submit(of_her(), sender=PPU)
    handoff_id = of(served)["handoff"]["id"]
    own = await service.submit(of_her(), sender=RECEIVER)
    await service.act(RECEIVER, handoff_id, "accept")
    await service.act(RECEIVER, handoff_id, "complete", outcome="service_given")

    soon = await warned(service, RECEIVER, own)
    service.clock.advance(service.terms.access_after_completion + timedelta(seconds=1))

    assert (soon, await warned(service, RECEIVER, own)) == ([served["id"]], [])


async def test_a_name_that_is_corrected_warns_by_the_new_one_alone(service: Service) -> None:
    first, other = await service.submit(of_her()), await service.submit(of_her("Rahmawati"))
    second = await service.submit(of_her())

    amended = await amend(service, second["id"], victim={"name": "Rahmawati"})

    assert amended["possible_duplicate_of"] == [other["id"]]
    assert await warned(service, PPU, first) == []


async def test_a_referral_that_was_entered_in_error_warns_nobody(service: Service) -> None:
    first, second = await service.submit(of_her()), await service.submit(of_her())

    answer = await service.call(PPU, "POST", f"/referrals/{first['id']}/void")

    assert answer.status_code == 200
    assert await warned(service, PPU, second) == []


async def test_a_sender_that_is_named_in_a_case_is_not_warned_of_it(service: Service) -> None:
    first, second = await service.submit(of_her()), await service.submit(of_her())
    await amend(service, first["id"], agency=of(first)["coordinators"][0], conflicts=[PPU])

    assert await warned(service, PPU, second) == []


async def test_who_coordinates_alone_is_warned_of_nothing(service: Service) -> None:
    await service.submit(of_her())
    second = await service.submit(of_her())
    coordinator = of(second)["coordinators"][0]

    assert coordinator != PPU
    assert await warned(service, coordinator, second) == []


@pytest.mark.parametrize("name", ["Anonim", "NN"])
async def test_those_without_a_name_are_not_alike(service: Service, name: str) -> None:
    await service.submit(of_her(name))

    assert (await service.submit(of_her(name)))["possible_duplicate_of"] == []


async def test_a_name_that_many_have_warns_of_the_newest_ten(service: Service) -> None:
    before = [(await service.submit(of_her()))["id"] for _ in range(12)]

    assert (await service.submit(of_her()))["possible_duplicate_of"] == before[:1:-1]
