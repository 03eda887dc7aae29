"""Everything that is done with cases when all goes well: each text of each model is planted and taken."""

from dataclasses import dataclass, field
from typing import Any

from app.domain.vocabulary import Urgency
from tests.delivery.world import until
from tests.leaks.receivers import MAILBOXES, PATHS
from tests.leaks.world import SENDER, World

LONE_REGENCY, LONE_PLACE, LONE_NAME = "64.74", "64.74.01", "Bontang"
"""Where one referral of the month comes from, and no other."""
ASKED_AT = "2025-01-02T08:00:00+08:00"


@dataclass(slots=True)
class Cases:
    """What there is after all was done: ids, by the names that the addresses have for them."""

    ids: dict[str, str] = field(default_factory=dict)
    receiver: str = ""
    coordinator: str = ""
    open: str = ""
    """A referral that goes on, with an offer that waits."""
    completed: str = ""
    restricted: str = ""
    erased: str = ""
    months: tuple[str, str] = ("", "")
    """The first and the last of those that statistics are asked of."""


async def do_everything(world: World) -> Cases:
    """Submit, answer, amend, hand on, end, restrict and erase."""
    cases = Cases()
    await register(world, SENDER, *PATHS)
    await register_mail(world, SENDER, *MAILBOXES)
    await world.done(SENDER, "POST", "/v1/routing/preview", json=filled(world, "/v1/routing/preview"))
    waits = await submit(world)
    first = request_of(waits)
    cases.open, cases.receiver, cases.coordinator = waits["id"], first["handoff"]["agency"], first["coordinators"][0]
    cases.ids |= {
        "referral_id": waits["id"],
        "service_request_id": first["id"],
        "decision_id": first["decision"]["id"],
        "handoff_id": first["handoff"]["id"],
    }
    await register(world, cases.receiver, "/takes")
    await register_mail(world, cases.receiver, "takes")
    await give_the_service(world, cases)
    await end_otherwise(world)
    await amend_and_repeat(world, waits["id"])
    await mind_rights(world, cases)
    await until(lambda: all(world.receivers.took(path) for path in PATHS), within=60)
    await until(lambda: len(world.mailbox.taken) > 10, within=60)
    await remember_ids(world, cases)
    cases.months = (await day_in(world, -150))[:7], (await day_in(world, 0))[:7]
    return cases


def filled(world: World, path: str, **known: Any) -> dict[str, Any]:
    """Give a body with a canary in every text."""
    return world.contract.filled(world.canaries, "POST", path, **known)


async def submit(world: World, **known: Any) -> dict[str, Any]:
    """Hand in a referral that says all that can be said."""
    return await world.done(SENDER, "POST", "/v1/referrals", json=filled(world, "/v1/referrals", **known), sees=True)


def request_of(referral: dict[str, Any]) -> dict[str, Any]:
    """Give the one service request of a referral."""
    [request] = referral["service_requests"]
    return dict(request)


async def act(world: World, agency: str, handoff: dict[str, Any], action: str, **known: Any) -> dict[str, Any]:
    """Answer a handoff with all that may be said."""
    path = f"/v1/handoffs/{{handoff_id}}/{action}"
    return await world.done(agency, "POST", path.format(handoff_id=handoff["id"]), json=filled(world, path, **known))


async def register(world: World, agency: str, *paths: str) -> None:
    """Register endpoints, and have them proven."""
    for path in paths:
        await _register(world, agency, f"http://127.0.0.1:{world.receivers.port}{path}")


async def register_mail(world: World, agency: str, *mailboxes: str) -> None:
    """Register mail addresses, and have them proven."""
    for mailbox in mailboxes:
        await _register(world, agency, f"mailto:{mailbox}@uptd.example")


async def _register(world: World, agency: str, url: str) -> None:
    await world.done(agency, "POST", "/v1/endpoints", json={"url": url})
    await world.execute("UPDATE endpoints SET state = 'active', verified_at = now() WHERE state = 'unverified'")


async def give_the_service(world: World, cases: Cases) -> None:
    """Take a case, hold it, go on and complete it; the receiver reads it before and after."""
    referral = await submit(world)
    cases.completed = referral["id"]
    handoff = request_of(referral)["handoff"]
    at = f"/v1/handoffs/{handoff['id']}"
    await world.done(handoff["agency"], "GET", at, sees=True)
    await act(world, handoff["agency"], handoff, "accept")
    await world.done(handoff["agency"], "GET", at, sees=True)
    await act(world, handoff["agency"], handoff, "start")
    await act(world, handoff["agency"], handoff, "hold", review_on=await day_in(world, 7))
    await act(world, handoff["agency"], handoff, "resume")
    await act(world, handoff["agency"], handoff, "complete", outcome="service_given", share_note=True)
    await world.done(SENDER, "GET", at, sees=True)


async def day_in(world: World, days: int) -> str:
    """Give a day, by the clock that the service goes by."""
    async with world.engine.connect() as connection:
        found = await connection.exec_driver_sql(f"SELECT (now() + interval '{days} days')::date::text")
        return str(found.scalar_one())


async def end_otherwise(world: World) -> None:
    """Decline, fail, hand back, withdraw, place, cancel and void."""
    for steps in (("decline",), ("accept", "hand-back"), ("accept", "start", "fail")):
        handoff = request_of(await submit(world))["handoff"]
        for step in steps:
            why = {} if step in {"accept", "start"} else {"reason": "other"}
            await act(world, handoff["agency"], handoff, step, **why)
    cancelled = request_of(await submit(world))["handoff"]
    await act(world, cancelled["agency"], cancelled, "accept")
    await act(world, SENDER, cancelled, "request-cancel", reason="victim_request")
    await act(world, cancelled["agency"], cancelled, "confirm-cancel")
    referral = await submit(world)
    withdrawn = request_of(referral)
    await act(world, SENDER, withdrawn["handoff"], "withdraw", reason="wrong_agency")
    coordinator, at = withdrawn["coordinators"][0], f"/v1/service-requests/{withdrawn['id']}"
    await world.done(coordinator, "POST", f"{at}/acknowledge")
    place = filled(
        world, "/v1/service-requests/{service_request_id}/place", agency=withdrawn["handoff"]["agency"], reason="other"
    )
    await world.done(coordinator, "POST", f"{at}/place", json=place)
    await world.done(SENDER, "POST", f"/v1/referrals/{referral['id']}/cancel", sees=True)
    alone = dict.fromkeys(("locations.incident", "locations.domicile", "locations.current"), LONE_PLACE)
    await world.done(
        SENDER, "POST", f"/v1/referrals/{(await submit(world, **alone))['id']}/consent/withdraw", sees=True
    )
    urgent = await submit(
        world, **{"urgency": Urgency.EMERGENCY.value, "consent.basis": "none", "consent.given_at": None}
    )
    confirm = {"because": "victim_unable"}
    await world.done(SENDER, "POST", f"/v1/referrals/{urgent['id']}/consent/confirm", json=confirm, sees=True)


async def amend_and_repeat(world: World, referral_id: str) -> None:
    """Say everything anew, and say it again with the same key, another body and the same reference."""
    path = "/v1/referrals/{referral_id}/amend"
    headers = {"If-Match": "*", "Idempotency-Key": f"{world.canaries.text('Idempotency-Key')}"}
    body = filled(world, path)
    for _ in range(2):
        await world.done(SENDER, "POST", path.format(referral_id=referral_id), json=body, headers=headers, sees=True)
    other = body | {"narrative": world.canaries.text("another body")}
    answer = await world.call(SENDER, "POST", path.format(referral_id=referral_id), json=other, headers=headers)
    assert answer.status_code == 422
    twice = filled(world, "/v1/referrals")
    assert (await world.call(SENDER, "POST", "/v1/referrals", json=twice, sees=True)).status_code == 201
    assert (await world.call(SENDER, "POST", "/v1/referrals", json=twice)).status_code == 409


async def mind_rights(world: World, cases: Cases) -> None:
    """Ask for a person's rights, and grant them."""
    at = f"/v1/referrals/{cases.completed}"
    asked = await world.done(SENDER, "POST", f"{at}/rights-requests", json={"right": "access", "asked_at": ASKED_AT})
    held = await world.done(SENDER, "POST", f"{at}/legal-holds", json={"reason": "court_proceedings"})
    cases.ids |= {"rights_request_id": asked["id"], "legal_hold_id": held["id"]}
    assert (await world.call(SENDER, "GET", f"{at}/export/text", sees=True)).status_code == 200
    for one in (await world.done(SENDER, "GET", "/v1/referrals?limit=200"))["items"]:
        await world.done(SENDER, "GET", f"/v1/referrals/{one['id']}/export", sees=True)
    cases.restricted, cases.erased = (await submit(world))["id"], (await submit(world))["id"]
    await world.done(SENDER, "POST", f"/v1/referrals/{cases.restricted}/restrict", json={"reason": "person_asked"})
    await world.done(SENDER, "POST", f"/v1/referrals/{cases.erased}/erase")


async def remember_ids(world: World, cases: Cases) -> None:
    """Find something for each address."""
    [endpoint, *_] = (await world.done(SENDER, "GET", "/v1/endpoints"))["items"]
    await world.done(SENDER, "POST", f"/v1/endpoints/{endpoint['id']}/ping")
    posted = (await world.done(SENDER, "GET", f"/v1/endpoints/{endpoint['id']}/deliveries"))["items"]
    recovery = await world.done(SENDER, "POST", f"/v1/endpoints/{endpoint['id']}/recover", json={"since": ASKED_AT})
    [key, *_] = (await world.done(SENDER, "GET", "/v1/keys"))["items"]
    cases.ids |= {
        "endpoint_id": endpoint["id"],
        "delivery_id": posted[-1]["id"],
        "recovery_id": recovery.get("id", endpoint["id"]),
        "key_id": key["id"],
        "code": cases.receiver,
        "service_type": "legal_service",
        "id": "baseline-national",
        "version": "1",
        "proposal_id": endpoint["id"],
    }
