"""One full exchange with Lintas through the generated client: an agency refers, another takes it on and ends it.

Run it with the keys of a sender and of the receiver that is asked first, such as `make run` prints:

    BASE_URL=http://127.0.0.1:8080 SENDER=lintas_sender_... RECEIVER=lintas_receiver_... python exchange.py

It says every step, and ends with 1 at the first one that does not go as it should.
"""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from lintas_client import AuthenticatedClient
from lintas_client.api.events import list_events
from lintas_client.api.handoffs import (
    accept_handoff,
    complete_handoff,
    decline_handoff,
    list_handoffs,
    read_handoff,
    start_handoff,
)
from lintas_client.api.referrals import amend_referral, list_referrals, read_referral, submit_referral
from lintas_client.models import (
    AskedForService,
    CaseOfViolence,
    CompletionOutcome,
    Consent,
    ConsentBasis,
    DeclineReason,
    HandoffCompletion,
    HandoffDecline,
    HandoffInList,
    HandoffState,
    Locations,
    Problem,
    ReferralAmendment,
    ReferralLineView,
    ReferralSubmission,
    ReferralView,
    Urgency,
    Victim,
)
from lintas_client.types import Response

View = TypeVar("View")


class Refused(Exception):
    """Lintas refused a request: `problem` says why, in `code` for programs and in `detail` for people."""

    def __init__(self, problem: Problem, headers: Mapping[str, str]) -> None:
        super().__init__(f"{problem.status} {problem.code}: {problem.detail}")
        self.problem = problem
        self.headers = headers


def main() -> None:
    """Go through the exchange once."""
    at, run = os.environ["BASE_URL"], uuid4().hex[:12]
    sender = AuthenticatedClient(base_url=at, token=os.environ["SENDER"], headers={"Accept-Language": "en"})
    receiver = AuthenticatedClient(base_url=at, token=os.environ["RECEIVER"], headers={"Accept-Language": "en"})

    referral = send(sender, run)
    page_through(sender, run, referral.id)
    accepted, declined = receive(receiver, referral.id)
    amend(sender, referral.id)
    follow(sender, referral.id, accepted, declined)
    ask_too_often(sender)


def send(sender: AuthenticatedClient, run: str) -> ReferralView:
    """Send a referral: refused while it is wrong, taken once, and the same one again when the answer was lost."""
    wrong = a_referral(f"{run}-1")
    wrong.services = [AskedForService(type_="tailoring")]
    refused = refusal(submit_referral.sync_detailed(client=sender, body=wrong, idempotency_key=f"{run}-0"))
    faults = refused.problem.errors or []
    step("a referral that asks for what nobody gives is refused", refused.problem.status == 422)
    step("and the problem names the field", [fault.pointer for fault in faults] == ["/services/0/type"])

    body = a_referral(f"{run}-1")
    answer = submit_referral.sync_detailed(client=sender, body=body, idempotency_key=f"{run}-1")
    referral = shown(answer)
    step("a referral is taken", answer.status_code == 201 and referral.state == "open")
    asked = {line.service_type: line.handoff.agency for line in referral.service_requests if line.handoff}
    step("and says whom it asked for what", asked.keys() == {"legal_service", "psychosocial_service"})

    again = submit_referral.sync_detailed(client=sender, body=body, idempotency_key=f"{run}-1")
    step("sent again under its key it is the same one", shown(again).id == referral.id)
    step("and says that it is a repeat", again.headers["Idempotency-Replayed"] == "true")

    other = a_referral(f"{run}-2")
    refused = refusal(submit_referral.sync_detailed(client=sender, body=other, idempotency_key=f"{run}-1"))
    step("another one under the same key is refused", refused.problem.status == 422)
    refused = refusal(submit_referral.sync_detailed(client=sender, body=body, idempotency_key=f"{run}-2"))
    step("and the same one under another key is a conflict", refused.problem.status == 409)
    return referral


def page_through(sender: AuthenticatedClient, run: str, first: UUID) -> None:
    """Send two more, and find all three by pages of two."""
    sent = [first]
    for number in (2, 3):
        body = a_referral(f"{run}-{number}")
        sent.append(
            shown(submit_referral.sync_detailed(client=sender, body=body, idempotency_key=f"{run}-{number}")).id
        )
    listed: list[UUID] = []
    for line in referrals_of(sender, limit=2):
        listed.append(line.id)
        if first in listed:
            break
    step("three referrals are listed over two pages, newest first", listed[: len(sent)] == sent[::-1])


def receive(receiver: AuthenticatedClient, referral_id: UUID) -> tuple[UUID, UUID]:
    """Find what may be accepted, accept and complete one, decline the other."""
    offered = {
        line.service_type: line.id
        for line in handoffs_of(receiver, HandoffState.OFFERED, HandoffState.EXPIRED)
        if line.referral_id == referral_id
    }
    step(
        "the receiver finds both offers, with those that may still be accepted",
        offered.keys() == {"legal_service", "psychosocial_service"},
    )
    accepted, declined = offered["legal_service"], offered["psychosocial_service"]

    handoff = shown(read_handoff.sync_detailed(accepted, client=receiver))
    step("an offer says by when it is to be answered", handoff.respond_by > handoff.offered_at)
    step("and shows no name yet", handoff.case is None or "name" not in handoff.case.personal)

    handoff = shown(accept_handoff.sync_detailed(accepted, client=receiver, idempotency_key=str(uuid4())))
    step("it is accepted", handoff.state == "accepted")
    refused = refusal(accept_handoff.sync_detailed(accepted, client=receiver, idempotency_key=str(uuid4())))
    step("accepting it once more is a conflict", refused.problem.status == 409)
    step("which says what can be done instead", "start" in (refused.problem.available_actions or []))

    no = HandoffDecline(reason=DeclineReason.NO_CAPACITY, note="Penuh sampai akhir minggu.")
    handoff = shown(decline_handoff.sync_detailed(declined, client=receiver, body=no))
    step("the other one is declined", (handoff.state, handoff.reason) == ("declined", "no_capacity"))

    shown(start_handoff.sync_detailed(accepted, client=receiver))
    done = HandoffCompletion(outcome=CompletionOutcome.SERVICE_GIVEN)
    handoff = shown(complete_handoff.sync_detailed(accepted, client=receiver, body=done))
    step("and the first is completed", (handoff.state, handoff.outcome) == ("completed", "service_given"))
    return accepted, declined


def amend(sender: AuthenticatedClient, referral_id: UUID) -> None:
    """Add to the referral what became known: only to the version that was read."""
    read = read_referral.sync_detailed(referral_id, client=sender)
    change = ReferralAmendment(narrative="Korban sudah di rumah kakaknya.")
    refused = refusal(amend_referral.sync_detailed(referral_id, client=sender, body=change, if_match='"v0"'))
    step("a change to another version is refused", refused.problem.status == 412)

    amended = amend_referral.sync_detailed(referral_id, client=sender, body=change, if_match=read.headers["ETag"])
    step("and to the version that was read it is made", shown(amended).version == shown(read).version + 1)
    step("which is then another", amended.headers["ETag"] == f'"v{shown(amended).version}"')


def follow(sender: AuthenticatedClient, referral_id: UUID, accepted: UUID, declined: UUID) -> None:
    """Read in the feed what became of it all, as a webhook would have said; the cursor is kept between two looks."""
    lived = ["handoff.accepted", "handoff.started", "handoff.completed"]
    told: dict[str, list[str]] = {}
    after: str | None = None
    for _ in range(20):
        page = shown(list_events.sync_detailed(client=sender, after=after, limit=200))
        after = page.next_ or after
        for event in page.items:
            said = event.data.additional_properties
            if said.get("referral_id") == str(referral_id) and event.type_ in {*lived, "handoff.declined"}:
                told.setdefault(str(said.get("handoff_id")), []).append(event.type_)
        if lived[-1] in told.get(str(accepted), []):
            break
        if not page.items:
            time.sleep(0.5)
    step("the sender is told what became of the first", told.get(str(accepted)) == lived)
    step("and of the other", told.get(str(declined)) == ["handoff.declined"])


def ask_too_often(sender: AuthenticatedClient) -> None:
    """Ask until Lintas says that it is too much, wait as long as it says, and go on."""
    for _ in range(1_000):
        answer = list_referrals.sync_detailed(client=sender, limit=1)
        if answer.status_code == 429:
            break
    refused = refusal(answer)
    step("who asks too often is told so", refused.problem.status == 429)
    time.sleep(int(refused.headers["Retry-After"]))
    step("and for how long to wait", list_referrals.sync_detailed(client=sender, limit=1).status_code == 200)


def a_referral(reference: str) -> ReferralSubmission:
    """Write a referral: a woman hurt in Sepaku asks for a lawyer and for somebody to talk to."""
    return ReferralSubmission(
        sender_reference=reference,
        urgency=Urgency.STANDARD,
        case=CaseOfViolence(types=["physical", "psychological"]),
        locations=Locations(incident="64.09.04", domicile="64.09.01", current="64.09.01"),
        victim=Victim(alias="Bunga", sex="female", age=31),
        services=[AskedForService(type_="legal_service"), AskedForService(type_="psychosocial_service")],
        consent=Consent(basis=ConsentBasis.VICTIM, given_at=datetime.now(UTC) - timedelta(hours=1)),
    )


def referrals_of(sender: AuthenticatedClient, *, limit: int) -> Iterator[ReferralLineView]:
    """List all referrals, page by page."""
    after: str | None = None
    while True:
        page = shown(list_referrals.sync_detailed(client=sender, limit=limit, after=after))
        yield from page.items
        if page.next_ is None:
            return
        after = page.next_


def handoffs_of(receiver: AuthenticatedClient, *states: HandoffState) -> Iterator[HandoffInList]:
    """List all handoffs in any of some states, page by page."""
    after: str | None = None
    while True:
        page = shown(list_handoffs.sync_detailed(client=receiver, state=list(states), after=after))
        yield from page.items
        if page.next_ is None:
            return
        after = page.next_


def shown(response: Response[Problem | View]) -> View:
    """Give what an answer shows, or say what was refused."""
    if isinstance(response.parsed, Problem):
        raise Refused(response.parsed, response.headers)
    if response.parsed is None:
        raise ValueError(f"{response.status_code} is no answer that the description names")
    return response.parsed


def refusal(response: Response[Problem | View]) -> Refused:
    """Give what a request was refused with."""
    if isinstance(response.parsed, Problem):
        return Refused(response.parsed, response.headers)
    raise ValueError(f"it should have been refused, but {response.status_code} came back")


def step(what: str, happened: bool) -> None:
    """Say a step, and end here if it did not go as it should."""
    print(f"  {'ok' if happened else 'NOT'}  {what}", flush=True)
    if not happened:
        sys.exit(1)


if __name__ == "__main__":
    main()
