"""What every form of the console may rely on: it counts once, and what is wrong with it is said beside its fields."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

import pytest
from fastapi import Request
from starlette.responses import Response

from app.api.dependencies import Receiver
from app.api.desk import Desk
from app.api.handoffs import HandoffDecline, HandoffHold
from app.console.forms import Form, FormFaults, FormUnreadable, PostedForm
from app.console.rendering import page
from app.console.route import after_post, console_router
from app.domain.clock import SettableClock
from app.domain.handoff import HandoffEvent
from app.workflows.answer_handoff import Answer, answer_handoff
from tests.console.conftest import House, a_console, serve
from tests.workflows.conftest import RECEIVER, Service

router = console_router()


@router.post("/trials/{handoff_id}/decline")
async def decline(request: Request, handoff_id: UUID, caller: Receiver, desk: Desk, form: Form) -> Response:
    """Decline an offer, as a page of the console does."""
    try:
        said = form.into(HandoffDecline)
    except FormFaults as faults:
        found = "; ".join(f"{name}: {text}" for name, text in faults.texts(request.state.language).items())
        return page(request, "refusal.html", status=422, title="422", detail=found, **NOTHING)
    await answer_handoff(
        desk, caller, handoff_id, HandoffEvent.DECLINE, Answer(reason=said.reason.value, note=said.note)
    )
    return after_post("/console/handoffs", done="signed_out")


NOTHING = {"code": "", "state": None, "nothing_changed": False, "look_at": None, "sign_in": False, "request_id": None}


@pytest.fixture
async def desk_house(service: Service) -> AsyncIterator[House]:
    """A console that has one page more, with a form that changes something."""
    clock = SettableClock(service.clock())
    async with AsyncExitStack() as stack:
        yield House(service, serve(service, a_console(clock), router), clock, stack)


async def offer(house: House) -> str:
    answer = await house.service.submit()
    return str(answer["service_requests"][0]["handoff"]["id"])


async def test_a_form_that_is_sent_twice_is_done_once_and_answered_the_same(desk_house: House) -> None:
    handoff, browser = await offer(desk_house), await desk_house.signed_in()
    fields = await browser.fields(reason="no_capacity")

    first = await browser.post(f"/console/trials/{handoff}/decline", fields)
    second = await browser.post(f"/console/trials/{handoff}/decline", fields)

    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert second.headers["idempotency-replayed"] == "true"


async def test_a_form_that_is_sent_twice_at_the_same_moment_is_done_once(desk_house: House) -> None:
    handoff, browser = await offer(desk_house), await desk_house.signed_in()
    fields = await browser.fields(reason="no_capacity")

    answers = await asyncio.gather(*(browser.post(f"/console/trials/{handoff}/decline", fields) for _ in range(3)))

    assert [one.status_code for one in answers] == [303, 303, 303]


async def test_who_answers_after_somebody_else_is_told_how_it_stands_and_changes_nothing(desk_house: House) -> None:
    handoff = await offer(desk_house)
    first, second = await desk_house.signed_in(), await desk_house.signed_in(name="Ibu Lain")
    await first.post(f"/console/trials/{handoff}/decline", await first.fields(reason="no_capacity"))

    answer = await second.post(f"/console/trials/{handoff}/decline", await second.fields(reason="other"))

    assert answer.status_code == 409
    assert "Keadaan sekarang: Ditolak." in answer.text
    assert "Tidak ada yang diubah." in answer.text
    assert f'href="/console/trials/{handoff}"' in answer.text


async def test_what_is_wrong_with_a_field_is_said_by_its_name_and_changes_nothing(desk_house: House) -> None:
    handoff, browser = await offer(desk_house), await desk_house.signed_in(language="en")

    missing = await browser.post(f"/console/trials/{handoff}/decline", await browser.fields())
    strange = await browser.post(f"/console/trials/{handoff}/decline", await browser.fields(reason="<b>bored</b>"))

    assert (missing.status_code, strange.status_code) == (422, 422)
    assert "reason: " in missing.text
    assert "bored" not in strange.text
    assert (await desk_house.service.read(RECEIVER, f"/handoffs/{handoff}"))["state"] == "offered"


async def test_the_look_and_the_answer_are_in_the_audit_as_the_person(desk_house: House) -> None:
    handoff, browser = await offer(desk_house), await desk_house.signed_in(name="Ibu Contoh")

    await browser.post(f"/console/trials/{handoff}/decline", await browser.fields(reason="other"))

    assert await desk_house.who_did("handoff.decline") == ["Ibu Contoh"]


@pytest.mark.parametrize("handoff", ["x", "00000000-0000-7000-8000-000000000000"])
async def test_what_is_not_there_is_one_page(desk_house: House, handoff: str) -> None:
    browser = await desk_house.signed_in()

    answer = await browser.post(f"/console/trials/{handoff}/decline", await browser.fields(reason="other"))

    assert answer.status_code == 404
    assert "Halaman tidak ditemukan" in answer.text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"reason": "other"}', "application/json"),
        (b"reason=%FF", "application/x-www-form-urlencoded"),
        (b"reason=\xff", "application/x-www-form-urlencoded"),
        (b"reason=%00", "application/x-www-form-urlencoded"),
        (b"a%00=1", "application/x-www-form-urlencoded"),
        (b"reason" + b".a" * 40 + b"=1", "application/x-www-form-urlencoded"),
        (b"reason" + b".a" * 100_000 + b"=1", "application/x-www-form-urlencoded"),
        (b"&".join(b"a=1" for _ in range(1000)), "application/x-www-form-urlencoded"),
        (b"reason=" + b"x" * 300_000, "application/x-www-form-urlencoded"),
    ],
)
async def test_what_is_no_form_is_a_page_that_says_so(desk_house: House, body: bytes, kind: str) -> None:
    handoff, browser = await offer(desk_house), await desk_house.signed_in()
    headers = {"Content-Type": kind, "Sec-Fetch-Site": "same-origin"}

    answer = await browser.client.post(f"/console/trials/{handoff}/decline", content=body, headers=headers)

    assert answer.status_code in {400, 413}
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_a_form_without_a_page_of_its_own_that_lacks_something_says_so(house: House) -> None:
    handoff, browser = await offer(house), await house.signed_in()

    answer = await browser.post(f"/console/handoffs/{handoff}/keep-duty", await browser.fields())

    assert answer.status_code == 400
    assert "Tidak ada yang diubah." in answer.text


def test_fields_become_a_body_of_the_api() -> None:
    form = PostedForm(
        {
            "victim.age": (" 31 ",),
            "victim.name": ("",),
            "case.types[]": ("physical", "", "psychological"),
            "share_note": ("true",),
            "review_on.day": ("4",),
            "review_on.month": ("3",),
            "review_on.year": ("2025",),
            "until.day": ("",),
            "until.month": ("",),
            "until.year": ("",),
        }
    )

    assert form.values() == {
        "victim": {"age": "31"},
        "case": {"types": ["physical", "psychological"]},
        "share_note": True,
        "review_on": "2025-03-04",
    }


def test_a_field_that_is_a_text_and_a_part_at_once_is_no_form() -> None:
    with pytest.raises(FormUnreadable):
        PostedForm({"victim": ("x",), "victim.age": ("31",)}).values()


@pytest.mark.parametrize("day", ["31", "x", "", "004", "<b>"])
def test_a_day_that_is_none_is_a_fault_of_its_field(day: str) -> None:
    form = PostedForm({"review_on.day": (day,), "review_on.month": ("2",), "review_on.year": ("2025",)})

    with pytest.raises(FormFaults) as raised:
        form.into(HandoffHold)

    assert [one.pointer for one in raised.value.found] == ["/review_on"]
