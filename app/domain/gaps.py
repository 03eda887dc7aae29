"""Where a service ends at its coordinator for want of a rule that names anybody, each shown by a referral."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import cast

from app.domain.boxes import Case, boxes
from app.domain.coverage import AGE, CASE_TYPE, PERPETRATOR, SEX, URGENCIES, URGENCY, Coverage, Row
from app.domain.facts import Facts
from app.domain.finding import Finding, Witness, finding
from app.domain.groups import group
from app.domain.vocabulary import Reason, Sex
from app.domain.wording import Text, Wording, joined

Tell = Callable[[str, Facts, str], Witness]


def gaps(table: Coverage, wording: Wording, tell: Tell) -> Iterator[Finding]:
    """List the gaps of a table by service, region, urgency and victim group; `tell` writes a referral as a case."""
    found: dict[str, list[Case]] = defaultdict(list)
    for cell in table.cells:
        for case in cell.cases:
            if case.answer.reason is Reason.UNROUTABLE:
                found[cell.service].append((cell.row, *case.group))
    for service, cases in found.items():
        for rows, *rest in boxes(cases):
            box = tuple(rest)
            at = [row for row in table.rows if row in rows]
            facts = Facts(
                received_at=table.at,
                urgency=next(one for one in reversed(URGENCIES) if one in box[URGENCY]),
                case_types=frozenset({cast("str", min(box[CASE_TYPE], key=str))}),
                incident=at[0].example,
                domicile=at[0].example,
                current=at[0].example,
                age=cast("int", max(box[AGE], key=lambda age: cast("int", age))),
                sex=next(sex for sex in Sex if sex in box[SEX]),
                perpetrator_in_household=False not in box[PERPETRATOR],
            )
            said = group(box, table, wording)
            yield finding(
                "gap",
                witness=tell(f"{table.document.id}: {service}: {said.en}", facts, service),
                service=wording.service(service),
                region=joined(place(row, wording) for row in at),
                group=said,
            )


def place(row: Row, wording: Wording) -> Text:
    """Say a part of a territory."""
    if not row.is_rest:
        return wording.region(row.region)
    rest = wording.region(row.region)
    return Text(f"bagian lain dari {rest.id}", f"elsewhere in {rest.en}")
