"""A decision as it is kept: nothing is lost, and it stays small however many clauses were weighed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from app.domain.decision import Decision
from app.domain.index import ClauseIndex
from app.domain.masks import bits, union
from app.domain.routing import Rules

FEW = 8
"""As many warnings or duties stand in the record in full; more of them stand there as places of their clauses."""

PASSED_OVER = "passed_over:"


def record_of(rules: Rules, decision: Decision, at: datetime) -> dict[str, Any]:
    """Write a decision, made of facts received at a time, as it is kept.

    Clauses are named by their place in the order of deciding, and the documents in force by one digest over their
    ids, versions and digests, with the moment since when they were: `expanded` names them all again.
    """
    index = rules.index(at)
    places, since = index.places, rules.unchanged_since(at)
    record: dict[str, Any] = decision.in_short()
    record["chain"] = [[one.agency, places[_name(one.document, one.clause)]] for one in decision.chain]
    record["matched"] = _mask(places[name] for name in decision.matched)
    record["documents"] = {
        "count": len(decision.documents),
        "sha256": index.documents_digest,
        "since": since.isoformat() if since else None,
    }
    record["warnings"] = list(decision.warnings)
    if len(decision.warnings) > FEW:
        over = [said.removeprefix(PASSED_OVER) for said in decision.warnings if said.startswith(PASSED_OVER)]
        record["warnings"] = [said for said in decision.warnings if not said.startswith(PASSED_OVER)]
        record["passed_over"] = _mask(places[name] for name in over)
    if len(decision.duties) > FEW:
        record["duties"] = []
        record["owed"] = _mask(places[_name(owed.document, owed.clause)] for owed in decision.duties)
    else:
        record["duties"] = [owed.to_json() for owed in decision.duties]
    return record


def is_compact(record: Mapping[str, Any]) -> bool:
    """Say whether a record is written as `record_of` writes it; those placed by hand, and the oldest, are not."""
    return isinstance(record.get("documents"), Mapping)


def moment_of(record: Mapping[str, Any]) -> datetime:
    """Return a moment at which the documents of a compact record were in force."""
    since = record["documents"]["since"]
    return datetime.fromisoformat(since) if since else datetime.min.replace(tzinfo=UTC)


def expanded(record: Mapping[str, Any], index: ClauseIndex) -> dict[str, Any]:
    """Write a compact record with all its clauses, documents and duties by name, as `Decision.to_json` does."""
    if index.documents_digest != record["documents"]["sha256"]:
        raise ValueError("these are not the documents that the decision was made by")
    whole = {name: value for name, value in record.items() if name not in ("passed_over", "owed")}
    named = [indexed.name for indexed in index.clauses]
    over = [f"{PASSED_OVER}{named[place]}" for place in _places(record.get("passed_over", "0"))]
    duties = [index.duties[place].to_json() for place in _places(record.get("owed", "0"))]
    return {
        **whole,
        "chain": [_candidate(agency, index, place) for agency, place in record["chain"]],
        "matched": [named[place] for place in _places(record["matched"])],
        "documents": [{"id": id_, "version": version, "sha256": sha} for id_, version, sha in index.digests],
        "warnings": sorted([*record["warnings"], *over]),
        "duties": duties or record["duties"],
    }


def _candidate(agency: str, index: ClauseIndex, place: int) -> dict[str, Any]:
    indexed = index.clauses[place]
    return {"agency": agency, "document": indexed.document.id, "clause": indexed.clause.key}


def _name(document: str, clause: str) -> str:
    return f"{document}/{clause}"


def _mask(places: Iterable[int]) -> str:
    return f"{union(1 << place for place in places):x}"


def _places(mask: str) -> Iterable[int]:
    return bits(int(mask, 16))
