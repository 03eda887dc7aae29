from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

from app.domain.agreement import Condition, Covers, Document, VictimLine
from app.domain.boxes import boxes
from app.domain.coverage import Coverage
from app.domain.coverage_page import coverage_page, groups_of
from app.domain.facts import Facts
from app.domain.registry import Agency, Registry, Service
from app.domain.review import Review
from app.domain.vocabulary import Reason, Sex, Urgency
from app.reference.load import shipped
from tests.domain.factories import HEALTH, MOMENT, a_clause, a_denial, a_registry, an_agency, an_agreement, to_basis

REFERENCE = shipped()


def reviewed(document: Document, *agencies: Agency, registry: Registry | None = None) -> Review:
    registry = registry or a_registry(*agencies)
    return Review(document, (), registry, REFERENCE.vocabulary, REFERENCE.regions, MOMENT)


def shipped_review(id_: str) -> Review:
    document = next(one for one in REFERENCE.documents if one.id == id_)
    return Review(document, REFERENCE.documents, REFERENCE.registry, REFERENCE.vocabulary, REFERENCE.regions, MOMENT)


def told(table: Coverage, review: Review, service: str, region: str) -> dict[str | None, list[str]]:
    cell = next(cell for cell in table.cells if (cell.service, cell.row.region) == (service, region))
    return {answer.agency: [one.en for one in groups] for answer, groups in groups_of(cell, table, review.wording)}


def test_every_cell_agrees_with_the_engine_case_by_case() -> None:
    review = shipped_review("pks-kukar-ppu-2024")
    table = review.coverage

    for cell in table.cells[::3]:
        for case in cell.cases[::7]:
            urgency, case_type, perpetrator, sex, age = case.group
            at = cell.row.example
            facts = Facts(MOMENT.replace(second=0), urgency, frozenset({case_type}), at, at, at, age, sex, perpetrator)
            decision = review.together.decide(facts, cell.service)
            assert (decision.agency, decision.reason) == (case.answer.agency, case.answer.reason)
            if decision.agency is not None:
                assert f"{decision.document}/{decision.clause}" == case.clause


def test_a_column_whose_place_is_too_coarse_for_another_document_says_that_it_is_not_known() -> None:
    district = replace(
        an_agreement(a_clause("care", to=to_basis("hospital")), id="other", parties={"doctor": ["64.02.06"]}),
        covers=Covers(domicile=("64.02.06",)),
    )
    children = Condition(age_below=18)
    document = an_agreement(a_clause("children", when=children, to=to_basis("hospital")), parties={"doctor": ["64.02"]})
    registry = a_registry(an_agency("doctor", kind="hospital", services={HEALTH: Service(area=("64.02",))}))
    review = Review(document, (district,), registry, REFERENCE.vocabulary, REFERENCE.regions, MOMENT)

    (cell,) = (one for one in review.coverage.cells if (one.service, one.row.region) == (HEALTH, "64.02"))
    seen = set()
    for case in cell.cases:
        urgency, case_type, perpetrator, sex, age = case.group
        facts = Facts(
            MOMENT.replace(second=0),
            urgency,
            frozenset({case_type}),
            *("64.02",) * 3,
            age,
            sex,
            perpetrator,
        )
        decision = review.together.decide(facts, cell.service)
        assert (decision.agency, decision.reason) == (case.answer.agency, case.answer.reason)
        seen.add(case.answer.reason)

    assert Reason.UNDETERMINED in seen


def test_an_agreement_has_a_column_for_each_territory_of_a_party() -> None:
    table = shipped_review("pks-kukar-ppu-2024").coverage

    assert [row.region for row in table.rows] == ["64.02", "64.09"]
    assert len(table.cells) == 2 * len(REFERENCE.vocabulary.service_types)


def test_the_rest_of_a_wide_territory_stands_in_a_column_of_its_own() -> None:
    rows = shipped_review("baseline-national").coverage.rows

    assert {row.region for row in rows if row.is_rest} == {"ID", "64", "65"}
    assert {row.region for row in rows} >= {"64.02", "64.09", "64.71", "64.72"}


def test_who_answers_is_told_apart_by_whom_it_is_about() -> None:
    girls = Service(area=("64.02",), sexes=frozenset({Sex.FEMALE}), age_below=18)
    agencies = an_agency("girls", services={HEALTH: girls}), an_agency("women", kind="hospital")
    document = an_agreement(a_clause("care", to=to_basis("uptd_ppa", "hospital")), parties={"women": ["64.02"]})
    review = reviewed(document, *agencies)

    said = told(review.coverage, review, HEALTH, "64.02")

    assert said["girls"] == ["female, aged under 18"]
    assert set(said["women"]) == {"female, aged 18 or older", "male"}


def test_a_service_that_is_denied_shows_its_coordinator_and_the_reason() -> None:
    document = an_agreement(a_clause(), a_denial(when=Condition(age_below=18)), parties={"receiver": ["64.02"]})
    review = reviewed(document, an_agency(coordinator_for="64.02"))

    cell = next(cell for cell in review.coverage.cells if cell.service == HEALTH)

    denied = next(answer for answer in cell.answers() if answer.agency is None)
    assert (denied.reason, denied.coordinator) == (Reason.DENIED, "receiver")
    assert cell.clauses(denied) == ("agreement/denial",)


def test_a_group_is_named_only_where_it_narrows() -> None:
    document = an_agreement(
        a_clause(when=Condition(urgency=frozenset({Urgency.EMERGENCY}))),
        covers=Covers(victims=(VictimLine(sexes=frozenset({Sex.FEMALE})), VictimLine(age_below=18))),
        parties={"receiver": ["64.02"]},
    )
    review = reviewed(document, an_agency())

    said = told(review.coverage, review, HEALTH, "64.02")

    assert set(said["receiver"]) == {"emergency, female", "emergency, male, aged under 18"}


def test_boxes_hold_the_same_cases_as_before_each_once() -> None:
    cases = [(x, y) for x in range(3) for y in range(3) if (x, y) != (1, 1)]

    found = boxes(cases)

    assert sorted((x, y) for xs, ys in found for x in xs for y in ys) == sorted(cases)
    assert len(found) == 2


class Outline(HTMLParser):
    """What a page holds: its tags and whether each that was opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_one_self_contained_file_with_an_accessible_table() -> None:
    review = shipped_review("pks-kukar-ppu-2024")

    page = coverage_page(review.coverage, review.wording)

    outline = Outline()
    outline.feed(page)
    assert not outline.open
    names = {tag for tag, _ in outline.tags}
    assert not names & {"script", "link", "img", "iframe"}
    assert not re.search(r"https?:|url\(|@import", page)
    assert {"caption", "thead", "tbody"} <= names
    headings = [attributes.get("scope") for tag, attributes in outline.tags if tag == "th"]
    assert headings.count("row") == len(review.coverage.services)
    assert headings.count("col") == 1 + len(review.coverage.rows)
    assert page.startswith('<!doctype html>\n<html lang="id">')
    assert 'lang="en"' in page


def test_what_a_document_or_registry_says_is_escaped_in_the_page() -> None:
    evil = '<script>alert("1")</script>'
    document = replace(an_agreement(a_clause()), title_id=evil, title_en=evil)
    review = reviewed(document, an_agency(name=evil))

    page = coverage_page(review.coverage, review.wording)

    assert "<script" not in page
    assert "&lt;script&gt;" in page
