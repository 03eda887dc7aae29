"""A referral comes in: it is kept, decided and offered, all or nothing."""

from collections.abc import Iterable

from uuid_utils.compat import uuid7

from app.domain.caller import Caller
from app.domain.case import Case
from app.domain.errors import DuplicateReference
from app.domain.handoff import ReferralState
from app.domain.intake import Submission
from app.domain.referral import Referral, ServiceRequest
from app.storage import audit, cases, personal_data
from app.workflows.desk import Desk
from app.workflows.route_requests import route_requests
from app.workflows.warn_of_duplicate import note_identity
from app.workflows.watch_consent import watch_consent


async def submit_referral(desk: Desk, caller: Caller, submission: Submission) -> Case:
    """Take in a referral and route every service it asks for; DuplicateReference where the sender used it before.

    The audit says also that the sender was shown what came of it.
    """
    case = _new_case(desk, caller, submission)
    reference_hash = desk.key_ring.hash("sender-reference", submission.sender_reference.encode())
    if not await cases.add(desk.tx, case, reference_hash=reference_hash):
        raise DuplicateReference(await cases.of_reference(desk.tx, caller.agency_code, reference_hash))
    desk.told_of.add(case.referral.id)
    await personal_data.seal_new(desk.tx, desk.key_ring, case.referral.id, submission.personal)
    await note_identity(desk, case, submission.personal)
    await route_requests(desk, case, case.requests.values(), "submitted")
    if case.consent.expires_at is not None:
        watch_consent(desk, case)
    # The second entry: what came of it is shown to the sender.
    entries = (("referral.submit", submission.personal), ("referral.read", ()))
    await audit.record_all(desk.tx, (_entry(desk, caller, case, action, fields) for action, fields in entries))
    return await desk.save(case)


def _entry(desk: Desk, caller: Caller, case: Case, action: str, fields: Iterable[str]) -> audit.Entry:
    return audit.Entry(
        caller,
        action,
        subject="referral",
        subject_id=case.referral.id,
        referral_id=case.referral.id,
        fields=fields,
        request_id=desk.request_id,
    )


def _new_case(desk: Desk, caller: Caller, submission: Submission) -> Case:
    referral = Referral(
        id=uuid7(),
        sender_code=caller.agency_code,
        holder_code=caller.agency_code,
        mode=submission.mode,
        urgency=submission.facts.urgency,
        state=ReferralState.OPEN,
        version=1,
        facts_version=1,
        consent_withdrawn_at=None,
        received_at=desk.now,
    )
    asked = [
        ServiceRequest(
            id=uuid7(),
            referral_id=referral.id,
            service_type=service.service_type,
            tried=(caller.agency_code,) if service.sender_cannot else (),
        )
        for service in submission.services
    ]
    return Case(
        referral=referral,
        facts=submission.facts,
        consent=submission.consent,
        requests={request.id: request for request in asked},
        handoffs={},
        coordinations={},
        public_url=desk.terms.public_url,
    )
