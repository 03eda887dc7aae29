"""Ways through the service that together call every operation, with the examples that its description shows."""

from typing import Any
from uuid import uuid4

from sqlalchemy import text

from app.api import examples
from app.storage.challenges import challenge_of
from app.workflows.draw_statistics import draw_settled_months
from tests.description.walking import Walk
from tests.workflows.conftest import KALTIM, KUKAR, NATIONAL, PPU, RECEIVER
from tests.workflows.second_person import a_person
from tests.workflows.test_statistics import SETTLED

OPERATOR = NATIONAL
NEW_AGENCY = "lbh-contoh-ppu"


def of(referral: dict[str, Any]) -> dict[str, Any]:
    """Give the first service request of a referral."""
    return dict(referral["service_requests"][0])


async def a_case(walk: Walk, **instead: Any) -> tuple[str, str, str, str]:
    """Hand in another referral like the example; give its id, its handoff's, its receiver and its request's."""
    referral = await walk(PPU, "submit_referral", instead={"sender_reference": str(uuid4()), **instead})
    request = of(referral)
    handoff = request["handoff"] or {"id": "", "agency": ""}
    return referral["id"], handoff["id"], handoff["agency"], request["id"]


async def submitting(walk: Walk) -> None:
    """A sender tries out where a case would go, hands it in, follows it, amends it, and takes others back."""
    await walk(PPU, "preview_routing")
    referral = await walk(PPU, "submit_referral", status=201)
    here: dict[str, Any] = {"referral_id": referral["id"]}
    await walk(PPU, "list_referrals", query={"limit": 1, "state": "open"})
    await walk(PPU, "read_referral", **here)
    await walk(PPU, "amend_referral", **here)
    decision: dict[str, Any] = {"decision_id": of(referral)["decision"]["id"]}
    await walk(PPU, "read_decision", **decision)
    await walk(PPU, "replay_decision", **decision)
    await walk(PPU, "read_service_request", service_request_id=of(referral)["id"])
    for ending in ("cancel_referral", "void_referral", "withdraw_consent"):
        await walk(PPU, ending, referral_id=(await a_case(walk))[0])
    unasked = {"urgency": "emergency", "consent": {"basis": "none"}, "services": [{"type": "health_service"}]}
    await walk(PPU, "confirm_vital_interest", referral_id=(await a_case(walk, **unasked))[0])
    await walk(PPU, "list_events", query={"limit": 2})


async def answering(walk: Walk) -> None:
    """Receivers answer what they are offered, in every way there is."""

    async def goes(*actions: str, **instead: Any) -> None:
        _, handoff_id, receiver, _ = await a_case(walk, **instead)
        for action in actions:
            agency = PPU if action in {"withdraw_handoff", "request_handoff_cancellation"} else receiver
            await walk(agency, action, handoff_id=handoff_id)

    _, handoff_id, receiver, _ = await a_case(walk)
    await walk(receiver, "list_handoffs", query={"state": ["offered"], "limit": 1})
    await walk(receiver, "read_handoff", handoff_id=handoff_id)
    await goes("accept_handoff", "start_handoff", "hold_handoff", "resume_handoff", "complete_handoff")
    await goes("decline_handoff")
    await goes("accept_handoff", "hand_back_handoff")
    await goes("accept_handoff", "start_handoff", "fail_handoff")
    await goes("withdraw_handoff")
    await goes("accept_handoff", "request_handoff_cancellation", "confirm_handoff_cancellation")
    sexual = {"case": {"types": ["sexual"]}, "services": [{"type": "case_management"}]}
    await goes("accept_handoff", "keep_handoff_duty", **sexual)


async def coordinating(walk: Walk) -> None:
    """A coordinator places what waits, and ends what nobody can meet."""
    waiting = []
    for _ in range(2):
        _, handoff_id, receiver, request_id = await a_case(walk)
        await walk(receiver, "accept_handoff", handoff_id=handoff_id)
        await walk(receiver, "start_handoff", handoff_id=handoff_id)
        await walk(receiver, "fail_handoff", handoff_id=handoff_id)
        waiting.append(request_id)
    await walk(KUKAR, "list_service_requests", query={"status": "needs_coordinator", "limit": 1})
    await walk(KUKAR, "acknowledge_service_request", service_request_id=waiting[0])
    await walk(KUKAR, "place_service_request", service_request_id=waiting[0])
    await walk(KUKAR, "close_service_request_unmet", service_request_id=waiting[1])


async def keeping_rights(walk: Walk) -> None:
    """A protection officer answers what a person asks for."""
    referral_id, *_ = await a_case(walk)
    here: dict[str, Any] = {"referral_id": referral_id}
    asked_for = await walk(PPU, "record_rights_request", **here)
    await walk(PPU, "list_rights_requests")
    await walk(PPU, "answer_rights_request", rights_request_id=asked_for["id"])
    await walk(PPU, "read_referral_rights", **here)
    await walk(PPU, "restrict_referral", **here)
    await walk(PPU, "lift_referral_restriction", **here)
    hold = await walk(PPU, "place_legal_hold", **here)
    await walk(PPU, "lift_legal_hold", legal_hold_id=hold["id"])
    await walk(PPU, "export_referral", **here)
    await walk(PPU, "export_referral_text", **here)
    await walk(PPU, "cancel_referral", **here)
    await walk(PPU, "erase_referral", **here)


async def keeping_endpoints(walk: Walk) -> None:
    """An agency has its news posted, proves that the address is its own, and recovers what it missed."""
    made = await walk(RECEIVER, "register_endpoint", status=201)
    here: dict[str, Any] = {"endpoint_id": made["id"]}
    await walk(RECEIVER, "list_endpoints")
    await walk(RECEIVER, "read_endpoint", **here)
    await walk(RECEIVER, "challenge_endpoint", **here)
    async with walk.service.sessions.begin() as tx:
        posted = (await tx.execute(text("SELECT id, challenge_id, url FROM endpoints"))).one()
    challenge = challenge_of(walk.service.key_ring, endpoint_id=posted.id, event_id=posted.challenge_id, url=posted.url)
    await walk(RECEIVER, "verify_endpoint", instead={"challenge": challenge}, **here)
    await walk(RECEIVER, "change_endpoint", **here)
    await walk(RECEIVER, "put_endpoint_headers", **here)
    await walk(RECEIVER, "put_endpoint_tls", **here)
    await walk(RECEIVER, "rotate_endpoint_secret", **here)
    await walk(RECEIVER, "list_webhook_keys", **here)
    await walk(RECEIVER, "ping_endpoint", **here)
    await a_case(walk)
    await walk(RECEIVER, "list_endpoint_deliveries", query={"limit": 1}, **here)
    async with walk.service.sessions.begin() as tx:
        offer: dict[str, Any] = {
            "delivery_id": await tx.scalar(
                text(
                    "SELECT d.id FROM deliveries d JOIN events e ON e.id = d.event_id WHERE e.type = 'handoff.offered'"
                )
            )
        }
        await tx.execute(
            text(
                "INSERT INTO attempts (id, delivery_id, number, started_at, duration_ms, outcome, detail) VALUES"
                " (gen_random_uuid(), :delivery_id, 1, '2025-03-04T01:00:05Z', 12, 'tls', 'certificate_expired')"
            ),
            offer,
        )
    await walk(RECEIVER, "read_delivery", **offer)
    await walk(RECEIVER, "list_delivery_attempts", **offer)
    await walk(RECEIVER, "resend_delivery", **offer)
    await walk(RECEIVER, "recover_endpoint", status=200, **here)
    recovery = await walk(RECEIVER, "recover_endpoint", example=1, status=202, **here)
    await walk(RECEIVER, "list_endpoint_recoveries", **here)
    await walk(RECEIVER, "read_recovery", recovery_id=recovery["id"])
    await walk(RECEIVER, "cancel_recovery", recovery_id=recovery["id"])
    await walk(RECEIVER, "read_endpoint_health", **here)
    await walk(OPERATOR, "list_failing_endpoints")
    for step in ("pause_endpoint", "enable_endpoint", "disable_endpoint"):
        await walk(RECEIVER, step, **here)


async def keeping_keys(walk: Walk) -> None:
    """Somebody looks at their agency's keys, rotates their own and ends it."""
    person = await a_person(walk.service)
    theirs = {"Authorization": f"Bearer {person.secret}"}
    await walk(PPU, "list_keys", query={"limit": 1})
    await walk(PPU, "read_key", headers=theirs, key_id=person.key_id)
    await walk(PPU, "rotate_key", headers=theirs, key_id=person.key_id)
    await walk(PPU, "revoke_key", headers=theirs, key_id=person.key_id)


async def keeping_the_registry(walk: Walk) -> None:
    """An operator adds an agency; anybody reads what there is."""
    here: dict[str, Any] = {"code": NEW_AGENCY}
    await walk(OPERATOR, "put_agency", status=201, **here)
    await walk(OPERATOR, "put_agency", status=200, headers={"If-Match": "*"}, **here)
    await walk(OPERATOR, "put_agency_service", service_type="legal_service", **here)
    await walk(PPU, "read_agency", **here)
    await walk(PPU, "list_agencies", query={"limit": 1})
    await walk(PPU, "list_reach", query={"reached": False, "limit": 1})
    await walk(PPU, "read_code_sets")
    await walk(PPU, "list_regions", query={"limit": 2})


async def making_rules(walk: Walk) -> None:
    """An operator drafts an agreement, tries it out and makes it law."""
    here: dict[str, Any] = {"id": examples.DRAFT["id"], "version": 1}
    await walk(OPERATOR, "put_agreement_draft", **here)
    await walk(OPERATOR, "check_agreement_version", **here)
    await walk(OPERATOR, "simulate_agreement_version", **here)
    await walk(OPERATOR, "publish_agreement_version", status=200, **here)
    await walk(OPERATOR, "read_agreement_version", **here)
    successor: dict[str, Any] = {"id": here["id"], "version": 2}
    await walk(OPERATOR, "put_agreement_draft", instead={"version": 2}, **successor)
    await walk(OPERATOR, "delete_agreement_draft", headers={"If-Match": "*"}, status=204, **successor)
    await walk(OPERATOR, "list_agreements", query={"limit": 1})


async def proposing(walk: Walk) -> None:
    """Where it takes two, one proposes and another confirms, refuses, or is spared it."""
    other = {"Authorization": f"Bearer {(await a_person(walk.service, RECEIVER)).secret}"}
    made = await walk(RECEIVER, "register_endpoint", status=202)
    await walk(RECEIVER, "list_proposals")
    await walk(RECEIVER, "read_proposal", proposal_id=made["id"])
    await walk(RECEIVER, "confirm_proposal", headers=other, proposal_id=made["id"])
    here: dict[str, Any] = {"endpoint_id": made["endpoint_id"]}
    moved = await walk(
        RECEIVER, "change_endpoint", instead={"url": "https://baru.agency.example/lintas"}, status=202, **here
    )
    await walk(RECEIVER, "refuse_proposal", headers=other, proposal_id=moved["id"])
    rotated = await walk(RECEIVER, "rotate_endpoint_secret", status=202, **here)
    await walk(RECEIVER, "withdraw_proposal", proposal_id=rotated["id"])
    await walk(RECEIVER, "put_endpoint_tls", status=202, **here)
    rules: dict[str, Any] = {"id": examples.DRAFT["id"], "version": 1}
    await walk(OPERATOR, "put_agreement_draft", **rules)
    await walk(OPERATOR, "publish_agreement_version", status=202, **rules)


async def counting(walk: Walk) -> None:
    """Whoever coordinates reads what was counted, once the month has settled."""
    for _ in range(6):
        await a_case(walk)
    walk.service.clock.set(SETTLED)
    await draw_settled_months(walk.service.sessions, walk.service.keeper, walk.service.clock)
    await walk(PPU, "count_referrals", query={"from": "2025-03", "to": "2025-03", "by": "sex"})
    await walk(KALTIM, "count_duties", query={"from": "2025-03", "to": "2025-03"})


async def asking_whether_it_lives(walk: Walk) -> None:
    """Whoever runs the service asks how it is."""
    for check in ("check_liveness", "check_readiness", "check_startup"):
        await walk(PPU, check)


ALONE = (
    submitting,
    answering,
    coordinating,
    keeping_rights,
    keeping_endpoints,
    keeping_keys,
    keeping_the_registry,
    making_rules,
    asking_whether_it_lives,
    counting,
)
"""What a service does where nobody needs a second person; `counting` sets the clock, and comes last."""
