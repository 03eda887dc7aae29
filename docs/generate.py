"""Writes the parts of the documents that follow from the code, or with --check says which have drifted."""

import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from app import metrics
from app.api.scope_table import scopes_of_roles
from app.commands.audit_report import WORDS
from app.domain import disclosure, simfoni
from app.domain.access_token import FAULTS, TokenFault
from app.domain.audit_findings import FindingKind
from app.domain.caller import Role
from app.domain.intake_fields import SEALED, FieldClass, class_of, personal_field
from app.domain.retention import KEPT_MONTHS, CaseClass, Ended
from app.domain.statistics import RESULT_TERMS
from app.main import ROUTERS
from app.reference.load import shipped
from app.reference.yaml_text import load_yaml
from app.settings import PREFIX, Settings
from docs import diagram, tables

HERE = Path(__file__).parent


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
    rows = [f"| `{name}` | {_written(default)} |" for name, default in defaults(Settings, PREFIX)]
    return "\n".join(["| variable | default |", "|---|---|", *rows])


def defaults(of: type[BaseModel], prefix: str) -> Iterator[tuple[str, object]]:
    """Give each setting by the name of its variable, those of a part after the name of the part."""
    for name, field in of.model_fields.items():
        variable = f"{prefix}{name.upper()}"
        if isinstance(field.default, BaseModel):
            yield from defaults(type(field.default), f"{variable}__")
        else:
            yield variable, field.default


def _written(default: object) -> str:
    """Write a default as the variable would hold it."""
    if default is None or default == ():
        return ""
    return f"`{','.join(map(str, default))}`" if isinstance(default, tuple) else f"`{default}`"


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


def retention_table() -> str:
    """Tabulate how many months each kind of case is kept after its end, as shipped."""
    lines = [f"| class | {' | '.join(f'`{ended.value}`' for ended in Ended)} |", "|---|" + "---|" * len(Ended)]
    lines += [
        f"| `{kind.value}` | {' | '.join(str(KEPT_MONTHS[kind, ended] or 'for ever') for ended in Ended)} |"
        for kind in CaseClass
    ]
    return "\n".join(lines)


def findings_table() -> str:
    """Tabulate what a verification of the audit may find."""
    lines = ["| found | what it says |", "|---|---|"]
    lines += [f"| `{kind.value}` | {WORDS[kind].en} |" for kind in FindingKind]
    return "\n".join(lines)


def scopes_table(language: str) -> str:
    """Tabulate every scope with the roles that can make use of it."""
    held = scopes_of_roles(ROUTERS)
    every = tables.WORDS["every_role"]
    lines = [getattr(tables.HEADS["scopes"], language), "|---|---|"]
    for scope in sorted(frozenset().union(*held.values())):
        roles = [role.value for role in Role if scope in held[role]]
        lines.append(f"| `{scope}` | {getattr(every, language) if len(roles) == len(Role) else ', '.join(roles)} |")
    return "\n".join(lines)


def token_faults_table(language: str) -> str:
    """Tabulate why a token may be refused."""
    said = FAULTS if language == "en" else tables.FAULTS_IN_INDONESIAN
    lines = ["| `error_description` | |", "|---|---|"]
    lines += [f"| `{fault.value}` | {said[fault]} |" for fault in TokenFault]
    return "\n".join(lines)


def metrics_table() -> str:
    """Tabulate every metric of our own."""
    lines = ["| metric | kind | labels | of | |", "|---|---|---|---|---|"]
    for told in metrics.DESCRIBED.values():
        of = "the service" if told.from_database else "the process"
        labels = ", ".join(f"`{label}`" for label in told.labels)
        lines.append(f"| `{told.name}` | {told.kind} | {labels} | {of} | {told.said} |")
    return "\n".join(lines)


def alerts_table() -> str:
    """Tabulate every alert: whom it wakes, and when it fires."""
    document: Any = load_yaml((HERE.parent / "deploy" / "prometheus" / "alerts.yaml").read_text("utf-8")).value
    lines = ["| alert | | fires when | for |", "|---|---|---|---|"]
    for rule in (rule for group in document["groups"] for rule in group["rules"]):
        when = " ".join(rule["expr"].split()).replace("|", "\\|")
        lines.append(f"| `{rule['alert']}` | {rule['labels']['severity']} | `{when}` | {rule.get('for', '0m')} |")
    return "\n".join(lines)


PARTS: dict[str, Callable[[], str]] = {
    "metrics-table": metrics_table,
    "alerts-table": alerts_table,
    "disclosure-table": disclosure_table,
    "intake-table": intake_table,
    "settings-table": settings_table,
    "findings-table": findings_table,
    "retention-table": retention_table,
    "statistics-table": statistics_table,
}


IN_BOTH: dict[str, Callable[[str], str]] = {
    "codes-table": tables.codes,
    "moves-table": tables.moves,
    "news-table": tables.news,
    "problems-table": tables.problems,
    "scopes-table": scopes_table,
    "token-faults-table": token_faults_table,
}
"""What is made for the language of the document that it stands in."""
DRAWN: dict[str, Callable[[str], str]] = {"handoff-states.svg": diagram.draw}
TONGUES = {"en": HERE, "id": HERE / "id"}


PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def written() -> Iterator[tuple[Path, str]]:
    """Give every document and drawing as it follows from the code."""
    for language, directory in TONGUES.items():
        for path in sorted(directory.glob("*.md")):
            yield path, PART.sub(partial(_made, language), path.read_text("utf-8"))
        for name, draw in DRAWN.items():
            yield directory / name, draw(language)


def _made(language: str, found: re.Match[str]) -> str:
    name = found[2]
    part = IN_BOTH[name](language) if name in IN_BOTH else PARTS[name]()
    return f"{found[1]}{part}\n{found[3]}"


def main() -> int:
    """Rewrite every marked part, or only compare."""
    checking, drifted = "--check" in sys.argv, []
    for path, text in written():
        if not path.exists() or path.read_text("utf-8") != text:
            drifted.append(str(path.relative_to(HERE)))
            if not checking:
                path.write_text(text, "utf-8")
    if checking and drifted:
        sys.stderr.write(f"run `make docs`: {', '.join(drifted)} no longer follows from the code\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
