"""Why a request is refused before any workflow sees it."""

from typing import ClassVar

from app.api.faults import Finding
from app.domain.errors import DomainError


class Refusal(DomainError):
    """The request itself cannot be served."""

    code: ClassVar[str] = "refused"


class MalformedBody(Refusal):
    """The body is not JSON as this service takes it."""

    code = "malformed_body"

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("the body is malformed")
        self.findings = findings


class BodyTooLarge(Refusal):
    """The body is larger than any request needs to be."""

    code = "body_too_large"


class BodyTooSlow(Refusal):
    """The body did not arrive in time."""

    code = "body_too_slow"


class UnsupportedMediaType(Refusal):
    """The body is of a type that this service does not read."""

    code = "unsupported_media_type"


class BadParameter(Refusal):
    """A parameter of the query or a header cannot be read."""

    code = "invalid_parameter"

    def __init__(self, parameter: str, fault: str = "wrong_format") -> None:
        super().__init__(f"the parameter {parameter} cannot be read")
        self.parameter = parameter
        self.fault = fault


class BadQuery(Refusal):
    """The query or the path holds what no parameter takes."""

    code = "invalid_parameter"

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("the query cannot be read")
        self.findings = findings


class MalformedRequest(Refusal):
    """What was sent is not HTTP as this service takes it."""

    code = "malformed_request"


class HeadTooLarge(Refusal):
    """The request line and the headers are larger than any request needs them to be."""

    code = "headers_too_large"


class Unauthenticated(Refusal):
    """The request carries no key, token or certificate, or none that is valid."""

    code = "unauthenticated"

    def __init__(self, *, key_given: bool, fault: str | None = None) -> None:
        super().__init__("a valid key is needed")
        self.key_given = key_given
        self.fault = fault
        """What is wrong with a token, in a word."""


class IdempotencyKeyInvalid(Refusal):
    """The Idempotency-Key is not 1 to 255 printable ASCII characters."""

    code = "idempotency_key_invalid"


class IdempotencyKeyRequired(Refusal):
    """The request must carry an Idempotency-Key, so that it can be repeated without harm."""

    code = "idempotency_key_required"


class IdempotencyKeyReused(Refusal):
    """The Idempotency-Key was used for another request."""

    code = "idempotency_key_reused"


class IdempotencyInFlight(Refusal):
    """A request with this Idempotency-Key is being worked on."""

    code = "idempotency_in_flight"


class RateLimited(Refusal):
    """Too many requests came from this key or this address."""

    code = "rate_limited"

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many requests")
        self.retry_after = retry_after


class Unavailable(Refusal):
    """The service cannot answer now; nothing was done unless a later answer says so."""

    code = "service_unavailable"


class NoSuchPage(Refusal):
    """There is nothing at this address."""

    code = "no_such_path"


class MethodNotAllowed(Refusal):
    """The address is there, but not for this method."""

    code = "method_not_allowed"

    def __init__(self, allow: str) -> None:
        super().__init__("the method is not allowed here")
        self.allow = allow


class Unexpected(Refusal):
    """Something broke on our side."""

    code = "internal_error"
