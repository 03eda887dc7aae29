"""The audit is looked through: every entry against its segment, every segment against the chain, and all by anchors."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.domain.audit_anchors import Anchor
from app.domain.audit_chain import BEFORE_ALL, GENESIS, Place, Root, Segment
from app.domain.audit_findings import Finding, FindingKind, Verified
from app.storage import audit_chain

A_PAGE = 500
"""Segments, and anchors, that are looked at together."""

Sessions = async_sessionmaker[AsyncSession]


async def verify_audit(
    sessions: Sessions,
    key: Ed25519PublicKey,
    anchors: Iterable[Anchor] | None,
    *,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Verified:
    """Look through the whole audit, and say all that is wrong with it; `on_progress` is told the entries read so far.

    Nothing is held for longer than a page takes, and memory does not grow with the audit. Without anchors nobody can
    say whether the end was cut, or the whole chain written anew by somebody who has the key ring too.
    """
    verified = Verified()
    await _Chain(sessions, key, verified, on_progress).walk()
    if anchors is not None:
        verified.anchors = 0
        await _compare(sessions, key, anchors, verified)
    return verified


class _Chain:
    """The walk along the chain, from its first segment to the one that is its last when the walk begins."""

    def __init__(
        self, sessions: Sessions, key: Ed25519PublicKey, verified: Verified, on_progress: Callable[[int], None]
    ) -> None:
        self.sessions, self.key, self.verified, self.on_progress = sessions, key, verified, on_progress
        self.head, self.place, self.number = GENESIS, BEFORE_ALL, 0

    async def walk(self) -> None:
        async with self.sessions() as session:
            end = await audit_chain.last_segment(session)
            for drop in await audit_chain.drops(session):
                if drop.is_signed_by(self.key):
                    self.verified.dropped_up_to = max(self.verified.dropped_up_to, drop.up_to)
                else:
                    self.verified.find(Finding(FindingKind.DROP_UNSIGNED, segment=drop.up_to))
        while end is not None and self.number < end.number:
            async with self.sessions() as session:
                page = await audit_chain.segments_after(session, self.number, to=end.number, limit=A_PAGE)
            if not page:
                break
            await self._entries_of(page)
        async with self.sessions() as session:
            rest = await audit_chain.unlinked(session, end.last if end else BEFORE_ALL)
        self.verified.unlinked, self.verified.unlinked_seconds = rest.count, rest.waited_seconds
        self.on_progress(self.verified.entries)

    async def _entries_of(self, page: list[Segment]) -> None:
        segments, root = iter(page), Root()
        current = next(segments)
        async for entries in audit_chain.entries_between(self.sessions, self.place, page[-1].last):
            for entry in entries:
                # The ids are compared where one transaction wrote more than one segment holds, and nowhere else.
                if entry["xact"] >= current.last[0]:
                    place: Place = (entry["xact"], entry["id"])
                    while place > current.last and current is not page[-1]:
                        self._close(current, root)
                        current, root = next(segments), Root()
                root.add(entry)
            self.verified.entries += len(entries)
            self.on_progress(self.verified.entries)
        self._close(current, root)
        for current in segments:
            self._close(current, Root())

    def _close(self, segment: Segment, found: Root) -> None:
        """Compare a segment with what was found of it, and go on from what it says, so that each fault shows once."""
        verified, number = self.verified, segment.number
        if number != self.number + 1:
            verified.find(Finding(FindingKind.SEGMENT_MISSING, segment=self.number + 1, expected=number))
        elif not segment.follows(self.head):
            verified.find(Finding(FindingKind.SEGMENT_CHANGED, segment=number))
        if not segment.signed.is_signed_by(self.key):
            verified.find(Finding(FindingKind.SIGNATURE_WRONG, segment=number))
        if number <= verified.dropped_up_to:
            kind = FindingKind.ENTRIES_LEFT if found.count else None
        elif found.count != segment.count:
            removed = found.count < segment.count
            kind = FindingKind.ENTRIES_REMOVED if removed else FindingKind.ENTRIES_ADDED
        else:
            kind = FindingKind.ENTRIES_CHANGED if found.digest() != segment.root else None
        if kind is not None:
            verified.find(Finding(kind, segment=number, expected=segment.count, found=found.count))
        verified.segments += 1
        self.head, self.place, self.number = segment.head, segment.last, number


async def _compare(sessions: Sessions, key: Ed25519PublicKey, anchors: Iterable[Anchor], verified: Verified) -> None:
    for page in _pages(anchors):
        async with sessions() as session:
            end = await audit_chain.last_segment(session)
            standing = await audit_chain.segments_of(
                session, [anchor.said.segment for anchor in page if anchor.said is not None]
            )
        for anchor in page:
            _judge(anchor, standing, end.number if end else 0, key, verified)


def _judge(anchor: Anchor, standing: dict[int, Segment], last: int, key: Ed25519PublicKey, verified: Verified) -> None:
    said = anchor.said
    if said is None:
        verified.find(Finding(FindingKind.ANCHOR_UNREADABLE, line=anchor.line))
        return
    found = standing.get(said.segment)
    if found is not None and found.signed == said:
        # The signature was looked at with the segment.
        verified.anchors = (verified.anchors or 0) + 1
        verified.anchored_up_to = max(verified.anchored_up_to, said.segment)
        return
    if not said.is_signed_by(key):
        kind = FindingKind.ANCHOR_FORGED
    elif found is not None:
        kind = FindingKind.CHAIN_RECOMPUTED
    else:
        kind = FindingKind.TAIL_CUT if said.segment > last else FindingKind.SEGMENT_MISSING
    verified.find(Finding(kind, segment=said.segment, line=anchor.line))


def _pages(anchors: Iterable[Anchor]) -> Iterator[list[Anchor]]:
    rest = iter(anchors)
    while page := list(islice(rest, A_PAGE)):
        yield page
