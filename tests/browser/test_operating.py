"""An operator's day in a real browser: endpoints, agreements, the audit of a case, and who is signed in."""

from typing import Any

from playwright.async_api import ViewportSize
from sqlalchemy import func, insert, update

from app.domain.caller import Role
from app.storage.recoveries import first_id_of
from app.storage.tables import attempts, endpoints
from tests.browser.conftest import Visit, seen_by_everybody
from tests.browser.town import Town
from tests.workflows.conftest import a_referral

OPERATOR, RECEIVER = "kemenpppa-sapa129", "uptd-ppa-ppu"
PHONE: ViewportSize = {"width": 390, "height": 844}
DOCUMENT = "/console/agreements/pks-kukar-ppu-2024/versions/1"


async def an_endpoint(town: Town) -> str:
    """Register an endpoint that has failed of late, with a day of attempts, and give its page."""
    body = {"url": "https://example.com/lintas/hook"}
    made = await town.call(OPERATOR, Role.OPERATOR, "POST", "/endpoints", json=body)
    async with town.sessions.begin() as tx:
        await tx.execute(
            update(endpoints)
            .where(endpoints.c.id == made["id"])
            .values(state="active", verified_at=func.now(), failing_since=func.now())
        )
        now = await tx.scalar(func.now())
        lines: list[dict[str, Any]] = []
        for hour in range(24):
            for number in range(3 + hour * 7 % 11):
                at = now.timestamp() - hour * 3600 - 60
                failed = hour < 3 or (hour * number) % 13 == 5
                moment = now.fromtimestamp(at, tz=now.tzinfo)
                lines.append(
                    {
                        "id": type(first_id_of(moment))(int=first_id_of(moment).int + len(lines) + 1),
                        "delivery_id": first_id_of(moment),
                        "endpoint_id": made["id"],
                        "number": 1,
                        "started_at": moment,
                        "duration_ms": 80 + number,
                        "outcome": "timeout" if failed else "delivered",
                    }
                )
        await tx.execute(insert(attempts), lines)
    return f"/console/endpoints/{made['id']}"


@seen_by_everybody
async def test_every_page_of_an_operator_can_be_used_by_everybody(
    town: Town, visit: Visit, size: ViewportSize, language: str, colours: str
) -> None:
    path = await an_endpoint(town)
    visitor = await visit(
        OPERATOR, Role.OPERATOR, name="Pak Operator", size=size, language=language, color_scheme=colours
    )

    for one in (
        "/console/endpoints",
        "/console/endpoints?part=all",
        path,
        "/console/agreements",
        DOCUMENT,
        f"{DOCUMENT}/coverage",
        "/console/audit",
        "/console/persons",
        "/console/service-requests",
        "/console/reach",
    ):
        await visitor.open(one)
        await visitor.check()


async def test_an_operator_pauses_an_endpoint_and_enables_it_again(town: Town, visit: Visit) -> None:
    path = await an_endpoint(town)
    visitor = await visit(OPERATOR, Role.OPERATOR, script=False)

    await visitor.open(path)
    await visitor.press("Jeda")
    assert "Endpoint dijeda" in await visitor.text()
    await visitor.press("Aktifkan")

    assert "Endpoint diaktifkan." in await visitor.text()


async def test_an_operator_reads_the_story_of_a_case_by_the_keyboard_alone(town: Town, visit: Visit) -> None:
    referral = await town.submit(a_referral())
    visitor = await visit(OPERATOR, Role.OPERATOR, size=PHONE)

    await visitor.open("/console/audit")
    await visitor.page.locator("#f-referral").focus()
    await visitor.page.keyboard.type(referral["id"])
    async with visitor.page.expect_navigation():
        await visitor.page.keyboard.press("Enter")

    assert "mengirim rujukan" in await visitor.text()
    assert visitor.page.url == f"{town.at}/console/audit"
    await visitor.check()


async def test_an_operator_shuts_a_person_out(visit: Visit) -> None:
    caseworker = await visit(RECEIVER, Role.RECEIVER, name="Ibu Dicabut")
    visitor = await visit(OPERATOR, Role.OPERATOR)

    await visitor.open("/console/persons")
    await visitor.follow("Cabut akses Ibu Dicabut")
    await visitor.press("Cabut akses")
    await caseworker.open("/console/handoffs")

    assert "Akses orang itu dicabut." in await visitor.text()
    assert "/console/sign-in" in caseworker.page.url


async def test_the_pictures_of_the_documents(town: Town, visit: Visit) -> None:
    await an_endpoint(town)
    visitor = await visit(OPERATOR, Role.OPERATOR, name="Pak Operator")
    await visitor.open("/console/endpoints")
    await visitor.picture("console-operator-endpoints-desktop")
    await visitor.open("/console/audit")
    referral = await town.submit(a_referral())
    await visitor.page.locator("#f-referral").fill(referral["id"])
    await visitor.press("Tampilkan")
    await visitor.picture("console-operator-audit-desktop")
