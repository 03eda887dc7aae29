"""A draft becomes law by two operators where the settings ask for it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.domain.caller import Role
from app.domain.proposals import SecondPerson
from app.workflows.desk import Terms
from app.workflows.lapse_proposals import lapse_proposals
from tests.workflows.agreements import ID, a_clause, a_document, path_of
from tests.workflows.conftest import KUKAR, NATIONAL, Service
from tests.workflows.second_person import Person, a_person, age, state_of, steps

PATH = f"/agreements/{ID}/versions/1"


@pytest.fixture
def terms() -> Terms:
    return Terms(second_person=SecondPerson(publishing=True, endpoints=True))


async def an_operator(service: Service, agency: str = NATIONAL) -> Person:
    return await a_person(service, agency, Role.OPERATOR)


async def draft(person: Person, body: dict[str, Any] | None = None, **more: Any) -> None:
    written = body or a_document()
    answer = await person.call("PUT", path_of(written), json=written, **more)
    assert answer.status_code == 200, answer.text


async def status(person: Person) -> str:
    return str((await person.read(PATH))["status"])


async def test_a_draft_becomes_law_once_another_operator_confirms_it(service: Service) -> None:
    first, second = await an_operator(service), await an_operator(service, KUKAR)
    await draft(first)

    proposal = await first.proposes("POST", f"{PATH}/publish")
    before = await status(first)
    own = await first.decide(proposal["id"], "confirm")
    confirmed = await second.decide(proposal["id"], "confirm")

    assert (proposal["what"]["document"], proposal["what"]["version"]) == (ID, 1)
    assert before == "draft"
    assert (own.status_code, own.json()["code"]) == (403, "another_person_required")
    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "confirmed"), confirmed.text
    assert await status(first) == "published"
    assert await steps(service) == ["proposal.make", "proposal.confirm"]


async def test_operators_alone_see_and_decide_what_is_to_be_published(service: Service) -> None:
    first, sender = await an_operator(service), await a_person(service, NATIONAL, Role.SENDER, Role.COORDINATOR)
    await draft(first)
    proposal = await first.proposes("POST", f"{PATH}/publish")

    seen = await sender.call("GET", f"/proposals/{proposal['id']}")
    tried = [await sender.decide(proposal["id"], how) for how in ("confirm", "refuse")]

    assert [answer.status_code for answer in (seen, *tried)] == [404] * 3
    assert (await sender.read("/proposals"))["items"] == []
    assert [one["id"] for one in (await first.read("/proposals"))["items"]] == [proposal["id"]]


async def test_what_would_be_refused_is_refused_at_once_and_not_proposed(service: Service) -> None:
    first = await an_operator(service)
    await draft(first, a_document(a_clause(to={"agency": "nobody-knows-it"}, basis=None)))

    answer = await first.call("POST", f"{PATH}/publish")

    assert (answer.status_code, answer.json()["code"]) == (422, "document_refused")
    assert (await first.read("/proposals"))["items"] == []


async def test_a_draft_that_is_changed_or_withdrawn_outdates_what_was_proposed(service: Service) -> None:
    first, second = await an_operator(service), await an_operator(service)
    await draft(first)
    changed = await first.proposes("POST", f"{PATH}/publish")
    await draft(second, a_document(title={"id": "Lain", "en": "Another"}), headers={"If-Match": "*"})
    withdrawn = await first.proposes("POST", f"{PATH}/publish")
    await first.call("DELETE", PATH, headers={"If-Match": "*"})

    late = [await second.decide(one["id"], "confirm") for one in (changed, withdrawn)]

    assert [(one.status_code, one.json()["current_state"]) for one in late] == [(409, "outdated")] * 2
    assert (await first.call("GET", PATH)).status_code == 404


async def test_a_new_proposal_takes_the_place_of_the_one_before(service: Service) -> None:
    first, second = await an_operator(service), await an_operator(service)
    await draft(first)

    former = await first.proposes("POST", f"{PATH}/publish")
    latter = await second.proposes("POST", f"{PATH}/publish")
    late = await second.decide(former["id"], "confirm")
    confirmed = await first.decide(latter["id"], "confirm")

    assert (late.status_code, late.json()["current_state"]) == (409, "superseded")
    assert confirmed.status_code == 200


async def test_confirmed_twice_and_withdrawn_at_once_it_is_published_once_or_not(service: Service) -> None:
    first, second, third = [await an_operator(service) for _ in range(3)]
    await draft(first)
    proposal = await first.proposes("POST", f"{PATH}/publish")

    answers = await asyncio.gather(
        second.decide(proposal["id"], "confirm"),
        third.decide(proposal["id"], "confirm"),
        first.decide(proposal["id"], "withdraw"),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    (won,) = [answer.json()["state"] for answer in answers if answer.status_code == 200]
    assert {one.json()["current_state"] for one in answers if one.status_code == 409} == {won}
    assert await status(first) == ("published" if won == "confirmed" else "draft")


async def test_confirmed_while_its_draft_is_changed_it_ends_in_one_of_two_ways(service: Service) -> None:
    first, second = await an_operator(service), await an_operator(service)
    await draft(first)
    proposal = await first.proposes("POST", f"{PATH}/publish")
    body = a_document(title={"id": "Lain", "en": "Another"})

    confirmed, changed = await asyncio.gather(
        second.decide(proposal["id"], "confirm"),
        first.call("PUT", PATH, json=body, headers={"If-Match": "*"}),
    )

    outcome = (confirmed.status_code, changed.status_code, await state_of(first, proposal["id"]), await status(first))
    assert outcome in {(200, 409, "confirmed", "published"), (409, 200, "outdated", "draft")} | {
        # Where the draft had gone when the change came to it.
        (200, 412, "confirmed", "published")
    }


async def test_a_proposal_that_nobody_decided_in_time_publishes_nothing(service: Service) -> None:
    first, second = await an_operator(service), await an_operator(service)
    await draft(first)
    proposal = await first.proposes("POST", f"{PATH}/publish")
    await age(service, proposal["id"], timedelta(days=3))

    late = await second.decide(proposal["id"], "confirm")

    assert (late.status_code, late.json()["current_state"]) == (409, "expired")
    assert await lapse_proposals(service.sessions, now=service.clock()) == 1
    assert await status(first) == "draft"
    told = [data["state"] for type_, data in await service.news(NATIONAL) if type_ == "proposal.ended"]
    assert told == ["expired"]
