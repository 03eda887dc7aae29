"""What may be wrong with a request that its schema allows, and why no schema says it.

A fitting request that is refused for anything else has found a rule that the description leaves out.
"""

from collections.abc import Mapping
from typing import Any

FAULTS: Mapping[str, str] = {
    "unknown_code": "the lists of codes grow; a schema that closed them would break clients that live by it",
    "unknown_region": "of some 80,000 regions, by edition",
    "unknown_agency": "the registry grows",
    "agency_off_the_list": "depends on the case",
    "region_avoided": "depends on the case",
    "unknown_duty": "depends on the handoff",
    "contradiction": "of one field with another",
    "not_after_since": "of one field with another",
    "failed_or_since": "of one field with another",
    "twice": "of codes inside of objects; lists of texts say uniqueItems",
    "whole_number_required": "20.0 is a whole number to a schema, and none in the text of JSON",
    "in_past": "depends on the day",
    "in_future": "depends on the day",
    "out_of_range": "the last month counts from the first, and a duration's bounds are no pattern",
    "secret_life": "a duration's bounds are no pattern",
    "key_life": "a duration's bounds are no pattern",
    "challenge_wrong": "depends on what was sent to the endpoint",
    "malformed_cursor": "a cursor is of one list and its filters",
    "nul_character": "said in the words of the API; a pattern at every text would hide those that say something",
    "number_out_of_range": "said in the words of the API: what no double holds",
    "control_character": "said in the words of the API: by the tables of Unicode, which no pattern here knows",
    "nothing_visible": "said in the words of the API: by the tables of Unicode, which no pattern here knows",
    "certificate_unreadable": "what a certificate holds",
    "key_unreadable": "what a key holds",
    "url_host": "what a host name may be",
    "url_port": "a setting of the operator",
    "url_address_not_allowed": "a setting of the operator",
    "url_https_required": "a setting of the operator",
    "mail_not_sent": "a setting of the operator",
    "mail_address": "what a mail address may be, beside https in one field",
    "for_webhooks_alone": "of one field with another",
    "channel_changed": "depends on the endpoint",
    "more_faults": "stands beside faults that are judged themselves",
}
"""Codes of faults in a field."""
PROBLEMS: Mapping[str, str] = {
    "document_invalid": "an agreement has a schema of its own: openapi/agreement.schema.json",
}
"""Codes of problems as a whole."""
REQUIRED: Mapping[str, str] = {
    "/note": "where the reason is `other`",
    "/consent/given_at": "where the basis is a person's consent",
    "/tls/client_key": "beside its certificate",
    "/tls/client_certificate": "beside its key",
    "/client_key": "beside its certificate",
    "/client_certificate": "beside its key",
}
"""Fields that another field makes required."""


ELSEWHERE: Mapping[str, str] = {
    "/cases/": "cases are described where `lintas route` is, in docs/agreements.md",
}
"""Parts of a body whose content another document describes."""


def unsayable(problem: Mapping[str, Any], body: Any) -> bool:
    """Say whether a request was refused for what no schema could have said."""
    if problem.get("code") in PROBLEMS:
        return True
    faults = problem.get("errors") or []
    return bool(faults) and all(_is_unsayable(str(one["code"]), one.get("pointer") or "", body) for one in faults)


def _is_unsayable(code: str, pointer: str, body: Any) -> bool:
    if code == "required":
        return pointer in REQUIRED or pointer.startswith(tuple(ELSEWHERE))
    if code == "too_short":
        # Spaces at both ends do not count.
        said = _at(pointer, body)
        return isinstance(said, str) and bool(said) and not said.strip()
    return code in FAULTS or pointer.startswith(tuple(ELSEWHERE))


def _at(pointer: str, body: Any) -> Any:
    for part in pointer.split("/")[1:]:
        body = body[int(part)] if isinstance(body, list) else body[part]
    return body
