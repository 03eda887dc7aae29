"""Writes the parts of the documents that follow from the code, or with --check says which have drifted."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from app.commands.audit_report import WORDS
from app.domain import disclosure, simfoni
from app.domain.audit_findings import FindingKind
from app.domain.handoff import LIVE, TRANSITIONS, HandoffState
from app.domain.intake_fields import SEALED, FieldClass, class_of, personal_field
from app.domain.statistics import RESULT_TERMS
from app.reference.load import shipped
from app.settings import PREFIX, Settings

HERE = Path(__file__).parent


def state_diagram() -> str:
    """Draw the table of moves as a Mermaid diagram."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> offered: offer"]
    for (state, event), move in TRANSITIONS.items():
        who = ", ".join(sorted(actor.value for actor in move.who))
        late = " while a person is waited for" if move.while_waiting else ""
        lines.append(f"    {state.value} --> {move.to.value}: {event.value} ({who}{late})")
    lines += [f"    {state.value} --> [*]" for state in HandoffState if state not in LIVE]
    return "\n".join([*lines, "```"])


SAID_OF = {
    FieldClass.HANDLING: ("every service", "every service", "yes"),
    FieldClass.FACT: ("every service", "every service", "yes"),
    FieldClass.PLACE: ("every service, its regency", "every service, in full", "yes"),
    FieldClass.KEPT_BACK: ("nobody", "nobody", "no"),
    FieldClass.SENDERS_OWN: ("nobody", "nobody", "no"),
}


def intake_table() -> str:
    """Tabulate every field of a referral: how it is kept, and which receiver sees it when."""
    lines = [
        "| field | class | kept | before accepting | once accepted | without consent, in an emergency |",
        "|---|---|---|---|---|---|",
    ]
    for path, class_ in sorted(class_of.items()):
        kept = "sealed" if class_ in SEALED else "open to routing"
        before, after, vital = SAID_OF.get(class_) or _disclosed(path, class_)
        lines.append(f"| `{path}` | {class_.value} | {kept} | {before} | {after} | {vital} |")
    return "\n".join(lines)


def _disclosed(path: str, class_: FieldClass) -> tuple[str, str, str]:
    field = personal_field(path)
    needing = [service for service, fields in sorted(disclosure.SERVICE_NEEDS.items()) if field in fields]
    everyone = class_ in (FieldClass.TO_DECIDE, FieldClass.TO_SERVE)
    return (
        "every service" if class_ is FieldClass.TO_DECIDE else "nobody",
        "every service" if everyone else ", ".join(needing),
        "yes" if field in disclosure.VITAL_INTEREST else "no",
    )


def disclosure_table() -> str:
    """Tabulate the profile of each service: what its receiver sees beyond what every service sees."""
    lines = ["| service | before accepting | once accepted, beyond what every service sees |", "|---|---|---|"]
    before = ", ".join(f"`{field}`" for field in sorted(disclosure.BEFORE_ACCEPTING))
    for service in shipped().vocabulary.service_types:
        more = sorted(disclosure.SERVICE_NEEDS.get(service, frozenset()) - disclosure.ONCE_ACCEPTED)
        lines.append(f"| `{service}` | {before} | {', '.join(f'`{field}`' for field in more) or 'nothing'} |")
    return "\n".join(lines)


def settings_table() -> str:
    """Tabulate every setting with its default."""
    rows = ["| variable | default |", "|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, BaseModel):
            rows += [
                f"| `{PREFIX}{name.upper()}__{inner.upper()}` | `{getattr(default, inner)}` |"
                for inner in type(default).model_fields
            ]
        else:
            rows.append(f"| `{PREFIX}{name.upper()}` | {'' if default is None else f'`{default}`'} |")
    return "\n".join(rows)


def statistics_table() -> str:
    """Tabulate what referrals are counted by, and what each category is called and holds."""
    services = {code: [ours for ours, kind in simfoni.SERVICE_OF.items() if kind == code] for code in simfoni.SERVICES}
    rows = ["| by | category | Indonesia | English | of Lintas's codes |", "|---|---|---|---|---|"]
    for by, terms in (
        ("sex", simfoni.SEXES),
        ("age", simfoni.AGE_GROUPS),
        ("violence", shipped().vocabulary.case_types),
        ("service", simfoni.SERVICES),
        ("outcome, service_outcome", simfoni.OUTCOMES),
        ("(duties)", RESULT_TERMS),
    ):
        rows += [
            f"| {by} | `{term.code}` | {term.id} | {term.en} | {', '.join(services.get(term.code, ()))} |"
            for term in terms.values()
        ]
    return "\n".join(rows)


def findings_table() -> str:
    """Tabulate what a verification of the audit may find."""
    lines = ["| found | what it says |", "|---|---|"]
    lines += [f"| `{kind.value}` | {WORDS[kind].en} |" for kind in FindingKind]
    return "\n".join(lines)


PARTS: dict[str, Callable[[], str]] = {
    "state-diagram": state_diagram,
    "disclosure-table": disclosure_table,
    "intake-table": intake_table,
    "settings-table": settings_table,
    "findings-table": findings_table,
    "statistics-table": statistics_table,
}


PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> int:
    """Rewrite every marked part, or only compare."""
    checking, drifted = "--check" in sys.argv, []
    for path in sorted(HERE.glob("*.md")):
        before = path.read_text("utf-8")
        after = PART.sub(lambda found: f"{found[1]}{PARTS[found[2]]()}\n{found[3]}", before)
        if after != before:
            drifted.append(path.name)
            if not checking:
                path.write_text(after, "utf-8")
    if checking and drifted:
        sys.stderr.write(f"run `make docs`: {', '.join(drifted)} no longer follows from the code\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
