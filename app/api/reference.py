"""The code sets and regions that referrals are written in."""

from typing import Annotated

from fastapi import Query
from pydantic import Field

from app.api.dependencies import CurrentCaller
from app.api.desk import Desk
from app.api.pages import Page, PageAsked
from app.api.route import v1_router
from app.api.validation import Answer
from app.domain.event_texts import NEWS
from app.domain.labels import LABELS
from app.domain.regions import Region
from app.domain.vocabulary import Term
from app.domain.wording import Text

router = v1_router("reference")


SOUGHT = "A name as people write it: Kab. Kutai Kartanegara, Kukar, PPU, or close to it; or a code."


class TermView(Answer):
    """A code with what people read for it."""

    code: str
    id: str
    en: str
    source: str | None


class CodeSets(Answer):
    """Every code set. They are open: live with a code you do not know."""

    version: int
    service_types: list[TermView]
    case_types: list[TermView]
    incident_places: list[TermView]
    relations_to_perpetrator: list[TermView]
    sexes: list[TermView]
    urgencies: list[TermView]
    agency_kinds: list[TermView]
    labels: dict[str, list[TermView]] = Field(
        description="What every other code is called, by the member that carries it: handoff_state, decline_reason, ..."
    )
    event_types: list[TermView] = Field(description="What each type of news says.")


class RegionView(Answer):
    """A region of the national list."""

    code: str
    name: str
    level: str
    parent: str | None

    @classmethod
    def of(cls, region: Region) -> "RegionView":
        """Show a region."""
        return cls(code=region.code, name=region.name, level=region.level.value, parent=region.parent)


@router.get("/reference/code-sets")
async def read_code_sets(caller: CurrentCaller, desk: Desk) -> CodeSets:
    """Read every code set with its labels in Indonesian and English."""
    known = desk.reference.vocabulary
    return CodeSets(
        version=known.version,
        service_types=[_term(term) for term in known.service_types.values()],
        case_types=[_term(term) for term in known.case_types.values()],
        incident_places=[_term(term) for term in known.incident_places.values()],
        relations_to_perpetrator=[_term(term) for term in known.relations_to_perpetrator.values()],
        sexes=[_term(term) for term in known.sexes.values()],
        urgencies=[
            TermView(code=term.code.value, id=term.id, en=term.en, source=term.source)
            for term in known.urgencies.values()
        ],
        agency_kinds=[_term(term) for term in known.agency_kinds.values()],
        labels={name: [_label(code, text) for code, text in labels.items()] for name, labels in LABELS.items()},
        event_types=[_label(type_.value, news.what) for type_, news in NEWS.items()],
    )


@router.get("/reference/regions")
async def list_regions(
    caller: CurrentCaller,
    desk: Desk,
    paging: PageAsked,
    parent: Annotated[str | None, Query(max_length=13, description="Regions directly below this code.")] = None,
    q: Annotated[str | None, Query(min_length=2, max_length=100, description=SOUGHT)] = None,
) -> Page[RegionView]:
    """List the regions by code, or search them by name: the likeliest first."""
    after = paging.after(str)
    known = desk.reference
    listed = known.regions.current if q is None else known.region_names.search(q)
    found = [region for region in listed if parent is None or region.parent == parent]
    if after is not None:
        found = found[next((place for place, region in enumerate(found, 1) if region.code == after[0]), len(found)) :]
    return paging.page(found[: paging.look_ahead], RegionView.of, lambda region: (region.code,))


def _term(term: Term) -> TermView:
    return TermView(code=term.code, id=term.id, en=term.en, source=term.source)


def _label(code: str, text: Text) -> TermView:
    return TermView(code=code, id=text.id, en=text.en, source=None)
