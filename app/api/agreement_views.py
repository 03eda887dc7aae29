"""What the API shows of documents: their versions, what a check found, and what a draft would change."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from pydantic.config import JsonDict

from app.api import examples
from app.api.examples import shows
from app.api.validation import Answer, Body, Moment, Whole
from app.domain.document import Document
from app.domain.routing import Effect
from app.domain.simulation import Tally
from app.storage.documents import Draft, Published
from app.workflows.check_document import Checked

PUBLISHED, DRAFT = "published", "draft"
MOST_AT_ONCE = 5000


class VersionLine(Answer):
    """A version of a document in a list."""

    version: int
    status: str = Field(description="published, or draft (which operators alone see).")
    sha256: str | None = Field(None, description="Of a published version: over its canonical JSON.")
    published_at: datetime | None = None
    begins: datetime | None = None
    ends: datetime | None = Field(None, description="Its own end or its successor's beginning; null is open.")
    in_force: bool = False


class AgreementView(Answer):
    """A document with its versions."""

    id: str
    kind: str
    title: dict[str, str]
    precedence: int
    in_force: int | None = Field(description="The version that counts now.")
    versions: list[VersionLine]


class VersionView(VersionLine):
    """A version of a document as it is written."""

    id: str
    document: dict[str, Any]
    author: str | None = Field(None, description="Of a draft: the agency that wrote it last.")
    updated_at: datetime | None = Field(None, description="Of a draft.")


class FindingView(Answer):
    """Something that was found of a document."""

    code: str
    severity: str = Field(description="refuse: it cannot be published so; report: its parties should know.")
    clauses: list[str]
    message_id: str
    message_en: str
    witness: Any = Field(description="A referral that shows it, as `lintas route` reads cases; null if none is needed.")


class CheckView(Answer):
    """What was found of a version."""

    id: str
    version: int
    sha256: str
    publishable: bool
    findings: list[FindingView]

    @classmethod
    def of(cls, checked: Checked, digest: str) -> "CheckView":
        """Show what a check found."""
        return cls(
            id=checked.document.id,
            version=checked.document.version,
            sha256=digest,
            publishable=not checked.refused_for,
            findings=findings_of(checked),
        )


class PublicationView(VersionView):
    """A version that was published, with what its parties should know of it."""

    findings: list[FindingView]


CASE: JsonDict = {"name": {"type": "string", "minLength": 1}, "facts": {"type": "object"}}


class SimulationBody(Body):
    """What to try a version on: the decisions of a period, or cases."""

    model_config = shows(examples.SIMULATION)

    from_: Moment | None = Field(None, alias="from", description="The first moment of the period.")
    to: Moment | None = Field(None, description="The moment before which the period ends.")
    after: Annotated[str, Field(max_length=100)] | None = Field(None, description="The `next` of the answer before.")
    limit: Annotated[Whole, Field(ge=1, le=MOST_AT_ONCE)] = Field(2000, description="How many decisions at most.")
    cases: list[Any] | None = Field(
        None,
        description="Cases as `lintas route` reads them, instead of a period.",
        json_schema_extra={"items": {"type": "object", "required": ["name", "facts"], "properties": CASE}},
    )


class FateView(Answer):
    """Where a request goes: its agency, or null and the reason why its coordinator is asked; by which clause."""

    agency: str | None
    reason: str | None
    document: str | None
    clause: str | None


class MoveView(Answer):
    """Requests that would go elsewhere, in the same way."""

    service: str
    from_: FateView = Field(alias="from")
    to: FateView
    count: int


class ExampleView(Answer):
    """One request that would go elsewhere."""

    name: str = Field(description="The decision's id, or the name of the case.")
    service: str
    from_: FateView = Field(alias="from")
    to: FateView


class SimulationView(Answer):
    """What a version would change, had it been in force when the requests were received."""

    id: str
    version: int
    examined: int
    moved: int = Field(description="Would go elsewhere.")
    unchanged: int
    cited_otherwise: int = Field(description="Would go to the same agency or coordinator, by another clause or reason.")
    changed_already: int = Field(description="Are decided otherwise today than they were, with or without the version.")
    moves: list[MoveView]
    examples: list[ExampleView]
    next: str | None = Field(description="Give it as `after` to go on; null where the period ends.")

    @classmethod
    def of(cls, document: Document, tally: Tally, following: str | None) -> "SimulationView":
        """Show what came of a simulation, the most frequent first."""
        return cls(
            id=document.id,
            version=document.version,
            examined=tally.examined,
            moved=tally.moved,
            unchanged=tally.unchanged,
            cited_otherwise=tally.cited_otherwise,
            changed_already=tally.changed_already,
            moves=[
                MoveView.model_validate({**move.to_json(), "count": count}) for move, count in tally.moves.most_common()
            ],
            examples=[ExampleView.model_validate({**move.to_json(), "name": name}) for name, move in tally.examples],
            next=following,
        )


def findings_of(checked: Checked) -> list[FindingView]:
    """Show what a check found."""
    return [FindingView.model_validate(finding.to_json()) for finding in checked.findings]


def published_view(kept: Published, effect: Effect | None, now: datetime) -> VersionView:
    """Show a published version; one without effect was closed by its successor before it began."""
    return VersionView(
        id=kept.id,
        version=kept.version,
        status=PUBLISHED,
        document=dict(kept.body),
        sha256=kept.sha256,
        published_at=kept.published_at,
        **_effect(effect, now),
    )


def draft_view(draft: Draft) -> VersionView:
    """Show a draft."""
    return VersionView(
        id=draft.id,
        version=draft.version,
        status=DRAFT,
        document=dict(draft.body),
        author=draft.author_agency,
        updated_at=draft.updated_at,
    )


def agreement_views(
    ids: Iterable[str],
    published: Iterable[Published],
    drafts: Iterable[Draft],
    effects: Mapping[tuple[str, int], Effect],
    now: datetime,
) -> list[AgreementView]:
    """Show documents with their versions, the newest first."""
    bodies: dict[str, Mapping[str, Any]] = {}
    versions: dict[str, list[VersionLine]] = {id_: [] for id_ in ids}
    for draft in drafts:
        versions[draft.id].append(VersionLine(version=draft.version, status=DRAFT))
        bodies[draft.id] = draft.body
    for kept in published:
        effect = effects.get((kept.id, kept.version))
        line = VersionLine(
            version=kept.version,
            status=PUBLISHED,
            sha256=kept.sha256,
            published_at=kept.published_at,
            **_effect(effect, now),
        )
        versions[kept.id].append(line)
        bodies[kept.id] = kept.body
    return [_agreement(id_, bodies[id_], lines) for id_, lines in versions.items()]


def _agreement(id_: str, body: Mapping[str, Any], lines: list[VersionLine]) -> AgreementView:
    return AgreementView(
        id=id_,
        kind=body["kind"],
        title=body["title"],
        precedence=body["precedence"],
        in_force=next((line.version for line in lines if line.in_force), None),
        versions=sorted(lines, key=lambda line: -line.version),
    )


def _effect(effect: Effect | None, now: datetime) -> dict[str, Any]:
    if effect is None:
        return {}
    in_force = effect.begins <= now and (effect.ends is None or now < effect.ends)
    return {"begins": effect.begins, "ends": effect.ends, "in_force": in_force}
