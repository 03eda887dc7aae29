"""One of each problem, with what it would carry: the document shows them as the service writes them."""

from datetime import UTC, datetime
from uuid import UUID

from app.api import refusals
from app.api.faults import Finding
from app.domain import errors, rights
from app.domain.errors import DomainError, Fault
from app.domain.finding import finding as found
from app.domain.handoff import HandoffEvent, HandoffState, IllegalTransition

REQUEST_ID = "01955f1c-0000-7000-8000-00000000000a"
_SINCE = datetime(2025, 3, 3, 6, 30, tzinfo=UTC)
EXAMPLES: tuple[DomainError, ...] = (
    refusals.MalformedBody((Finding("not_json", pointer="", limits={"line": "3", "column": "14"}),)),
    refusals.BodyTooLarge(),
    refusals.BodyTooSlow(),
    refusals.UnsupportedMediaType(),
    refusals.BadParameter("limit", "whole_number_required"),
    refusals.Unauthenticated(key_given=True),
    refusals.IdempotencyKeyInvalid(),
    refusals.IdempotencyKeyRequired(),
    refusals.IdempotencyKeyReused(),
    refusals.IdempotencyInFlight(),
    refusals.RateLimited(12),
    refusals.Unavailable(),
    refusals.Unexpected(),
    refusals.NoSuchPage(),
    errors.InvalidInput(
        (Fault("/victim/age", "whole_number_required", ""), Fault("/services/0/type", "unknown_code", ""))
    ),
    errors.DocumentInvalid((Fault("/clauses/0/to", "required", "is required"),)),
    errors.NotFound("referral"),
    errors.DuplicateReference(UUID("01955f1c-0000-7000-8000-000000000001")),
    errors.RoleRequired("receiver"),
    errors.ScopeRequired("handoffs:accept"),
    errors.PreconditionRequired(),
    errors.PreconditionFailed(),
    errors.ReferralNotOpen("closed"),
    errors.RequestNotWaiting("accepted"),
    errors.DutyNotOwed(),
    errors.RecoveryRunning(UUID("01955f1c-0000-7000-8000-000000000002")),
    errors.RecoveryOfHeld(),
    errors.NotSentAgain(),
    errors.ConsentRequired(),
    errors.NothingToConfirm(),
    errors.HolderRequired(),
    errors.VersionPublished(),
    errors.NotNextVersion(3),
    errors.TooManyUnverified(),
    errors.TooManySecrets(),
    errors.NotAWebhook(),
    errors.KeyReplaced(),
    errors.ProposalEnded("confirmed"),
    errors.AnotherPersonRequired(),
    errors.TooManyProposals(),
    errors.DocumentRefused(
        (found("unknown_agency", "legal-at-incident", agency="uptd-ppa-lama").to_json(),),
    ),
    IllegalTransition(HandoffState.DECLINED, HandoffEvent.ACCEPT, ()),
    rights.ProcessingRestricted(_SINCE),
    rights.ReferralErased(),
    rights.UnderLegalHold(),
    rights.EmergencyRunning(),
    rights.AlreadyAnswered(),
    rights.NotRestricted(),
    rights.HoldLifted(),
    rights.LedgerUnavailable(),
)
