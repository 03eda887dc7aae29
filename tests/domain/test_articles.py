from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.domain.agreement import Basis, Citation, Condition, Covers, Document, Selector, VictimLine, Where
from app.domain.articles import Article, articles
from app.domain.vocabulary import Sex, Urgency
from app.domain.wording import Text, duration
from app.reference.load import shipped
from tests.domain.factories import HEALTH, a_clause, a_denial, a_duty, a_registry, an_agency, an_agreement

REFERENCE = shipped()


def said(document: Document) -> tuple[Article, ...]:
    registry = a_registry(an_agency("receiver", name="The Receiver"))
    return articles(document, registry, REFERENCE.vocabulary, REFERENCE.regions)


def english(article: Article) -> str:
    return " ".join(sentence.en for sentence in article.sentences)


@pytest.mark.parametrize("document", REFERENCE.documents, ids=lambda document: document.id)
def test_every_clause_of_a_shipped_document_is_an_article_with_its_citation(document: Document) -> None:
    found = articles(document, REFERENCE.registry, REFERENCE.vocabulary, REFERENCE.regions)

    assert [article.number for article in found] == list(range(1, len(found) + 1))
    assert {article.clause for article in found if article.clause} == {clause.key for clause in document.clauses}
    by_key = {article.clause: article for article in found}
    for clause in document.clauses:
        article = by_key[clause.key]
        assert article.is_confirmed is clause.citation.confirmed
        assert clause.citation.source in article.sentences[-1].en
        assert clause.citation.source in article.sentences[-1].id
        assert ("NOT YET CONFIRMED" in article.sentences[-1].en) is not clause.citation.confirmed


def test_the_parties_stand_with_their_names_and_regions() -> None:
    _, parties, *_ = said(an_agreement(a_clause(), parties={"receiver": ["64.02"], "stranger": ["64.09"]}))

    assert [sentence.en for sentence in parties.sentences] == [
        "The Receiver (receiver), for Kabupaten Kutai Kartanegara (64.02).",
        "stranger, for Kabupaten Penajam Paser Utara (64.09).",
    ]


def test_whom_it_covers_is_said_with_any_line_enough_and_all_parts_needed() -> None:
    covers = Covers(
        ("64.02",), abroad=False, victims=(VictimLine(sexes=frozenset({Sex.FEMALE}), age_from=12, age_below=18),)
    )

    _, _, covered, *_ = said(an_agreement(a_clause(), covers=covers))

    assert [sentence.en for sentence in covered.sentences] == [
        "The victim's domicile lies in Kabupaten Kutai Kartanegara (64.02).",
        "The victim is: female who is also aged 12 to under 18 years.",
        "The victim is not abroad.",
        "All of these must hold.",
    ]


def test_an_assignment_says_what_when_to_whom_by_which_place_and_how_soon() -> None:
    when = Condition(services=frozenset({HEALTH}), urgency=frozenset({Urgency.URGENT}), perpetrator_in_household=True)
    clause = a_clause(
        when=when,
        to=Selector(Where.PARTNER, None, ("hospital",)),
        basis=(Basis.INCIDENT, Basis.CURRENT),
        respond="PT90M",
    )

    *_, article = said(an_agreement(clause))

    text = english(article)
    assert text.startswith(
        "Medical care, where the urgency is urgent and the perpetrator is in the household, is offered"
    )
    assert "to hospital in the territory of another party." in text
    assert "the place of the incident then where the victim is now" in text
    assert "within 1 hour 30 minutes" in text
    assert "layanan" in article.sentences[0].id.lower()


def test_a_prohibition_and_a_duty_are_said_as_such() -> None:
    _, _, _, denial, _, duty = said(an_agreement(a_clause(), a_denial(), a_duty()))

    assert "Every service is offered to nobody" in english(denial)
    assert "must report to the police within 72 hours" in english(duty)
    assert "wajib melapor kepada kepolisian dalam 72 jam" in duty.sentences[0].id


@pytest.mark.parametrize(
    ("written", "indonesian", "english"),
    [
        ("PT1H", "1 jam", "1 hour"),
        ("PT24H", "24 jam", "24 hours"),
        ("PT1H30M", "1 jam 30 menit", "1 hour 30 minutes"),
        ("P7D", "7 hari", "7 days"),
        ("P1WD", "1 hari kerja", "1 working day"),
        ("P3WD", "3 hari kerja", "3 working days"),
    ],
)
def test_a_deadline_is_said_in_words(written: str, indonesian: str, english: str) -> None:
    assert duration(written).to_json() == {"id": indonesian, "en": english}


def test_confirming_a_clause_changes_its_article_alone() -> None:
    unread = replace(a_clause("read"), citation=Citation("a source", confirmed=False))
    before = said(an_agreement(unread, a_clause("other")))

    after = said(an_agreement(replace(unread, citation=Citation("a source", confirmed=True)), a_clause("other")))

    assert [one.clause for one, other in zip(before, after, strict=True) if one != other] == ["read"]


@pytest.mark.parametrize(
    ("by", "on", "indonesian", "english"),
    [
        (
            "Biro Hukum",
            date(2025, 1, 9),
            "dikonfirmasi oleh Biro Hukum pada 2025-01-09",
            "confirmed by Biro Hukum on 2025-01-09",
        ),
        ("Biro Hukum", None, "dikonfirmasi oleh Biro Hukum", "confirmed by Biro Hukum"),
        (None, date(2025, 1, 9), "dikonfirmasi pada 2025-01-09", "confirmed on 2025-01-09"),
        (None, None, "sudah dikonfirmasi", "confirmed"),
    ],
)
def test_an_article_says_by_whom_and_when_its_source_was_confirmed(
    by: str | None, on: date | None, indonesian: str, english: str
) -> None:
    clause = replace(a_clause(), citation=Citation("a source", confirmed=True, confirmed_by=by, confirmed_on=on))

    *_, article = said(an_agreement(clause))

    assert article.sentences[-1] == Text(f"Dasar: a source [{indonesian}]", f"Source: a source [{english}]")
    assert article.to_json()["confirmed_by"] == by
    assert article.to_json()["confirmed_on"] == (on.isoformat() if on else None)
