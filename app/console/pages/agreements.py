"""The agreements in force, for who operates Lintas: clause by clause, what nobody confirmed, and whom they cover."""

import asyncio
from typing import Annotated

from fastapi import Path, Request
from starlette.responses import Response

from app.api.agreements import Id, list_agreements
from app.api.dependencies import Operator
from app.api.desk import Desk
from app.api.pages import PageAsked
from app.console.rendering import page
from app.console.route import console_router
from app.domain.articles import articles
from app.domain.coverage_page import answered, groups_of
from app.domain.document import Document
from app.domain.errors import NotFound
from app.domain.gaps import place
from app.domain.review import Review

router = console_router()

Version = Annotated[int, Path(ge=1, le=1_000_000)]


@router.get("/agreements")
async def show_agreements(request: Request, caller: Operator, desk: Desk, paging: PageAsked) -> Response:
    """Show the agreements and baselines with their versions, and how much of each nobody has confirmed."""
    found = await list_agreements(caller, desk, paging)
    unconfirmed = {
        (one.id, one.version): sum(not clause.citation.confirmed for clause in one.clauses)
        for one in desk.reference.documents
    }
    return page(request, "agreements.html", documents=found.items, unconfirmed=unconfirmed, next=found.next)


@router.get("/agreements/{id}/versions/{version}")
async def show_agreement(
    request: Request,
    id: Id,  # noqa: A002 - the name in the address
    version: Version,
    caller: Operator,
    desk: Desk,
) -> Response:
    """Show a published version as articles; what nobody confirmed is marked."""
    document = _document(desk, id, version)
    reference = desk.reference
    said = articles(document, reference.registry, reference.vocabulary, reference.regions)
    return page(
        request,
        "agreement.html",
        document=document,
        articles=said,
        unconfirmed=[one for one in said if one.clause is not None and not one.is_confirmed],
    )


@router.get("/agreements/{id}/versions/{version}/coverage")
async def show_coverage(
    request: Request,
    id: Id,  # noqa: A002 - the name in the address
    version: Version,
    caller: Operator,
    desk: Desk,
) -> Response:
    """Show who is asked first for each service in each part of a version's territory."""
    document = _document(desk, id, version)
    reference = desk.reference
    review = Review(
        document, reference.documents, reference.registry, reference.vocabulary, reference.regions, desk.now
    )
    rows = await asyncio.to_thread(_rows, review, request.state.language.value)
    return page(request, "coverage.html", document=document, places=rows)


def _rows(review: Review, language: str) -> list[tuple[str, list[tuple[str, list[tuple[str, bool, list[str]]]]]]]:
    """List for each place and service who is asked, whether that is the coordinator, and for whom."""
    table, wording = review.coverage, review.wording
    return [
        (
            place(row, wording).said(language),
            [
                (
                    service,
                    [
                        (
                            answered(answer, wording).said(language),
                            answer.agency is None,
                            [g.said(language) for g in groups],
                        )
                        for answer, groups in groups_of(table.at_place[service, row], table, wording)
                    ],
                )
                for service in table.services
            ],
        )
        for row in table.rows
    ]


def _document(desk: Desk, id_: str, version: int) -> Document:
    named = (id_, version)
    found = next((one for one in desk.reference.documents if (one.id, one.version) == named), None)
    if found is None:
        raise NotFound("version")
    return found
