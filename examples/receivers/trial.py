"""What every receiver must stand, each a function that ends with NotSo where it does not."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from standardwebhooks import Webhook

from app.domain.webhook import new_secret
from examples.receivers.door import Carried, Fate
from examples.receivers.integrator import ACCEPTED, COMPLETED, OFFERED, Integrator
from examples.receivers.waiting import so, until

Trial: TypeAlias = Callable[[Integrator, datetime], Awaitable[None]]

REFUSED = frozenset({400, 401})
SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")


async def proves_its_endpoint(agency: Integrator, _: datetime) -> None:
    """See that it gives the challenge back."""
    await agency.register()


async def takes_each_event_once(agency: Integrator, _: datetime) -> None:
    """See that it keeps every event of a case once, works on it, and knows the newest state."""
    handoff_id = await agency.refer()
    await agency.serve(handoff_id)
    await _all_done(agency, handoff_id)
    so("each was kept before it was answered", not agency.answered_unkept)
    so("it has fetched the handoff", agency.looks(handoff_id) >= 1)


async def orders_by_sequence(agency: Integrator, _: datetime) -> None:
    """See that news which was overtaken is kept and changes nothing."""
    handoff_id = await agency.refer()
    await until("the offer is worked on", _done(agency, await agency.id_of(OFFERED, handoff_id)))
    held = agency.news.rule(Fate.HELD, lambda _path, body: _says(body, ACCEPTED, handoff_id))
    await agency.serve(handoff_id)
    await until("the completion is worked on", _done(agency, await agency.id_of(COMPLETED, handoff_id)))
    so("the acceptance is on its way yet", held.met == 1)
    before, looks = agency.running.handoffs()[handoff_id], agency.looks(handoff_id)

    held.lift()
    await until("the late acceptance is worked on", _done(agency, await agency.id_of(ACCEPTED, handoff_id)))

    so("the state is that of the newest event", agency.running.handoffs()[handoff_id] == before)
    so("nothing was fetched for what was overtaken", agency.looks(handoff_id) == looks)
    await _all_done(agency, handoff_id)


async def takes_a_repeated_delivery_once(agency: Integrator, _: datetime) -> None:
    """See that what Lintas posts again is answered with 2xx and does nothing."""
    post = _latest(agency)
    webhook_id = post.headers["webhook-id"]
    await until("it is worked on", _done(agency, webhook_id))
    kept, looks = agency.running.inbox(), agency.looks(post.news["data"]["handoff_id"])
    times = len(agency.news.of(webhook_id))

    await agency.resend(webhook_id)
    await until("it is posted again", lambda: len(agency.news.of(webhook_id)) > times)
    again = agency.news.of(webhook_id)[-1]

    so("it is answered with 2xx", 200 <= again.status < 300)
    after = agency.running.inbox()
    so("it lies there once", after[: len(kept)] == kept and sum(one.id == webhook_id for one in after) == 1)
    so("nothing was fetched again", agency.looks(post.news["data"]["handoff_id"]) == looks)


async def refuses_wrong_signatures(agency: Integrator, _: datetime) -> None:
    """See that what Lintas did not sign is answered with 400 or 401, and not kept."""
    post = _latest(agency)
    signed = {name: post.headers[name] for name in SIGNED}
    body = post.body
    altered = body.replace(b'"handoff_id"', b'"handoff_ID"', 1)
    unsigned = {name: value for name, value in signed.items() if name != "webhook-signature"}
    await _refuses(
        agency,
        [
            ("a body that was altered", signed, altered),
            ("another id", signed | {"webhook-id": "msg_of_somebody_else"}, body),
            ("another time", signed | {"webhook-timestamp": str(int(signed["webhook-timestamp"]) + 1)}, body),
            ("another's secret", signed | {"webhook-signature": "v1," + "A" * 43 + "="}, body),
            (
                "an unknown scheme",
                signed | {"webhook-signature": signed["webhook-signature"].replace("v1,", "v9,")},
                body,
            ),
            ("a signature that is none", signed | {"webhook-signature": "nonsense"}, body),
            ("a time that is none", signed | {"webhook-timestamp": "yesterday"}, body),
            ("no signature", unsigned, body),
            ("nothing of it", {}, body),
            ("a body that is no text", signed, b"\xff\xfe"),
        ],
    )


async def refuses_old_timestamps(agency: Integrator, now: datetime) -> None:
    """See that what was signed ten minutes ago, or is signed as in ten minutes, is refused, whoever signed it."""
    body = _latest(agency).body.decode()
    posts = []
    for name, moment in (("ago", now - timedelta(minutes=10)), ("ahead", now + timedelta(minutes=10))):
        headers = {
            "webhook-id": f"msg_{name}",
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": Webhook(agency.secrets[0]).sign(f"msg_{name}", moment, body),
        }
        posts.append((f"ten minutes {name}", headers, body.encode()))
    await _refuses(agency, posts)


async def takes_either_secret(agency: Integrator, _: datetime) -> None:
    """See that one signature by one of its secrets is enough: there are two of each while a secret is rotated."""
    await agency.rotate("PT24H")
    handoff_id = await agency.refer()
    await _all_done(agency, handoff_id)
    offer = agency.news.of(await agency.id_of(OFFERED, handoff_id))[-1]
    so("two signatures came", len(offer.headers["webhook-signature"].split()) == 2)

    # Where a second person must confirm it, the receiver knows the next secret before Lintas signs with it.
    await agency.running.restart(new_secret(), agency.secrets[0])
    await _all_done(agency, await agency.refer())


async def refuses_an_ended_secret(agency: Integrator, _: datetime) -> None:
    """See that with a secret that has ended it takes nothing, and with the new one beside it all that comes again."""
    await agency.rotate("PT0S")
    handoff_id = await agency.refer(emergency=True)
    webhook_id = await agency.id_of(OFFERED, handoff_id)
    await until("it is refused", lambda: bool(agency.news.of(webhook_id)))
    so("it is answered with 400 or 401", agency.news.of(webhook_id)[0].status in REFUSED)
    so("it is not kept", agency.running.kept(webhook_id) is None)

    await agency.running.restart(*agency.secrets[:2])
    await _all_done(agency, handoff_id)


async def loses_nothing_when_killed_before_its_work(agency: Integrator, _: datetime) -> None:
    """See that what was answered, but not worked on when it was killed, is worked on when it is back."""
    away = agency.calls.rule(Fate.LOST)
    handoff_id = await agency.refer()
    webhook_id = await agency.id_of(OFFERED, handoff_id)
    await until("it is answered", lambda: any(one.status < 300 for one in agency.news.of(webhook_id)))
    await until("its work was tried", lambda: away.met > 0)
    so("it is kept and not done", not agency.has_done(webhook_id) and agency.running.kept(webhook_id))

    await agency.running.restart(*agency.secrets[:2])
    away.lift()

    await _all_done(agency, handoff_id)
    so("it was posted once", len(agency.news.of(webhook_id)) == 1)


async def loses_nothing_when_killed_while_it_is_posted_to(agency: Integrator, _: datetime) -> None:
    """See that it misses nothing that came while it was gone, and keeps once what came again for a lost answer."""
    unanswered = agency.news.rule(Fate.UNANSWERED, lambda _path, body: _says(body, OFFERED))
    first = await agency.refer(emergency=True)
    lost = await agency.id_of(OFFERED, first)
    await until("it is kept", lambda: agency.running.kept(lost) is not None)
    await until("its answer is lost", lambda: bool(agency.news.of(lost)))
    agency.running.kill()
    unanswered.lift()
    others = await asyncio.gather(*(agency.refer(emergency=True) for _ in range(2)))
    missed = await agency.id_of(OFFERED, others[-1])
    await until("nobody is there", lambda: bool(agency.news.of(missed)))

    await agency.running.start(*agency.secrets[:2])
    await agency.is_back()

    for handoff_id in (first, *others):
        await _all_done(agency, handoff_id)
    await until("it is answered with 2xx in the end", lambda: agency.news.of(lost)[-1].status < 300)
    so("it came more than once", len(agency.news.of(lost)) > 1)


async def has_all_of_the_feed(agency: Integrator, _: datetime) -> None:
    """See that in the end its inbox holds what the feed holds, each once and done, and each handoff's newest state."""
    for handoff_id in {one["data"].get("handoff_id") for one in await agency.told()} - {None}:
        await _all_done(agency, handoff_id)
    told = {str(one["id"]) for one in await agency.told()}
    await until("all that the feed holds is done", lambda: all(map(agency.has_done, told)))
    kept = [one.id for one in agency.running.inbox() if not one.type.startswith(("endpoint.", "proposal."))]
    so("nothing else lies there, and nothing twice", sorted(kept) == sorted(told))
    so("each was kept before it was answered", not agency.answered_unkept)


TRIALS: tuple[Trial, ...] = (
    proves_its_endpoint,
    takes_each_event_once,
    orders_by_sequence,
    takes_a_repeated_delivery_once,
    refuses_wrong_signatures,
    refuses_old_timestamps,
    takes_either_secret,
    refuses_an_ended_secret,
    loses_nothing_when_killed_before_its_work,
    loses_nothing_when_killed_while_it_is_posted_to,
    has_all_of_the_feed,
)


async def _all_done(agency: Integrator, handoff_id: str) -> None:
    """Wait until all news of a handoff is worked on, and see that what is known of it is the newest."""
    told = await agency.told(handoff_id)
    for one in told:
        await until(f"{one['type']} is worked on", _done(agency, str(one["id"])))
    newest = max((one["data"]["sequence"], one["data"]["state"]) for one in told if "sequence" in one["data"])
    now = await agency.get(f"/handoffs/{handoff_id}")
    known = agency.running.handoffs().get(handoff_id)
    so(f"{handoff_id} is known as {newest}, not as {known}", known in {newest, (now["sequence"], now["state"])})


async def _refuses(agency: Integrator, posts: Sequence[tuple[str, dict[str, str], bytes]]) -> None:
    for name, headers, body in posts:
        status = await agency.throw(headers, body)
        so(f"{name} is refused with 400 or 401, not answered with {status}", status in REFUSED)
    ids = {headers.get("webhook-id") for _, headers, _ in posts}
    told = {str(one["id"]) for one in await agency.told()}
    so("nothing of it is kept", not any(one.id in ids - told for one in agency.running.inbox()))


def _done(agency: Integrator, webhook_id: str) -> Callable[[], bool]:
    return lambda: agency.has_done(webhook_id)


def _latest(agency: Integrator) -> Carried:
    """Give the latest post of a handoff that was taken."""
    return next(one for one in reversed(agency.news.carried) if one.status < 300 and "handoff_id" in one.news["data"])


def _says(body: bytes, type_: str, handoff_id: str | None = None) -> bool:
    news = json.loads(body)
    return bool(news["type"] == type_ and handoff_id in {None, news["data"]["handoff_id"]})
