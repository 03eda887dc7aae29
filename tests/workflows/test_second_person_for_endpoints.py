"""Where an agency's news goes, and what it is signed and guarded by, takes two people."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from sqlalchemy import text

from app.domain.addresses import Reach
from app.domain.caller import Caller, Role
from app.domain.proposals import Hands, SecondPerson
from app.workflows.desk import Terms
from app.workflows.lapse_proposals import lapse_proposals
from tests.delivery.certificates import Authority
from tests.workflows.conftest import KUKAR, NATIONAL, PPU, Service
from tests.workflows.second_person import OTHER_URL, URL, Person, a_person, age, an_endpoint, state_of, steps

AUTHORITY = Authority()
ANY = {"If-Match": "*"}


@pytest.fixture
def terms() -> Terms:
    return Terms(second_person=SecondPerson(publishing=True, endpoints=True), reach=Reach(sends_mail=True))


async def moves(person: Person, endpoint: dict[str, Any], url: str = OTHER_URL) -> dict[str, Any]:
    return await person.proposes("PUT", f"/endpoints/{endpoint['id']}", json={"url": url}, headers=ANY)


async def test_a_new_endpoint_is_there_once_a_second_person_confirms_it(service: Service) -> None:
    first, second = await a_person(service), await a_person(service)
    body = {"url": URL, "headers": [{"name": "X-Token", "value": "kanari"}], "max_per_minute": 60}

    proposal = await first.proposes("POST", "/endpoints", json=body)
    before = await first.read("/endpoints")
    confirmed = await second.decide(proposal["id"], "confirm")
    (made,) = (await first.read("/endpoints"))["items"]

    assert before["items"] == []
    assert proposal["secret"].startswith("whsec_")
    assert confirmed.json()["state"] == "confirmed"
    assert (made["id"], made["url"], made["state"]) == (proposal["endpoint_id"], URL, "unverified")
    assert (made["headers"], made["max_per_minute"]) == (["X-Token"], 60)
    assert [one["scheme"] for one in made["secrets"]] == ["hmac_sha256"]
    shown = [confirmed.text, str(await second.read(f"/proposals/{proposal['id']}"))]
    assert not any(value in one for one in shown for value in (proposal["secret"], "kanari"))


async def test_a_mail_address_takes_a_second_person_too_and_has_no_secret_to_show(service: Service) -> None:
    first, second = await a_person(service), await a_person(service)

    proposal = await first.proposes("POST", "/endpoints", json={"url": "mailto:kantor@uptd.example"})
    confirmed = await second.decide(proposal["id"], "confirm")
    (made,) = (await first.read("/endpoints"))["items"]

    assert (proposal["secret"], proposal["public_key"]) == (None, None)
    assert confirmed.status_code == 200, confirmed.text
    assert (made["channel"], made["state"], made["secrets"]) == ("mail", "unverified", [])


async def test_a_new_address_counts_once_confirmed_and_the_old_one_is_told_of_both(service: Service) -> None:
    first, second = await a_person(service), await a_person(service)
    endpoint = await an_endpoint(service, first, second)

    proposal = await moves(first, endpoint)
    waiting = await first.read(f"/endpoints/{endpoint['id']}")
    confirmed = await second.decide(proposal["id"], "confirm")
    after = await first.read(f"/endpoints/{endpoint['id']}")

    assert (waiting["url"], waiting["state"]) == (URL, "active")
    assert (proposal["what"]["url"], proposal["what"]["former_url"]) == (OTHER_URL, URL)
    assert confirmed.status_code == 200, confirmed.text
    assert (after["url"], after["state"], after["verified_at"]) == (OTHER_URL, "unverified", None)
    async with service.sessions.begin() as tx:
        told = (
            await tx.execute(
                text(
                    "SELECT e.type, e.data->>'state' AS state, f.endpoint_id IS NOT NULL AS former FROM deliveries d"
                    " JOIN events e ON e.id = d.event_id LEFT JOIN former_addresses f ON f.event_id = e.id"
                    " WHERE d.endpoint_id = :id ORDER BY e.id"
                ),
                {"id": endpoint["id"]},
            )
        ).all()
    # While the old address was the endpoint's own it heard of the proposal, and then of its end.
    assert ("proposal.made", "pending", False) in [tuple(row) for row in told]
    assert ("endpoint.changed", "unverified", True) in [tuple(row) for row in told]


async def test_the_old_address_hears_of_a_proposal_whatever_else_it_wants_to_hear(service: Service) -> None:
    first, second = await a_person(service), await a_person(service)
    endpoint = await an_endpoint(service, first, second)
    path = f"/endpoints/{endpoint['id']}"
    narrowed = await first.call("PUT", path, json={"url": URL, "event_types": ["handoff.offered"]}, headers=ANY)
    assert narrowed.status_code == 200, narrowed.text

    proposal = await moves(first, endpoint)

    deliveries = (await first.read(f"{path}/deliveries"))["items"]
    assert "proposal.made" in [one["type"] for one in deliveries]
    assert proposal["state"] == "pending"


async def test_what_moves_nothing_takes_nobody_else(service: Service) -> None:
    first, second = await a_person(service), await a_person(service)
    endpoint = await an_endpoint(service, first, second)
    path = f"/endpoints/{endpoint['id']}"

    answers = [
        await first.call("PUT", path, json={"url": URL, "max_in_flight": 2}, headers=ANY),
        await first.call("POST", f"{path}/pause"),
        await first.call("POST", f"{path}/enable"),
        await first.call("PUT", f"{path}/headers", json={"headers": []}, headers=ANY),
    ]

    assert [answer.status_code for answer in answers] == [200] * 4


async def test_nobody_confirms_or_refuses_their_own_also_not_with_a_rotated_key(service: Service) -> None:
    first, second = await a_person(service), await a_person(service)
    endpoint = await an_endpoint(service, first, second)
    proposal = await moves(first, endpoint)
    again = await (await first.rotated()).rotated()

    answers = [await one.decide(proposal["id"], how) for one in (first, again) for how in ("confirm", "refuse")]

    assert [answer.status_code for answer in answers] == [403] * 4
    assert {answer.json()["code"] for answer in answers} == {"another_person_required"}
    async with service.sessions.begin() as tx:
        tried = await tx.scalars(text("SELECT subject_id FROM audit WHERE result = 'another_person_required'"))
        assert list(tried) == [proposal["id"]] * 4
    assert await state_of(second, proposal["id"]) == "pending"


@pytest.mark.parametrize(
    ("proposer", "decider", "same"),
    [("siti", "siti", True), ("siti", "budi", False), (None, "budi", True), ("siti", None, True), (None, None, True)],
)
def test_of_two_with_one_key_the_person_tells_who_it_is(
    proposer: str | None, decider: str | None, *, same: bool
) -> None:
    key = Caller(PPU, frozenset({Role.RECEIVER}), uuid4())

    def hands(person: str | None) -> Hands:
        return Hands(key.agency_code, key.key_id, key.holder_id, person)

    assert hands(proposer).same_as(hands(decider)) is same


async def test_strangers_see_nothing_and_an_operator_may_be_the_second_person(service: Service) -> None:
    first, stranger = await a_person(service), await a_person(service, KUKAR)
    operator = await a_person(service, NATIONAL, Role.OPERATOR)
    proposal = await first.proposes("POST", "/endpoints", json={"url": URL})

    seen = await stranger.call("GET", f"/proposals/{proposal['id']}")
    tried = [await stranger.decide(proposal["id"], how) for how in ("confirm", "refuse", "withdraw")]
    listed = await stranger.read("/proposals")
    confirmed = await operator.decide(proposal["id"], "confirm")

    assert (seen.status_code, [one.status_code for one in tried], listed["items"]) == (404, [404] * 3, [])
    assert confirmed.json()["decided_by"]["agency"] == NATIONAL
    assert [one["agency"] for one in (await first.read("/endpoints"))["items"]] == [PPU]


async def test_a_refused_or_withdrawn_proposal_has_ended(service: Service) -> None:
    first, second = await a_person(service), await a_person(service)
    endpoint = await an_endpoint(service, first, second)
    refused, withdrawn = await moves(first, endpoint), None

    answers = [await second.decide(refused["id"], "refuse")]
    withdrawn = await moves(first, endpoint)
    answers += [await second.decide(withdrawn["id"], "withdraw"), await first.decide(withdrawn["id"], "withdraw")]
    late = [await second.decide(one["id"], how) for one in (refused, withdrawn) for how in ("confirm", "refuse")]

    assert [answer.status_code for answer in answers] == [200, 404, 200]
    assert [(one.status_code, one.json()["current_state"]) for one in late] == [
        *[(409, "refused")] * 2,
        *[(409, "withdrawn")] * 2,
    ]
    assert (await first.read(f"/endpoints/{endpoint['id']}"))["url"] == URL


async def test_a_proposal_that_nobody_decided_in_time_has_expired(service: Service) -> None:
    first, second = await a_person(service), await a_person(service)
    endpoint = await an_endpoint(service, first, second)
    proposal = await moves(first, endpoint)
    await age(service, proposal["id"], timedelta(days=3))

    late = await second.decide(proposal["id"], "confirm")
    counts = [await lapse_proposals(service.sessions, now=service.clock()) for _ in range(2)]

    assert (late.status_code, late.json()["current_state"]) == (409, "expired")
    assert counts == [1, 0]
    ended = await second.read(f"/proposals/{proposal['id']}")
    assert (ended["state"], ended["decided_by"]) == ("expired", None)
    assert (await steps(service))[-1] == "proposal.expire"
    news = [data["state"] for type_, data in await service.news(PPU) if type_ == "proposal.ended"]
    assert news[-1] == "expired"


async def test_what_a_revoked_key_proposed_is_withdrawn_with_it(service: Service) -> None:
    thief, second = await a_person(service), await a_person(service)
    proposal = await thief.proposes("POST", "/endpoints", json={"url": URL})
    revoked = await thief.call("POST", f"/keys/{thief.key_id}/revoke")

    late = await second.decide(proposal["id"], "confirm")
    await lapse_proposals(service.sessions, now=service.clock())

    assert revoked.status_code == 200
    assert (late.status_code, late.json()["current_state"]) == (409, "withdrawn")
    assert await state_of(second, proposal["id"]) == "withdrawn"


async def test_a_new_proposal_takes_the_place_of_the_one_before(service: Service) -> None:
    first, second = await a_person(service), await a_person(service)
    endpoint = await an_endpoint(service, first, second)

    former, latter = await moves(first, endpoint), await moves(second, endpoint, "https://third.example/lintas")
    late = await second.decide(former["id"], "confirm")
    confirmed = await first.decide(latter["id"], "confirm")

    assert (late.status_code, late.json()["current_state"]) == (409, "superseded")
    assert (await first.read(f"/proposals/{former['id']}"))["superseded_by"] == latter["id"]
    assert confirmed.status_code == 200
    assert (await first.read(f"/endpoints/{endpoint['id']}"))["url"] == "https://third.example/lintas"


async def test_a_change_of_the_endpoint_itself_outdates_what_was_proposed_of_it(service: Service) -> None:
    first, second = await a_person(service), await a_person(service)
    endpoint = await an_endpoint(service, first, second)
    proposal = await moves(first, endpoint)

    await second.call("PUT", f"/endpoints/{endpoint['id']}", json={"url": URL, "max_in_flight": 2}, headers=ANY)
    late = await second.decide(proposal["id"], "confirm")

    assert (late.status_code, late.json()["current_state"]) == (409, "outdated")
    assert (await first.read(f"/endpoints/{endpoint['id']}"))["url"] == URL


async def test_confirmed_refused_and_withdrawn_at_once_it_has_one_outcome(service: Service) -> None:
    first, second, third = [await a_person(service) for _ in range(3)]
    endpoint = await an_endpoint(service, first, second)
    for _ in range(5):
        now = (await first.read(f"/endpoints/{endpoint['id']}"))["url"]
        proposal = await moves(first, endpoint, OTHER_URL if now == URL else URL)

        answers = await asyncio.gather(
            second.decide(proposal["id"], "confirm"),
            third.decide(proposal["id"], "confirm"),
            third.decide(proposal["id"], "refuse"),
            first.decide(proposal["id"], "withdraw"),
        )

        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
        (won,) = [answer.json()["state"] for answer in answers if answer.status_code == 200]
        assert {one.json()["current_state"] for one in answers if one.status_code == 409} == {won}
        url = (await first.read(f"/endpoints/{endpoint['id']}"))["url"]
        assert (url == proposal["what"]["url"]) is (won == "confirmed")
    assert len([step for step in await steps(service) if step == "proposal.make"]) == 6


async def test_a_confirmation_and_a_change_at_once_end_in_one_of_two_ways(service: Service) -> None:
    first, second = await a_person(service), await a_person(service)
    endpoint = await an_endpoint(service, first, second)
    path = f"/endpoints/{endpoint['id']}"
    for n in range(5):
        seen = await first.call("GET", path)
        proposal = await moves(first, endpoint, f"https://agency.example/{n}")
        body = {"url": seen.json()["url"], "max_in_flight": 1 + n}

        confirmed, changed = await asyncio.gather(
            second.decide(proposal["id"], "confirm"),
            first.call("PUT", path, json=body, headers={"If-Match": seen.headers["ETag"]}),
        )

        outcome = (confirmed.status_code, changed.status_code, await state_of(first, proposal["id"]))
        assert outcome in {(200, 412, "confirmed"), (409, 200, "outdated")}


async def test_a_new_secret_is_shown_to_who_proposes_it_and_signs_once_confirmed(service: Service) -> None:
    first, second = await a_person(service), await a_person(service)
    endpoint = await an_endpoint(service, first, second)
    path = f"/endpoints/{endpoint['id']}"

    proposal = await first.proposes("POST", f"{path}/rotate-secret", json={"old_valid_for": "PT2H"})
    before = (await first.read(path))["secrets"]
    confirmed = await second.decide(proposal["id"], "confirm")
    after = (await first.read(path))["secrets"]

    assert proposal["secret"].startswith("whsec_")
    assert proposal["secret"] != endpoint["secret"]
    assert (len(before), len(after)) == (1, 2)
    assert after[1]["ends_at"] is not None
    assert proposal["secret"] not in confirmed.text


async def test_an_ed25519_secret_is_proposed_by_its_public_key(service: Service) -> None:
    first, second = await a_person(service), await a_person(service)
    endpoint = await an_endpoint(service, first, second)
    path = f"/endpoints/{endpoint['id']}"

    proposal = await first.proposes("POST", f"{path}/rotate-secret", json={"scheme": "ed25519"})
    await second.decide(proposal["id"], "confirm")

    assert proposal["secret"] is None
    assert (await first.read(path))["secrets"][0]["public_key"] == proposal["public_key"]


async def test_a_client_key_is_shown_by_nobody_until_confirmed_and_never_after(service: Service) -> None:
    first, second = await a_person(service), await a_person(service)
    endpoint = await an_endpoint(service, first, second)
    path = f"/endpoints/{endpoint['id']}"
    client = AUTHORITY.issue("client", usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    body = {"client_certificate": client.certificate, "client_key": client.key}

    proposal = await first.proposes("PUT", f"{path}/tls", json=body, headers=ANY)
    before = (await first.read(path))["tls"]["client_certificate"]
    confirmed = await second.decide(proposal["id"], "confirm")
    after = (await first.read(path))["tls"]["client_certificate"]

    assert before is None
    assert confirmed.status_code == 200, confirmed.text
    assert after["fingerprint"] == proposal["what"]["client_certificate"]["fingerprint"]
    assert "PRIVATE KEY" not in str(proposal) + confirmed.text


async def test_what_is_secret_of_a_proposal_is_sealed_and_forgotten_at_its_end(service: Service) -> None:
    first, second = await a_person(service), await a_person(service)
    body = {"url": URL, "headers": [{"name": "X-Token", "value": "kanari"}]}
    proposal = await first.proposes("POST", "/endpoints", json=body)

    async def kept() -> tuple[bool, str]:
        async with service.sessions.begin() as tx:
            row = (await tx.execute(text("SELECT sealed IS NULL AS gone, p::text AS whole FROM proposals p"))).one()
        return row.gone, row.whole

    before = await kept()
    await second.decide(proposal["id"], "refuse")
    after = await kept()

    assert (before[0], after[0]) == (False, True)
    for value in ("kanari", proposal["secret"]):
        assert value not in before[1]
        assert value.encode().hex() not in before[1]


async def test_a_fault_is_said_at_once_and_proposes_nothing(service: Service) -> None:
    first = await a_person(service)

    answer = await first.call("POST", "/endpoints", json={"url": "http://127.0.0.1/"})

    assert answer.status_code == 422
    assert (await first.read("/proposals"))["items"] == []


async def test_no_agency_has_more_proposals_than_somebody_can_look_at(service: Service) -> None:
    first = await a_person(service)

    answers = [await first.call("POST", "/endpoints", json={"url": f"{URL}/{n}"}) for n in range(21)]

    assert [answer.status_code for answer in answers] == [202] * 20 + [409]
    assert answers[-1].json()["code"] == "too_many_proposals"
    assert len((await first.read("/proposals?state=pending"))["items"]) == 20


async def test_every_step_is_told_and_recorded(service: Service) -> None:
    first, second = await a_person(service), await a_person(service)
    endpoint = await an_endpoint(service, first, second)
    await moves(first, endpoint)
    proposal = await moves(first, endpoint)
    await second.decide(proposal["id"], "refuse")

    made, ended = "proposal.made", "proposal.ended"
    told = [(type_, data["state"]) for type_, data in await service.news(PPU) if type_.startswith("proposal.")]
    assert await steps(service) == [
        "proposal.make",
        "proposal.confirm",
        "proposal.make",
        "proposal.supersede",
        "proposal.make",
        "proposal.refuse",
    ]
    assert told == [
        (made, "pending"),
        (ended, "confirmed"),
        (made, "pending"),
        (ended, "superseded"),
        (made, "pending"),
        (ended, "refused"),
    ]
