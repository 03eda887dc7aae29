"""Everybody looks at everything: each address that is read, each command that prints."""

from collections.abc import Sequence

from tests.leaks.cases import ASKED_AT, Cases
from tests.leaks.world import OPERATOR, SENDER, STRANGER, World

SEEN_BY_SENDER = {
    "/v1/referrals/{referral_id}",
    "/v1/referrals/{referral_id}/export",
    "/v1/referrals/{referral_id}/export/text",
    "/v1/deliveries/{delivery_id}/attempts",
}
SEEN_BY_RECEIVER = {"/v1/handoffs/{handoff_id}"}
"""Reads that may show what is sealed; what a receiver's server said is shown to its own agency."""
PROCESSES = {"serve", "work", "all", "sandbox"}
"""What runs until it is stopped: its log is looked through. `all` is those two in one process."""


async def look_everywhere(world: World, cases: Cases) -> None:
    """Read every address as everybody, of a case that goes on, and of those that are over."""
    for agency in (SENDER, cases.receiver, cases.coordinator, STRANGER, OPERATOR, None):
        for referral_id in (cases.open, cases.completed, cases.restricted, cases.erased):
            for method, path, _ in world.contract.operations():
                if method == "GET" and (referral_id == cases.open or "{referral_id}" in path):
                    await _read(world, cases, agency, path, referral_id)
        for path in ("/health/live", "/health/ready", "/health/startup", "/openapi.json", "/docs", "/metrics"):
            await world.call(agency, "GET", path)
    # Also where it may come to tell of itself elsewhere, by metrics or the like.
    for port in await world.listening():
        for path in ("/", "/metrics"):
            await world.call(None, "GET", path, port=port)
    for query in ("explained=true", "explained=false"):
        await world.call(SENDER, "GET", f"/v1/decisions/{cases.ids['decision_id']}?{query}")
    await world.call(SENDER, "POST", f"/v1/decisions/{cases.ids['decision_id']}/replay")


async def _read(world: World, cases: Cases, agency: str | None, path: str, referral_id: str) -> None:
    at = path.format(**cases.ids | {"referral_id": referral_id})
    sees = (agency == SENDER and path in SEEN_BY_SENDER) or (agency == cases.receiver and path in SEEN_BY_RECEIVER)
    asked = {"limit": "200"} if _is_list(path) else {}
    if "/statistics/" in path:
        asked = dict(zip(("from", "to"), cases.months, strict=True)) | ({} if "duties" in path else {"by": "sex"})
    answer = await world.call(agency, "GET", at, sees=sees, params=asked)
    assert answer.status_code < 500, f"{at}: {answer.text}"


def _is_list(path: str) -> bool:
    return not path.endswith("}") and "statistics" not in path and "export" not in path


def commands(world: World, cases: Cases) -> Sequence[Sequence[str]]:
    """List every command with what it is given: once where it succeeds, once where it does not."""
    nothing = "01a21252-7bc0-7371-a76b-e25001a6c819"
    broken, planted = world.directory / "broken.yaml", str(world.directory / "planted.yaml")
    months, page = ("--from", cases.months[0], "--to", cases.months[1]), str(world.directory / "page.html")
    document, anchors = "baseline-national", str(world.worker.log)
    return (
        ("migrate",),
        ("sign-in", SENDER, "--role", "receiver", "--name", "Ibu Contoh"),
        ("repair-feed",),
        ("seed",),
        ("route", "tests/cases/routing.yaml"),
        ("route", str(broken)),
        ("route", planted),
        ("openapi", "--check"),
        ("health", "--url", f"http://127.0.0.1:{world.api.port}"),
        ("health", "--url", "http://127.0.0.1:1"),
        ("keys", "create", "--agency", SENDER, "--role", "sender"),
        ("keys", "list"),
        ("keys", "scopes"),
        ("keys", "rotate", nothing),
        ("keys", "revoke", nothing),
        ("keys", "add-certificate", "--agency", SENDER, "--role", "sender", "--fingerprint", "ab" * 32),
        ("keys", "list-certificates"),
        ("keys", "revoke-certificate", nothing),
        ("keys", "list-subjects"),
        ("keys", "revoke-subject", nothing),
        ("keys", "rotate-seal"),
        ("keys", "seal-status"),
        ("keys", "forget-seal", "first"),
        ("agreements", "list"),
        ("agreements", "check", document),
        ("agreements", "check", str(broken)),
        ("agreements", "check", document, "--cases", planted),
        ("agreements", "simulate", document, "--cases", planted),
        ("agreements", "coverage", document),
        ("agreements", "explain", document),
        ("agreements", "schema", "--check"),
        ("agreements", "simulate", document, "--json"),
        ("agreements", "draft", str(broken)),
        ("agreements", "confirm", document, "none", "--by", SENDER),
        ("agreements", "withdraw", document, "9"),
        ("agreements", "publish", document, "9"),
        ("audit", "key"),
        ("audit", "verify", "--anchors", anchors),
        ("audit", "drop", "--before", "2020-01-01", "--anchors", anchors),
        *(("audit", "of", one) for one in (cases.open, cases.completed, cases.erased)),
        ("audit", "of", cases.completed, "--json"),
        ("proposals", "list", "--all"),
        ("proposals", "withdraw", nothing),
        ("regions", "import", str(broken)),
        ("regions", "import", planted),
        ("rights", "list"),
        ("rights", "request", cases.open, "restriction", "--asked", ASKED_AT),
        ("rights", "hold", cases.open, "complaint"),
        ("rights", "lift-hold", cases.ids["legal_hold_id"]),
        ("rights", "restrict", cases.open),
        ("rights", "lift-restriction", cases.open),
        ("rights", "erase", cases.open, "--yes"),
        ("rights", "export", nothing),
        ("rights", "export", cases.erased),
        ("rights", "apply-ledger", str(world.directory / "data" / "erasures.jsonl")),
        ("rights", "apply-ledger", str(broken)),
        ("rights", "apply-ledger", planted),
        ("statistics", "draw"),
        *(("statistics", "referrals", "--by", by, *months) for by in ("sex", "age", "violence", "service", "outcome")),
        ("statistics", "referrals", "--by", "service_outcome", *months, "--json"),
        ("statistics", "duties", *months),
        ("statistics", "page", *months, "--write", page),
    )


def commands_that_show(cases: Cases) -> Sequence[Sequence[str]]:
    """List the commands that print what is sealed, for the person it is about."""
    return ("rights", "export", cases.completed), ("rights", "export", cases.completed, "--json")
