"""What can go wrong in the domain, each error with a stable code and a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


class DomainError(Exception):
    """Something the rules of the domain do not allow."""

    code: ClassVar[str] = "domain_error"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a document or with facts, and where (a JSON Pointer); it never repeats a value."""

    pointer: str
    code: str
    message: str


class FaultsFound(DomainError):
    """What was read has faults, all of which are listed."""

    code = "invalid"

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{fault.pointer or '/'}: {fault.message}" for fault in faults))
        self.faults = faults


class DocumentInvalid(FaultsFound):
    """The document cannot be read as an agreement or a baseline."""

    code = "document_invalid"


class FactsInvalid(FaultsFound):
    """The facts cannot be read."""

    code = "facts_invalid"


class RegistryInvalid(FaultsFound):
    """The agencies cannot be read."""

    code = "registry_invalid"


class InvalidInput(FaultsFound):
    """What was sent cannot be taken; every faulty field is listed."""

    code = "invalid_input"


class NotAWebhook(DomainError):
    """Mail has no secret, no headers and no TLS identity of its agency's."""

    code = "not_a_webhook"

    def __init__(self) -> None:
        super().__init__("this endpoint is a mail address, and what is asked for belongs to a webhook")


class NotFound(DomainError):
    """It is not there, or not yours to see: one answer for both."""

    code = "not_found"

    def __init__(self, what: str) -> None:
        super().__init__(f"there is no such {what}")
        self.what = what


class DuplicateReference(DomainError):
    """The sender has already sent a referral under this reference."""

    code = "duplicate_reference"

    def __init__(self, existing_id: UUID) -> None:
        super().__init__("a referral with this sender reference exists")
        self.referral_id = existing_id


class RoleRequired(DomainError):
    """The caller's key does not carry the role this needs; any one of those named is enough."""

    code = "role_required"

    def __init__(self, *roles: str) -> None:
        super().__init__(f"this needs the role {' or '.join(roles)}")
        self.roles = roles


class ScopeRequired(DomainError):
    """The caller's credential is narrowed to other scopes than the one this needs."""

    code = "scope_required"

    def __init__(self, scope: str) -> None:
        super().__init__(f"this needs the scope {scope}")
        self.scope = scope


class PreconditionRequired(DomainError):
    """A change must say which version it is a change of."""

    code = "precondition_required"


class PreconditionFailed(DomainError):
    """It has changed since the version this change was made from."""

    code = "precondition_failed"


class UnknownAgency(DomainError):
    """The registry has no agency of this code."""

    code = "unknown_agency"

    def __init__(self, agency_code: str) -> None:
        super().__init__(f"there is no agency {agency_code}")
        self.agency_code = agency_code


class ReferralNotOpen(DomainError):
    """The referral has ended, and cannot be changed any more."""

    code = "referral_not_open"

    def __init__(self, state: str) -> None:
        super().__init__(f"the referral is {state}")
        self.current_state = str(state)


class RequestNotWaiting(DomainError):
    """The service request does not wait for its coordinator."""

    code = "request_not_waiting"

    def __init__(self, state: str) -> None:
        super().__init__(f"the service request is {state}")
        self.current_state = str(state)


class DutyNotOwed(DomainError):
    """Only who has taken a handoff owes its duties, and only until it has ended."""

    code = "duty_not_owed"


class RecoveryRunning(DomainError):
    """Another recovery of the endpoint runs, which has to end or to be cancelled first."""

    code = "recovery_running"

    def __init__(self, recovery_id: UUID) -> None:
        super().__init__("another recovery of the endpoint runs")
        self.recovery_id = recovery_id


class RecoveryOfHeld(DomainError):
    """A recovery sends what was held for the endpoint until it was enabled, and ends with that."""

    code = "recovery_of_held"


class NotSentAgain(DomainError):
    """The news is about an address and was for that moment: a challenge, or what a former address was told."""

    code = "not_sent_again"


class ConsentRequired(DomainError):
    """Nothing of this case may be disclosed without consent."""

    code = "consent_required"


class NothingToConfirm(DomainError):
    """No handoff of the referral moves on the vital interest, so there is nothing to confirm."""

    code = "nothing_to_confirm"


class HolderRequired(DomainError):
    """Only who holds the case may do this, and then not everything."""

    code = "holder_required"


class VersionPublished(DomainError):
    """The version of the document is published, and never changes."""

    code = "version_published"


class NotNextVersion(DomainError):
    """A document's versions are published one after the other."""

    code = "not_next_version"

    def __init__(self, next_version: int) -> None:
        super().__init__(f"the next version to publish is {next_version}")
        self.next_version = next_version


class DocumentRefused(DomainError):
    """The document may not be published as it is; the findings say why, each with its clauses and a witness."""

    code = "document_refused"

    def __init__(self, findings: tuple[Mapping[str, object], ...]) -> None:
        super().__init__("the document is refused: " + "; ".join(str(one["message_en"]) for one in findings))
        self.findings = findings


class TooManyUnverified(DomainError):
    """So many of the agency's endpoints wait for their proof that no other may be asked for one."""

    code = "too_many_unverified"


class KeyReplaced(DomainError):
    """The key was rotated: another has taken its place."""

    code = "key_replaced"


class ProposalEnded(DomainError):
    """The proposal does not wait any more."""

    code = "proposal_ended"

    def __init__(self, state: str) -> None:
        super().__init__(f"the proposal is {state}")
        self.current_state = str(state)


class AnotherPersonRequired(DomainError):
    """Nobody confirms or refuses what they proposed themselves; to take it back is to withdraw it."""

    code = "another_person_required"


class TooManyProposals(DomainError):
    """So many of the agency's proposals wait that none may be added before one has ended."""

    code = "too_many_proposals"


class TooManySecrets(DomainError):
    """So many of the endpoint's secrets sign that none may be added before one of them has ended."""

    code = "too_many_secrets"
