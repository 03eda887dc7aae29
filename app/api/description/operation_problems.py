"""Which problems each operation may answer with, beside those of every operation of its kind.

The tests listen to every answer of the service, and fail where one is not told of here.
"""

from collections.abc import Iterable, Mapping

from app.api import refusals
from app.domain import errors, rights
from app.domain.errors import DomainError
from app.domain.handoff import IllegalTransition

Problems = tuple[type[DomainError], ...]

OF_READING: Problems = (
    refusals.BadParameter,
    refusals.Unauthenticated,
    errors.ScopeRequired,
    refusals.RateLimited,
    refusals.Unexpected,
    refusals.Unavailable,
)
OF_CHANGING: Problems = (
    *OF_READING,
    refusals.MalformedBody,
    refusals.BodyTooSlow,
    refusals.BodyTooLarge,
    refusals.UnsupportedMediaType,
    errors.InvalidInput,
)
OF_POST: Problems = (
    refusals.IdempotencyKeyInvalid,
    refusals.IdempotencyInFlight,
    refusals.IdempotencyKeyReused,
)
OF_IF_MATCH: Problems = (errors.PreconditionRequired, errors.PreconditionFailed)

_CASE: Problems = (rights.ProcessingRestricted,)
_LIVE_CASE: Problems = (rights.ProcessingRestricted, rights.ReferralErased)
_ANSWER: Problems = (*_LIVE_CASE, IllegalTransition)
_OPEN: Problems = (*_LIVE_CASE, errors.ReferralNotOpen)
_WAITING: Problems = (*_LIVE_CASE, errors.RequestNotWaiting)
_OFFICER: Problems = (rights.ReferralErased,)
_PROPOSED: Problems = (errors.TooManyProposals,)
_ENDED: Problems = (errors.ProposalEnded,)
_DRAFT: Problems = (errors.VersionPublished, *OF_IF_MATCH)

TABLE: Mapping[str, Problems] = {
    "submit_referral": (*_LIVE_CASE, errors.DuplicateReference),
    "read_referral": _CASE,
    "amend_referral": _OPEN,
    "cancel_referral": (*_OPEN, errors.HolderRequired),
    "void_referral": (*_OPEN, errors.HolderRequired, IllegalTransition),
    "withdraw_consent": _OPEN,
    "confirm_vital_interest": (*_OPEN, errors.ConsentRequired, errors.NothingToConfirm),
    "read_handoff": _CASE,
    "accept_handoff": (*_ANSWER, errors.ConsentRequired),
    "decline_handoff": _ANSWER,
    "start_handoff": _ANSWER,
    "hold_handoff": _ANSWER,
    "resume_handoff": _ANSWER,
    "hand_back_handoff": _ANSWER,
    "complete_handoff": _ANSWER,
    "fail_handoff": _ANSWER,
    "confirm_handoff_cancellation": _ANSWER,
    "keep_handoff_duty": (*_LIVE_CASE, errors.DutyNotOwed),
    "withdraw_handoff": _ANSWER,
    "request_handoff_cancellation": _ANSWER,
    "read_service_request": _CASE,
    "acknowledge_service_request": _WAITING,
    "place_service_request": (*_WAITING, errors.ConsentRequired),
    "close_service_request_unmet": _WAITING,
    "record_rights_request": _OFFICER,
    "answer_rights_request": (*_OFFICER, rights.AlreadyAnswered),
    "restrict_referral": _OFFICER,
    "lift_referral_restriction": (*_OFFICER, rights.NotRestricted),
    "place_legal_hold": _OFFICER,
    "lift_legal_hold": (*_OFFICER, rights.HoldLifted),
    "erase_referral": (*_OFFICER, rights.UnderLegalHold, rights.EmergencyRunning, rights.LedgerUnavailable),
    "export_referral": _OFFICER,
    "export_referral_text": _OFFICER,
    "read_decision": _CASE,
    "replay_decision": _LIVE_CASE,
    "register_endpoint": (errors.TooManyUnverified, *_PROPOSED),
    "list_endpoints": (errors.RoleRequired,),
    "change_endpoint": (errors.TooManyUnverified, *_PROPOSED),
    "disable_endpoint": (errors.RoleRequired,),
    "enable_endpoint": (errors.RoleRequired, errors.TooManyUnverified),
    "pause_endpoint": (errors.RoleRequired,),
    "challenge_endpoint": (errors.TooManyUnverified,),
    "rotate_endpoint_secret": (errors.TooManySecrets, errors.NotAWebhook, *_PROPOSED),
    "put_endpoint_headers": (errors.NotAWebhook,),
    "put_endpoint_tls": (errors.NotAWebhook, *_PROPOSED),
    "resend_delivery": (errors.NotSentAgain,),
    "recover_endpoint": (errors.RecoveryRunning,),
    "cancel_recovery": (errors.RecoveryOfHeld,),
    "put_agency": OF_IF_MATCH,
    "put_agency_service": (errors.RoleRequired,),
    "list_keys": (errors.RoleRequired,),
    "rotate_key": (errors.KeyReplaced,),
    "put_agreement_draft": (errors.DocumentInvalid, *_DRAFT),
    "delete_agreement_draft": _DRAFT,
    "publish_agreement_version": (
        errors.DocumentInvalid,
        errors.DocumentRefused,
        errors.VersionPublished,
        errors.NotNextVersion,
        errors.PreconditionFailed,
        *_PROPOSED,
    ),
    "refuse_proposal": (*_ENDED, errors.AnotherPersonRequired),
    "withdraw_proposal": _ENDED,
    "confirm_proposal": (
        *_ENDED,
        errors.AnotherPersonRequired,
        errors.TooManyUnverified,
        errors.TooManySecrets,
        errors.DocumentRefused,
        errors.NotNextVersion,
        errors.VersionPublished,
    ),
}
UNFRAMED: Mapping[str, Problems] = {
    "list_webhook_keys": (refusals.NoSuchPage, errors.NotFound, refusals.Unexpected, refusals.Unavailable),
    "check_liveness": (refusals.Unexpected,),
    "check_readiness": (refusals.Unexpected,),
    "check_startup": (refusals.Unexpected,),
}
"""Of the operations that need no key."""


def problems_of(
    operation: str, *, method: str, roles: bool, names_something: bool, if_match: bool | None, key_required: bool
) -> frozenset[type[DomainError]]:
    """Give what an operation may answer with; `if_match` is None where it takes none, and false where it may be left.

    `names_something`: the path holds what may not be there.
    """

    def all_of() -> Iterable[type[DomainError]]:
        yield from OF_READING if method == "GET" else OF_CHANGING
        if method == "POST":
            yield from OF_POST
        if key_required:
            yield refusals.IdempotencyKeyRequired
        if roles:
            yield errors.RoleRequired
        if names_something:
            yield errors.NotFound
        if if_match is not None:
            yield errors.PreconditionFailed
        if if_match:
            yield errors.PreconditionRequired
        yield from TABLE.get(operation, ())

    return frozenset(all_of())
