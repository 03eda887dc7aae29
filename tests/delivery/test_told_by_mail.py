"""An agency without a server is told by mail, with all that webhooks have: proof, retries, records, and an end."""

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import structlog
from sqlalchemy import text

from app.domain.certificates import TlsGiven
from app.domain.errors import InvalidInput, NotAWebhook
from app.domain.events import EventType
from app.domain.own_headers import OwnHeader
from app.domain.proposals import Proposal, SecondPerson
from app.domain.versions import Expected
from app.storage import endpoints as endpoint_store
from app.storage import ways
from app.storage.tables import attempts, code_sets, endpoint_secrets, endpoints
from app.workflows import equip_endpoint, manage_endpoint, prove_endpoint
from app.workflows.equip_endpoint import Carried
from app.workflows.manage_endpoint import Wanted
from tests.delivery.mailboxes import Mailbox, a_mailbox, mailing
from tests.delivery.world import AGENCY, LOOPBACK, World, all_are, has_attempts, until

OFFICE = "kantor@uptd.example"
URL = f"mailto:{OFFICE}"
OFFERED: dict[str, Any] = {
    "service_type": "temporary_shelter",
    "urgency": "urgent",
    "respond_by": "2026-03-02T09:30:00+00:00",
}
TERMS = {
    "service_types": [{"code": "temporary_shelter", "id": "Penampungan sementara", "en": "Temporary shelter"}],
    "urgencies": [{"code": "urgent", "id": "Mendesak", "en": "Urgent"}],
}


async def agency_of_papua(world: World) -> None:
    await world.add(code_sets, version=9, body=TERMS)
    await world.execute(f"UPDATE agencies SET body = '{{\"region\": \"91.71\"}}' WHERE code = '{AGENCY}'")  # noqa: S608


def text_of(box: Mailbox, place: int = 0) -> str:
    return str(box.messages[place].get_content())


async def test_an_offer_goes_out_by_mail_with_its_time_in_the_agencys_zone_and_is_recorded_as_a_webhook_is(
    world: World, tmp_path: Path
) -> None:
    endpoint_id, _ = await world.endpoint(URL)
    await agency_of_papua(world)
    handoff = await world.offer(urgency="urgent")
    await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff, **OFFERED)

    async with a_mailbox() as box, mailing(box, tmp_path) as mail, world.delivering(mail=mail):
        await until(lambda: all_are(world, "delivered"))

    assert box.recipients == [[OFFICE]]
    assert "Layanan / Service: Penampungan sementara / Temporary shelter" in text_of(box)
    assert "Jawab sebelum / Respond by: 2026-03-02 18:30 WIT" in text_of(box)
    assert f"https://lintas.example/console/handoffs/{handoff}" in text_of(box)
    assert await world.attempts() == [(1, "delivered", 250)]
    assert (await world.the_endpoint()).last_success_at is not None
    delivery = await world.delivery()
    assert (delivery.endpoint_id, box.messages[0]["Message-ID"]) == (endpoint_id, f"<{delivery.id}@lembaga.example>")


async def test_what_has_become_an_emergency_since_it_was_told_is_mailed_as_one(world: World, tmp_path: Path) -> None:
    await world.endpoint(URL)
    handoff = await world.offer(urgency="emergency")
    await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff, **OFFERED)

    async with a_mailbox() as box, mailing(box, tmp_path) as mail, world.delivering(mail=mail):
        await until(lambda: all_are(world, "delivered"))

    assert "please open now" in box.messages[0]["Subject"]


async def test_a_mail_that_is_put_off_comes_again_as_the_same_mail(world: World, tmp_path: Path) -> None:
    await world.endpoint(URL)
    handoff = await world.offer(urgency="emergency")
    await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff, **OFFERED)

    async with a_mailbox() as box, mailing(box, tmp_path) as mail:
        box.at_data = lambda: "451 4.7.1 greylisted: kanari"
        with structlog.testing.capture_logs() as lines:
            async with world.delivering(mail=mail):
                await until(lambda: has_attempts(world, 1))
                box.at_data = None
                await until(lambda: all_are(world, "delivered"))

    assert await world.attempts() == [(1, "status", 451), (2, "delivered", 250)]
    assert await world.details() == ["mail_refused", None]
    assert "kanari" not in str(lines)
    assert OFFICE not in str(lines)


async def test_an_address_that_the_server_says_is_nobodys_is_disabled_and_its_agency_told(
    world: World, tmp_path: Path
) -> None:
    await world.endpoint(URL)
    handoff = await world.offer(urgency="urgent")
    await world.tell(EventType.HANDOFF_OFFERED, handoff_id=handoff, **OFFERED)

    async with a_mailbox() as box, mailing(box, tmp_path) as mail:
        box.at_recipient = lambda _: "550 5.1.1 no such user"
        async with world.delivering(mail=mail):
            await until(lambda: has_attempts(world, 1))

    endpoint = await world.the_endpoint()
    assert (endpoint.state, endpoint.state_reason) == ("disabled", "gone")
    assert [told["reason"] for told in await world.told(EventType.ENDPOINT_DISABLED)] == ["gone"]
    async with world.sessions.begin() as tx:
        assert await ways.reachable(tx, [AGENCY]) == set()
        watched = await tx.scalars(text("SELECT kind FROM clocks"))
        assert list(watched) == ["undelivered_offer"]


async def test_a_server_that_relays_nothing_for_us_ends_no_address(world: World, tmp_path: Path) -> None:
    await world.endpoint(URL)
    await world.tell()

    async with a_mailbox() as box, mailing(box, tmp_path) as mail:
        box.at_recipient = lambda _: "554 5.7.1 relay access denied"
        async with world.delivering(mail=mail):
            await until(lambda: has_attempts(world, 1))

    assert ((await world.the_endpoint()).state, await world.states()) == ("active", ["due"])
    assert await world.details() == ["recipient_refused"]


async def test_nothing_but_the_code_reaches_an_address_until_it_is_given_back(world: World, tmp_path: Path) -> None:
    endpoint_id, secret = await world.endpoint(URL, verified=False)
    await world.tell(times=2)

    async with a_mailbox() as box, mailing(box, tmp_path) as mail, world.delivering(mail=mail):
        await until(lambda: has_attempts(world, 1))
        (code,) = re.findall(r"^Kode / Code: (\S{43})\s*$", text_of(box), re.MULTILINE)
        async with world.sessions.begin() as tx:
            with pytest.raises(InvalidInput):
                await prove(world, tx, endpoint_id, "x" * 43)
            kept = await prove(world, tx, endpoint_id, code)
        await until(lambda: len(box.taken) == 3)

    assert (secret, await world.rows(endpoint_secrets)) == ("", [])
    assert kept.state == "active"
    assert "konfirmasi" in box.messages[0]["Subject"]
    assert [one["Subject"] for one in box.messages[1:]] == ["Lintas: kabar baru / news"] * 2


async def prove(world: World, tx: Any, endpoint_id: UUID, code: str) -> endpoint_store.Endpoint:
    return await prove_endpoint.verify_endpoint(tx, world.caller(), endpoint_id, code, key_ring=world.key_ring)


async def test_the_old_address_is_told_that_it_is_none_any_more_and_the_new_one_has_to_be_proven(
    world: World, tmp_path: Path
) -> None:
    endpoint_id, _ = await world.endpoint(URL)

    kept = await world.change(endpoint_id, Wanted("mailto:baru@uptd.example"))
    async with a_mailbox() as box, mailing(box, tmp_path) as mail, world.delivering(mail=mail):
        await until(lambda: len(box.taken) == 2)

    told = {to: message for (to,), message in zip(box.recipients, box.messages, strict=True)}
    assert kept.state == "unverified"
    assert "tidak lagi dikirim ke alamat ini" in str(told[OFFICE].get_content())
    assert "baru@uptd.example" not in str(told[OFFICE])
    assert "Kode / Code:" in str(told["baru@uptd.example"].get_content())


async def test_changing_an_address_takes_a_second_person_where_that_is_asked_for(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)

    async with world.sessions.begin() as tx:
        proposed = await manage_endpoint.change_endpoint(
            tx,
            world.caller(),
            endpoint_id,
            Wanted("mailto:baru@uptd.example"),
            reach=LOOPBACK,
            expected=Expected(None),
            key_ring=world.key_ring,
            now=world.clock(),
            second_person=SecondPerson(endpoints=True),
        )

    assert isinstance(proposed, Proposal)
    assert (await world.the_endpoint()).url == URL


@pytest.mark.parametrize(
    ("carried", "pointer"),
    [
        (Carried((OwnHeader("X-Token", "kanari"),)), "/headers"),
        (Carried(tls=TlsGiven("kanari", "kanari", None)), "/tls"),
    ],
)
async def test_what_only_a_webhook_has_is_refused_for_an_address(world: World, carried: Carried, pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await world.endpoint(URL, carried=carried)

    assert (pointer, "for_webhooks_alone") in [(fault.pointer, fault.code) for fault in refused.value.faults]
    assert "kanari" not in str(refused.value)
    assert await world.rows(endpoints) == []


async def test_a_secret_cannot_be_rotated_where_there_is_none(world: World) -> None:
    endpoint_id, _ = await world.endpoint(URL)

    async with world.sessions.begin() as tx:
        with pytest.raises(NotAWebhook):
            await equip_endpoint.rotate_secret(
                tx, world.caller(), endpoint_id, key_ring=world.key_ring, now=world.clock()
            )


async def test_a_webhook_does_not_become_a_mail_address_nor_the_other_way_round(world: World) -> None:
    for before, after in ((URL, "http://127.0.0.1:1999/hook"), ("http://127.0.0.1:1999/hook", URL)):
        endpoint_id, _ = await world.endpoint(before)
        with pytest.raises(InvalidInput) as refused:
            await world.change(endpoint_id, Wanted(after))
        assert [fault.code for fault in refused.value.faults] == ["channel_changed"]


async def test_without_a_mail_server_no_address_can_be_registered(world: World) -> None:
    reach = type(LOOPBACK)(LOOPBACK.networks)

    with pytest.raises(InvalidInput) as refused:
        await world.endpoint(URL, reach=reach)

    assert [fault.code for fault in refused.value.faults] == ["mail_not_sent"]


async def test_an_address_whose_mail_server_was_taken_away_fails_and_is_no_working_way(world: World) -> None:
    await world.endpoint(URL)
    await world.tell()

    async with world.delivering():
        await until(lambda: has_attempts(world, 1))

    assert await world.details() == ["no_mail_server"]
    assert (await world.rows(attempts))[0].outcome == "connect"
    assert (await world.the_endpoint()).failing_since is not None
