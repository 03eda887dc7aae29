"""Statistics without people: months that have settled, as they were drawn; what is small is not in them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import Field

from app.api.dependencies import RequireRole
from app.api.desk import Desk
from app.api.refusals import BadParameter
from app.api.route import v1_router
from app.api.validation import Answer
from app.domain.caller import Caller, Role
from app.domain.months import Month
from app.domain.simfoni import AGE_GROUPS, OUTCOMES, SERVICES, SEXES, UNKNOWN
from app.domain.small_cells import REST, SMALLEST
from app.domain.statistics import RESULT_TERMS
from app.domain.vocabulary import Term
from app.storage import statistics
from app.storage.reference import Reference
from app.workflows.desk import Desk as AtDesk

router = v1_router("statistics")

MOST_MONTHS = 36
WRITTEN = r"^2[01][0-9]{2}-(0[1-9]|1[0-2])$"

OperatorOrCoordinator = Annotated[Caller, Depends(RequireRole(Role.OPERATOR, Role.COORDINATOR))]
First = Annotated[str, Query(alias="from", pattern=WRITTEN, description="The first month, as 2025-01.")]
Last = Annotated[str, Query(alias="to", pattern=WRITTEN, description="The last month; at most 36 in all.")]

TOGETHER = Term(REST, "Lainnya, digabung", "All others together")
ELSEWHERE = Term(UNKNOWN, "Luar negeri atau tidak diketahui", "Abroad or not known")


class CountedBy(StrEnum):
    """What referrals are counted by, beside their month."""

    SEX = "sex"
    AGE = "age"
    VIOLENCE = "violence"
    SERVICE = "service"
    OUTCOME = "outcome"
    SERVICE_OUTCOME = "service_outcome"


class CategoryView(Answer):
    """A category, or a row, with what people read for it."""

    code: str
    id: str
    en: str


class CountsRow(CategoryView):
    """One row: a regency, a kind of service, or `rest`, which is all that is too small to stand alone."""

    total: int
    counts: dict[str, int | None] = Field(description="By category; null is not shown, which may be any number.")


class CountsView(Answer):
    """A table of one month."""

    month: str
    drawn_at: datetime
    total: int | None = Field(description="Null: fewer than `smallest`.")
    totals: dict[str, int | None]
    rows: list[CountsRow]


class DutyCountsView(CountsView):
    """What became of one duty in the referrals of one month, by the regency of the agencies that carried it."""

    document: str
    version: int = Field(description="0: not known.")
    clause: str
    duty: str


class StatisticsView(Answer):
    """Tables by month. A month is drawn once, two weeks after its end, and never changes."""

    smallest: int = Field(description="The fewest people that a number may stand for.")
    categories: list[CategoryView]
    not_drawn: list[str] = Field(description="The months that were asked for and are not there.")


class ReferralStatistics(StatisticsView):
    """Referrals by month, regency and category, each counted once a row."""

    by: CountedBy
    tables: list[CountsView]


class DutyStatistics(StatisticsView):
    """What became of duties, by month, document, version, clause and regency."""

    tables: list[DutyCountsView]


@router.get("/statistics/referrals")
async def count_referrals(
    caller: OperatorOrCoordinator,
    desk: Desk,
    first: First,
    last: Last,
    by: Annotated[CountedBy, Query(description="service_outcome: kind of service by outcome, in the whole country.")],
) -> ReferralStatistics:
    """Count the referrals of some months in SIMFONI-PPA's categories.

    Months are those of western Indonesia, by when a referral was received. Who asks sees what everybody who may ask
    sees. A number is null where it is below 5, and where one that is could be found from it.
    """
    return await referral_statistics(desk, by, *_months(first, last))


@router.get("/statistics/duties")
async def count_duties(caller: OperatorOrCoordinator, desk: Desk, first: First, last: Last) -> DutyStatistics:
    """Count what became of the duties that documents laid on handoffs, in the referrals of some months.

    A duty is kept once its receiver has said so (`/v1/handoffs/{handoff_id}/keep-duty`). Small numbers are null, as in
    `/v1/statistics/referrals`.
    """
    return await duty_statistics(desk, *_months(first, last))


async def referral_statistics(desk: AtDesk, by: CountedBy, first: Month, last: Month) -> ReferralStatistics:
    """Read the tables of referrals by one thing, from a month to another."""
    drawn = await statistics.drawn(desk.tx, by.value, first=first, last=last)
    named = _services if by is CountedBy.SERVICE_OUTCOME else _region
    categories = _categories(_terms_of(by, desk.reference))
    return ReferralStatistics(
        by=by,
        smallest=SMALLEST,
        categories=categories,
        not_drawn=_not_drawn(drawn, first, last),
        tables=[CountsView(**_counts(one, one.body, desk.reference, categories, named)) for one in drawn],
    )


async def duty_statistics(desk: AtDesk, first: Month, last: Month) -> DutyStatistics:
    """Read the tables of duties, from a month to another."""
    drawn = await statistics.drawn(desk.tx, "duties", first=first, last=last)
    categories = _categories(RESULT_TERMS.values())
    return DutyStatistics(
        smallest=SMALLEST,
        categories=categories,
        not_drawn=_not_drawn(drawn, first, last),
        tables=[
            DutyCountsView(
                **_counts(one, table, desk.reference, categories, _region),
                **{name: table[name] for name in ("document", "version", "clause", "duty")},
            )
            for one in drawn
            for table in one.body["tables"]
        ],
    )


def _months(first: str, last: str) -> tuple[Month, Month]:
    begins, ends = Month.parse(first), Month.parse(last)
    if not 0 <= (ends.year - begins.year) * 12 + ends.number - begins.number < MOST_MONTHS:
        raise BadParameter("to", "out_of_range")
    return begins, ends


def _terms_of(by: CountedBy, reference: Reference) -> Iterable[Term]:
    match by:
        case CountedBy.SEX:
            return SEXES.values()
        case CountedBy.AGE:
            return AGE_GROUPS.values()
        case CountedBy.VIOLENCE:
            return reference.vocabulary.case_types.values()
        case CountedBy.SERVICE:
            return SERVICES.values()
        case CountedBy.OUTCOME | CountedBy.SERVICE_OUTCOME:
            return OUTCOMES.values()


def _categories(terms: Iterable[Term]) -> list[CategoryView]:
    return [CategoryView(code=term.code, id=term.id, en=term.en) for term in (*terms, TOGETHER)]


def _counts(
    drawn: statistics.Drawn,
    body: Mapping[str, Any],
    reference: Reference,
    categories: Iterable[CategoryView],
    named: Callable[[str, Reference], dict[str, str]],
) -> dict[str, Any]:
    codes = [category.code for category in categories]

    def in_order(counts: Mapping[str, int | None]) -> dict[str, int | None]:
        return {code: counts[code] for code in codes if code in counts}

    return {
        "month": str(drawn.month),
        "drawn_at": drawn.drawn_at,
        "total": body["total"],
        "totals": in_order(body["totals"]),
        "rows": [{**row, "counts": in_order(row["counts"]), **named(row["code"], reference)} for row in body["rows"]],
    }


def _region(code: str, reference: Reference) -> dict[str, str]:
    for term in (TOGETHER, ELSEWHERE):
        if term.code == code:
            return {"id": term.id, "en": term.en}
    known = reference.regions.by_code.get(code)
    name = "Indonesia" if code == "ID" else known.name if known else code
    return {"id": name, "en": name}


def _services(code: str, _: Reference) -> dict[str, str]:
    return {"id": SERVICES[code].id, "en": SERVICES[code].en}


def _not_drawn(drawn: Iterable[statistics.Drawn], first: Month, last: Month) -> list[str]:
    known = {one.month for one in drawn}
    return [str(month) for month in first.until(last) if month not in known]
