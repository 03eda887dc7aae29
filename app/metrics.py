"""What the service counts of itself, for Prometheus: codes of ours alone, never an agency, a place or a case.

Whoever can read these numbers learns how much there is to do and how well it goes, and of nobody. A label takes few
values, all of them from the code. Every process counts for itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)


@dataclass(frozen=True, slots=True)
class Described:
    """A metric as the documents list it."""

    name: str
    """As Prometheus stores it: a counter's with `_total`."""
    kind: str
    labels: tuple[str, ...]
    said: str
    from_database: bool = False
    """Of the whole service, and so the same from every process: take the highest, never the sum."""


DESCRIBED: dict[str, Described] = {}
"""Every metric of our own, by its name."""


def _describe(name: str, kind: str, said: str, labels: Sequence[str], *, from_database: bool = False) -> None:
    if name in DESCRIBED:
        raise AssertionError(name)
    DESCRIBED[name] = Described(name, kind, tuple(labels), said, from_database)


def _counter(name: str, said: str, *labels: str) -> Counter:
    _describe(f"{name}_total", "counter", said, labels)
    return Counter(name, said, labels, registry=REGISTRY)


def _gauge(name: str, said: str, *labels: str) -> Gauge:
    _describe(name, "gauge", said, labels)
    return Gauge(name, said, labels, registry=REGISTRY)


def _histogram(name: str, said: str, *labels: str, buckets: Sequence[float]) -> Histogram:
    _describe(name, "histogram", said, labels)
    return Histogram(name, said, labels, registry=REGISTRY, buckets=buckets)


def _of_service(name: str, said: str, *labels: str) -> Described:
    _describe(name, "gauge", said, labels, from_database=True)
    return DESCRIBED[name]


MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
FAST = (0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
"""Seconds, for what a program waits for."""
TO_OFFER = (0.1, 1.0, 10.0, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, DAY, 3 * DAY)
"""Seconds, for what is decided at once or by a coordinator, who has 15 minutes, four hours or a working day."""
TO_TAKE = (
    MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    4 * HOUR,
    8 * HOUR,
    DAY,
    2 * DAY,
    4 * DAY,
    7 * DAY,
)
"""Seconds, for what people answer."""

# --- what one process sees ---

BUILD = _gauge("lintas_build_info", "1, with the version of this process and what it is.", "version", "process")
REQUESTS = _histogram(
    "lintas_http_request_duration_seconds",
    "How long requests took to be answered, by route and class of status; health is left out.",
    "method",
    "route",
    "status",
    buckets=FAST,
)
REFERRALS = _counter("lintas_referrals_received", "Referrals that were taken in and kept.", "urgency")
DECISIONS = _counter(
    "lintas_decisions",
    "Decisions on service requests that were kept, by what they gave and, where a coordinator is needed, why.",
    "outcome",
    "reason",
)
HANDOFF_NEWS = _counter(
    "lintas_handoff_news", "What happened to handoffs: offered, accepted, declined, expired, ...", "news", "urgency"
)
FIRST_OFFER = _histogram(
    "lintas_first_offer_seconds",
    "From a referral's receipt to the first offer of each service, by the business clock.",
    "urgency",
    buckets=TO_OFFER,
)
ACCEPTANCE = _histogram(
    "lintas_acceptance_seconds",
    "From a referral's receipt to each acceptance, by the business clock.",
    "urgency",
    buckets=TO_TAKE,
)
POSTS = _histogram(
    "lintas_webhook_post_duration_seconds",
    "How long posts of webhooks took, by what came of them: delivered, or how far they came.",
    "outcome",
    buckets=FAST,
)
NEWS_AGE = _histogram(
    "lintas_webhook_delivery_seconds",
    "From the writing of news to its receiver's 2xx, in real time.",
    "first_attempt",
    buckets=(*FAST, MINUTE, 5 * MINUTE, HOUR, 4 * HOUR, DAY),
)
CLAIMED = _counter("lintas_deliveries_claimed", "Deliveries that this worker claimed.")
CLAIM_LOOKS = _counter("lintas_claim_looks", "Times that this worker looked for what is due.", "result")
JOBS = _counter("lintas_worker_jobs", "Times that a job of the workers came to an end.", "job", "result")
LOOP_LAG = _histogram(
    "lintas_event_loop_lag_seconds",
    "How much later than asked for this process's loop came to what was due.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)
POOL = _gauge("lintas_database_pool_connections", "Connections of this process to the database.", "state")
POOL_SIZE = _gauge("lintas_database_pool_limit", "How many connections this process may hold at once.")
DATABASE_UP = _gauge("lintas_database_up", "1 while this process reaches the database, else 0.")
MIGRATED = _gauge("lintas_database_migrated", "1 while the database stands at this version's migration or ahead of it.")
KEY_RING_FLAWS = _gauge(
    "lintas_key_ring_flaws", "Keys of this process's ring that lack or are others, by what is wrong.", "flaw"
)
CLOCK_SKEW = _gauge(
    "lintas_clock_skew_seconds", "How far this machine's clock is ahead of the database's; below 0 it is behind."
)
REGISTRY_VERSION = _gauge("lintas_registry_version", "The registry as this process last read it, and as it is.", "of")
READY = _gauge("lintas_ready", "1 while this process is ready, as /health/ready says.")

# --- what is so of the whole service ---

OFFERS = _of_service("lintas_offers_open", "Offers that nobody has answered yet, counted up to 10,000.", "urgency")
OFFERS_LATE = _of_service("lintas_offers_late", "Open offers whose time to answer has passed.", "urgency")
OFFER_AGE = _of_service(
    "lintas_oldest_offer_age_seconds", "Age of the oldest open offer; 0 where there is none.", "urgency"
)
WITHOUT_TAKER = _of_service(
    "lintas_emergencies_without_taker", "Services of emergencies that no agency has taken: offered, or waiting."
)
WITHOUT_TAKER_AGE = _of_service(
    "lintas_emergency_without_taker_age_seconds",
    "Since the receipt of the oldest emergency of which a service is not taken; 0 where there is none.",
)
QUEUE = _of_service(
    "lintas_coordinator_queue",
    "Service requests that wait for a coordinator, by how long; counted up to 10,000.",
    "urgency",
    "acknowledged",
    "age",
)
UNACKNOWLEDGED = _of_service(
    "lintas_oldest_unacknowledged_age_seconds",
    "How long the oldest request has waited that no coordinator has acknowledged; 0 where there is none.",
    "urgency",
)
UNCOORDINATED = _of_service("lintas_requests_uncoordinated", "Service requests that have no coordinator at all.")
DELIVERIES = _of_service(
    "lintas_deliveries",
    "Webhooks that are due or held, by the state of their endpoint; up to 1,000 of each endpoint.",
    "state",
    "endpoint_state",
)
BACKLOG_AGE = _of_service(
    "lintas_delivery_backlog_age_seconds",
    "How long the longest due webhook has waited to be claimed: to working endpoints, or to those that fail.",
    "endpoints",
    "goes_first",
)
ENDPOINTS = _of_service(
    "lintas_endpoints", "Endpoints by their state, and whether their breaker is open.", "state", "breaker"
)
CLOCK_LAG = _of_service(
    "lintas_clock_lag_seconds", "How late the clock is that is longest overdue: reminders, expiries and escalations."
)
BEAT_AGE = _of_service("lintas_beat_age_seconds", "Since when no API answered, and no worker ran the clocks.", "of")
MONTHS_AHEAD = _of_service("lintas_months_ahead", "How many months from the present one on have their partitions.")
OUTSIDE_MONTHS = _of_service("lintas_rows_outside_months", "1 where rows of a table lie in no month, else 0.", "table")
UNLINKED_AGE = _of_service(
    "lintas_audit_unlinked_age_seconds", "How long the oldest entry of the audit waits for its chain."
)
RIGHTS_OVERDUE = _of_service(
    "lintas_rights_requests_overdue", "Persons who were not answered within three times 24 hours."
)

# --- what is shown as 0 before it first happens, so that its first time is seen ---

for _urgency in ("emergency", "urgent", "standard"):
    REFERRALS.labels(_urgency)
    for _news in ("offered", "accepted", "expired"):
        HANDOFF_NEWS.labels(_news, _urgency)
for _status in ("2xx", "4xx", "5xx"):
    REQUESTS.labels("POST", "/v1/referrals", _status)
for _result in ("done", "failed"):
    CLAIM_LOOKS.labels(_result)
