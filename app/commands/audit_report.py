"""What a verification found, as people read it."""

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType

import orjson

from app.commands.running import print_columns
from app.domain.audit_findings import Finding, FindingKind, Verified
from app.domain.audit_story import Said

WORDS: Mapping[FindingKind, Said] = MappingProxyType(
    {
        FindingKind.ENTRIES_CHANGED: Said("entri diubah atau ditukar", "entries were changed or reordered"),
        FindingKind.ENTRIES_REMOVED: Said("entri dihapus", "entries were removed"),
        FindingKind.ENTRIES_ADDED: Said("entri disisipkan", "entries were put into the past"),
        FindingKind.ENTRIES_LEFT: Said(
            "penghapusan terputus: jalankan `lintas audit drop` lagi", "a drop was broken off: run it again"
        ),
        FindingKind.SEGMENT_MISSING: Said("segmen hilang", "a segment is missing"),
        FindingKind.SEGMENT_CHANGED: Said("segmen diubah atau ditukar", "a segment was changed or reordered"),
        FindingKind.SIGNATURE_WRONG: Said("tanda tangan segmen salah", "a segment's signature is wrong"),
        FindingKind.DROP_UNSIGNED: Said("penghapusan tanpa tanda tangan", "a drop that nobody signed"),
        FindingKind.TAIL_CUT: Said("ujung rantai dipotong", "the end of the chain was cut off"),
        FindingKind.CHAIN_RECOMPUTED: Said("rantai dihitung ulang", "the chain was written anew"),
        FindingKind.ANCHOR_FORGED: Said("jangkar bukan dari audit ini", "an anchor that this audit did not sign"),
        FindingKind.ANCHOR_UNREADABLE: Said("jangkar tidak terbaca", "an anchor that cannot be read"),
    }
)
WITHOUT_ANCHORS = Said(
    "tanpa jangkar, ujung yang dipotong dan rantai yang dihitung ulang oleh pemegang kunci tidak terlihat",
    "without anchors nobody can see an end that was cut, or a chain rewritten by who holds the key ring",
)


def print_verified(verified: Verified, *, as_json: bool) -> None:
    """Print what was looked at, and each thing that is wrong."""
    if as_json:
        body = asdict(verified) | {
            "sound": verified.is_sound,
            "counts": {k.value: n for k, n in verified.counts.items()},
        }
        print(orjson.dumps(body).decode())
        return
    anchors = "-" if verified.anchors is None else f"{verified.anchors:,}"
    rows = [
        ("entri / entries", f"{verified.entries:,}"),
        ("segmen / segments", f"{verified.segments:,}"),
        ("dihapus sampai / dropped up to", f"{verified.dropped_up_to:,}"),
        ("belum ditautkan / not linked yet", f"{verified.unlinked:,} ({verified.unlinked_seconds:,.0f} s)"),
        ("jangkar cocok / anchors that agree", anchors),
        ("terjangkar sampai / anchored up to", f"{verified.anchored_up_to:,}"),
    ]
    print_columns(rows)
    if verified.anchors is None:
        print(f"\n{WITHOUT_ANCHORS}")
    if verified.is_sound:
        print("\nutuh / whole")
        return
    print()
    print_columns([_line(finding) for finding in verified.findings])
    for kind, count in verified.counts.items():
        shown = sum(1 for finding in verified.findings if finding.kind is kind)
        if count > shown:
            print(f"{WORDS[kind]}: +{count - shown:,}")


def _line(finding: Finding) -> tuple[str, ...]:
    where = f"segmen / segment {finding.segment}" if finding.segment is not None else ""
    line = f"baris / line {finding.line}" if finding.line is not None else ""
    differ = finding.found is not None and finding.found != finding.expected
    counts = f"{finding.found} != {finding.expected}" if differ else ""
    return finding.kind.value, str(WORDS[finding.kind]), where, line, counts
