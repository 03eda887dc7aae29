"""What the operations are grouped by, in the order in which a person meets them."""

from typing import Any

TAGS: tuple[tuple[str, str], ...] = (
    ("referrals", "A sender hands in a victim's referral, follows it, amends it and takes it back."),
    ("handoffs", "What an agency was asked to do, and what it answers: its list of work."),
    ("service requests", "What no rule could place, or nobody has taken, waits here for its coordinator."),
    ("routing", "Where services would go and why, and why they went where they went."),
    ("events", "The feed: all that a webhook would have said, for who has none or missed one."),
    ("endpoints", "Where an agency's news is posted to, how it is signed, and what proves that the place is theirs."),
    ("endpoint health", "How endpoints are doing, and which of them fail."),
    ("deliveries", "What became of each webhook, attempt by attempt; any of them can be sent again."),
    ("recoveries", "Sending an endpoint all that it missed, in the background."),
    ("keys", "An agency's own API keys: listed, rotated, revoked."),
    ("agencies", "The registry of agencies, the services they offer, and whether these are available."),
    ("agreements", "The rules: agreements and baselines, drafted, checked, simulated and published."),
    ("proposals", "Changes that wait for a second person."),
    ("rights", "The rights of the person a case is about: access, restriction, legal holds, erasure."),
    ("reference", "Code sets and regions, with labels in Indonesian and English."),
    ("statistics", "What is counted of a month, with small numbers hidden."),
    ("health", "Whether the process lives, is ready and has started; needs no key."),
    ("webhooks", "What is posted to an agency's endpoints."),
)


def tags() -> list[dict[str, Any]]:
    """Give what stands under `tags` in the document."""
    return [{"name": name, "description": description} for name, description in TAGS]
