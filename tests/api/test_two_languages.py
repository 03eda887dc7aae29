"""Whatever a person may be told is there in Indonesian and in English."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest
import yaml

import app
from app.api.docs.library import WRITTEN
from app.api.problem_advice import ADVICE, AGAIN
from app.api.problem_texts import PROBLEMS
from app.domain.consent_words import BASES, BECAUSE, GROUNDS
from app.domain.event_texts import NEWS
from app.domain.events import EventType
from app.domain.labels import CODE_SETS, LABELS
from app.domain.sentences import SENTENCES
from app.domain.vocabulary import Reason
from app.reference.load import shipped
from tests.workflows.conftest import NATIONAL, Service

FOR_PROGRAMS = {
    "access_token.TokenFault": "OAuth's error_description is ASCII and for developers",
    "behaviour.PlayedBy": "of the sandbox's control, for developers",
    "behaviour.ToOffers": "of the sandbox's control, for developers",
    "behaviour.ToWebhooks": "of the sandbox's control, for developers",
    "checking.Language": "an option of a command",
    "client_certificate.HeaderForm": "a setting",
    "client_certificate.KnownBy": "how a certificate is written down",
    "clauses.Where": "said within the sentence of its clause",
    "coordination_in_order.Standing": "a parameter; said by the words of the page",
    "consent.Ended": "said by consent_words.BECAUSE",
    "consent.Law": "the number of a law",
    "disclosure.Access": "never shown",
    "docs.Language": "the languages themselves",
    "events.EventType": "said by event_texts.NEWS",
    "handoff.Step": "part of an address; said by the words of the page",
    "intake_fields.FieldClass": "said by the tables of docs/personal-data.md",
    "language.Language": "the languages themselves",
    "likeness.LikenessKind": "never shown",
    "mail.Security": "a setting",
    "purposes.Purpose": "said by the audit's own story",
    "reach.ReachPart": "a parameter; said by the words of the page",
    "referral.ClockKind": "never shown",
    "referral_changes.End": "part of an address; said by the words of the page",
    "referrals.Part": "part of an address; said by the words of the page",
    "retention.CaseClass": "a setting",
    "retention.Ended": "a setting",
    "retry.Detail": "for who runs the receiver; docs/webhooks.md has the table",
    "retry.Verdict": "never shown",
    "rights.ExportFormat": "a form of answer",
    "ring_checks.Flaw": "said by the command that finds it",
    "statistics.CountedBy": "a parameter",
    "audit_findings.FindingKind": "said by commands/audit_report.WORDS",
    "vocabulary.Sex": "a code set",
    "vocabulary.Urgency": "a code set",
    "webhook.Scheme": "the name of an algorithm",
    "handoffs.ReasonToWithdraw": "those of withdraw_reason that a person may give",
}


def enums() -> Iterator[tuple[str, type[StrEnum]]]:
    """Give every set of codes in the code, by its module and name."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    waiting = [StrEnum]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.startswith("app."):
                yield f"{kind.__module__.rsplit('.', 1)[1]}.{kind.__name__}", kind


def test_every_code_that_people_meet_has_a_label_in_both_languages() -> None:
    unnamed = []
    for name, kind in enums():
        labels = LABELS.get(re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower())
        if name in FOR_PROGRAMS:
            continue
        if labels is None or set(labels) != {one.value for one in kind}:
            unnamed.append(name)
    assert unnamed == []
    for texts in (*LABELS.values(), *CODE_SETS.values()):
        for code, text in texts.items():
            assert text.id.strip(), code
            assert text.en.strip(), code


def test_every_code_set_has_labels_that_are_not_its_codes() -> None:
    known = shipped().vocabulary
    for terms in (known.incident_places, known.relations_to_perpetrator, known.sexes, known.agency_kinds):
        for term in terms.values():
            assert term.id
            assert term.en
            assert "_" not in term.id
    assert {known.sexes["female"].id, known.incident_places["school"].id} == {"Perempuan", "Sekolah"}


def test_every_sentence_of_an_explanation_is_there_in_both_languages() -> None:
    for sentences in (SENTENCES, GROUNDS, BASES, BECAUSE):
        for code, (indonesian, english) in sentences.items():
            assert indonesian.strip(), code
            assert english.strip(), code
            assert indonesian != english
    assert {one.value for one in Reason} <= set(SENTENCES)


def test_every_type_of_news_is_described_in_both_languages() -> None:
    assert set(NEWS) == set(EventType)
    for news in NEWS.values():
        for text in (news.what, news.who):
            assert text.id.strip()
            assert text.en.strip()
            assert text.id != text.en


def test_every_problem_says_what_to_do_in_both_languages() -> None:
    assert set(ADVICE) == set(PROBLEMS)
    assert set(PROBLEMS) >= AGAIN
    for code, text in ADVICE.items():
        assert text.id.strip(), code
        assert text.en.strip(), code


async def test_programs_read_the_labels_of_every_code(service: Service) -> None:
    read = await service.read(NATIONAL, "/reference/code-sets")

    states = {one["code"]: (one["id"], one["en"]) for one in read["labels"]["handoff_state"]}
    assert states["handed_back"] == ("Dikembalikan", "Handed back")
    assert set(read["labels"]) == set(LABELS)
    assert {one["code"] for one in read["event_types"]} == {*EventType}
    assert read["incident_places"][0] == {"code": "household", "id": "Rumah tangga", "en": "Household", "source": None}


TRANSLATED = sorted(path.name for path in (WRITTEN / "id").glob("*.md"))


IN_ENGLISH_ALONE = {
    "audit.md": "for who operates the service",
    "benchmarks.md": "for who operates the service",
    "console.md": "for who operates and develops the service; what people do in it is told in both",
    "decisions.md": "for who develops the service",
    "deploying.md": "for who operates the service",
    "operations.md": "for who operates the service",
    "personal-data.md": "for who operates the service",
    "rights.md": "for who operates the service",
    "runbook.md": "for who operates the service",
    "sealing.md": "for who operates the service",
    "signals.md": "for who operates the service",
    "statistics.md": "for who operates the service",
}


def test_every_document_is_there_in_both_languages_or_says_for_whom_it_is_not() -> None:
    written = {path.name for path in WRITTEN.glob("*.md")}

    assert written - IN_ENGLISH_ALONE.keys() == {*TRANSLATED}
    assert IN_ENGLISH_ALONE.keys() <= written


def test_all_that_an_integrator_connects_by_is_there_in_both_languages() -> None:
    chapters = yaml.safe_load((WRITTEN / "contents.yaml").read_text("utf-8"))
    (begin, connect) = (one["pages"] for one in chapters if one["en"] in {"Begin", "Connect your system"})
    there = {f"{slug}.md" for slug in (*begin, *connect) if (WRITTEN / f"{slug}.md").exists()}

    assert there <= {*TRANSLATED}


def blocks(path: Path) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def outline(path: Path) -> list[int]:
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [len(one) for one in re.findall(r"^(#+) ", text, re.MULTILINE)]


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_translation_has_the_parts_and_the_commands_of_its_original(name: str) -> None:
    original, translation = WRITTEN / name, WRITTEN / "id" / name

    def told(path: Path) -> list[str]:
        return [re.sub(r"(Accept-Language:|--language) (id|en)", "", block) for block in blocks(path)]

    assert outline(translation) == outline(original)
    assert told(translation) == told(original)


@pytest.mark.parametrize("path", ["glossary.md", "id/glossary.md"])
def test_every_code_in_the_glossary_is_one(path: str) -> None:
    contract = json.loads((WRITTEN.parent / "openapi" / "openapi.json").read_text("utf-8"))
    names = set(_names(contract))
    names |= {code for labels in LABELS.values() for code in labels}
    known = shipped().vocabulary
    for terms in (known.service_types, known.case_types, known.urgencies, known.agency_kinds):
        names |= set(terms)
    text = (WRITTEN / path).read_text("utf-8")
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| ") and "`" in line]

    assert len(rows) > 100
    for row in rows:
        code = next(cell for cell in row if "`" in cell).strip().strip("`")
        assert code in names, f"{code} is no code of Lintas"


def _names(node: object) -> Iterator[str]:
    """Give every name of a member and every code in the contract."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            if key == "name":
                yield str(value)
            yield from _names(value)
    elif isinstance(node, list):
        for one in node:
            if isinstance(one, str):
                yield one
            yield from _names(one)
