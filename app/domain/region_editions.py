"""What a newer edition of the list of regions changes, and whom that touches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.domain.document import Document
from app.domain.regions import Region, Regions, depth, province_of
from app.domain.registry import Agency, Registry


@dataclass(frozen=True, slots=True)
class Changes:
    """How one edition differs from what is known. Nothing is forgotten: what is retired stays known."""

    added: tuple[Region, ...]
    renamed: tuple[tuple[Region, Region], ...]
    """What is now called otherwise, or is of another level: as it was, and as it is."""
    recoded: Mapping[str, str]
    """Codes that were retired, with the code that the same region has now."""
    split: Mapping[str, tuple[str, ...]]
    """Regions of which parts now lie in regions that are new."""
    retired: tuple[Region, ...]
    """What is no longer listed, recoded regions among it."""
    listed_again: tuple[Region, ...]

    @property
    def is_nothing(self) -> bool:
        """Say whether the edition changes nothing."""
        return not (self.added or self.renamed or self.retired or self.listed_again)

    @property
    def codes(self) -> frozenset[str]:
        """Name every code whose meaning changed."""
        renamed = {before.code for before, _ in self.renamed}
        return frozenset(renamed | set(self.split) | {region.code for region in self.retired})


@dataclass(frozen=True, slots=True)
class Touched:
    """Who names a region whose meaning changed: a document, by id and version, or an agency."""

    name: str
    codes: tuple[str, ...]


def changes(known: Regions, edition: Iterable[Region]) -> Changes:
    """Compare an edition with what is known.

    An edition may list only some levels and provinces: what it does not speak of stays as it is.
    """
    listed = {region.code: region for region in edition}
    spoken_of = {(depth(code), _within(code)) for code in listed}
    gone_provinces = {
        code
        for code in known.by_code
        if depth(code) == 1 and (1, None) in spoken_of and code not in listed and code not in known.retired
    }
    added = [region for code, region in listed.items() if code not in known.by_code]
    retired = [
        region
        for code, region in known.by_code.items()
        if code not in listed
        and code not in known.retired
        and ((depth(code), _within(code)) in spoken_of or province_of(code) in gone_provinces)
    ]
    renamed = [
        (before, after)
        for code, after in listed.items()
        if (before := known.by_code.get(code)) is not None and before != after
    ]
    recoded = _recoded(retired, added)
    return Changes(
        added=_in_order(added),
        renamed=tuple(sorted(renamed, key=lambda pair: pair[0].code)),
        recoded=recoded,
        split=_split(recoded, known, listed),
        retired=_in_order(retired),
        listed_again=_in_order(region for code, region in listed.items() if code in known.retired),
    )


def touched_documents(documents: Iterable[Document], codes: frozenset[str]) -> list[Touched]:
    """List the versions of documents that name one of the codes."""
    named = (
        (f"{document.id} v{document.version}", (*document.territory, *document.covers.domicile))
        for document in documents
    )
    return _touched(named, codes)


def touched_agencies(registry: Registry, codes: frozenset[str]) -> list[Touched]:
    """List the agencies that are at home in one of the codes, serve it or coordinate it."""
    return _touched(((code, _regions_of(agency)) for code, agency in sorted(registry.agencies.items())), codes)


def _touched(named: Iterable[tuple[str, Iterable[str]]], codes: frozenset[str]) -> list[Touched]:
    found = ((name, tuple(sorted(codes.intersection(its)))) for name, its in named)
    return [Touched(name, its) for name, its in found if its]


def _regions_of(agency: Agency) -> Iterable[str]:
    areas = (area for service in agency.services.values() for area in service.area)
    return (agency.region, agency.coordinator_for or agency.region, *areas)


def _within(code: str) -> str | None:
    return None if depth(code) == 1 else province_of(code)


def _recoded(retired: Iterable[Region], added: Iterable[Region]) -> dict[str, str]:
    """Find the same regions under another code: one of this name and level is gone, and one is new."""
    gone, new = _by_name(retired), _by_name(added)
    return {
        gone[name][0]: new[name][0]
        for name in sorted(gone, key=lambda name: gone[name])
        if len(gone[name]) == 1 and len(new.get(name, ())) == 1
    }


def _by_name(regions: Iterable[Region]) -> Mapping[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for region in regions:
        found[region.name.casefold(), region.level.value].append(region.code)
    return found


def _split(recoded: Mapping[str, str], known: Regions, listed: Mapping[str, Region]) -> dict[str, tuple[str, ...]]:
    """Find the regions whose parts moved under a region that was not known before."""
    into: dict[str, set[str]] = defaultdict(set)
    for old, new in recoded.items():
        before, after = known.by_code[old].parent, listed[new].parent
        if before is None or after is None or after in known.by_code:
            continue
        # A region that was only given another code has not been split.
        if recoded.get(before) != after:
            into[before].add(after)
    return {code: tuple(sorted(parts)) for code, parts in sorted(into.items())}


def _in_order(regions: Iterable[Region]) -> tuple[Region, ...]:
    return tuple(sorted(regions, key=lambda region: region.code))
