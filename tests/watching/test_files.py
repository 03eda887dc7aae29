"""Dashboard, alerts and documents name the metrics that there are, all of them, and nothing else."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import metrics
from app.reference.yaml_text import load_yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
NAMED = re.compile(r"\blintas_[a-z0-9_]+")


def rules() -> list[dict[str, Any]]:
    document: Any = load_yaml((DEPLOY / "prometheus" / "alerts.yaml").read_text("utf-8")).value
    return [rule for group in document["groups"] for rule in group["rules"]]


def dashboard() -> list[str]:
    shown = json.loads((DEPLOY / "grafana" / "lintas.json").read_text("utf-8"))
    return [target["expr"] for panel in shown["panels"] for target in panel.get("targets", ())]


def named(expressions: list[str]) -> Iterator[str]:
    for name in {name for expression in expressions for name in NAMED.findall(expression)}:
        kept = re.sub(r"_(bucket|count|sum)$", "", name)
        yield kept if metrics.DESCRIBED.get(kept, None) is not None else name


def test_dashboard_and_alerts_name_no_metric_that_is_not_there() -> None:
    expressions = dashboard() + [rule["expr"] for rule in rules()]

    assert set(named(expressions)) <= metrics.DESCRIBED.keys()


def test_every_metric_stands_on_the_dashboard() -> None:
    assert metrics.DESCRIBED.keys() - set(named(dashboard())) == set()


def test_every_label_that_an_expression_names_is_one_of_its_metric() -> None:
    expressions = dashboard() + [rule["expr"] for rule in rules()]
    of_prometheus = {"instance", "job", "le"}
    for expression in expressions:
        for name, selected in re.findall(r"(lintas_[a-z0-9_]+)\{([^}]*)\}", expression):
            (metric,) = named([name])
            labels = set(re.findall(r"(\w+)=", selected))
            assert labels <= {*metrics.DESCRIBED[metric].labels, *of_prometheus}, expression


def test_every_metric_is_documented() -> None:
    text = (ROOT / "docs" / "signals.md").read_text("utf-8")

    assert [name for name in metrics.DESCRIBED if f"| `{name}` |" not in text] == []


def test_what_is_documented_is_what_the_registry_shows() -> None:
    shown = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in metrics.REGISTRY.collect()
        if family.name.startswith("lintas_")
    }
    own = {name for name, told in metrics.DESCRIBED.items() if not told.from_database}

    assert shown == own


def test_every_alert_says_whom_it_wakes_and_what_to_do_in_both_languages() -> None:
    names = [rule["alert"] for rule in rules()]

    assert len(names) == len(set(names))
    for rule in rules():
        kebab = re.sub(r"(?<!^)(?=[A-Z])", "-", rule["alert"]).lower()
        assert rule["labels"]["severity"] in {"page", "day"}, rule["alert"]
        assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{kebab}"
        for said in ("summary", "description"):
            assert " / " in rule["annotations"][said], rule["alert"]


def test_the_runbook_says_what_to_do_about_every_alert() -> None:
    headings = re.findall(r"(?m)^#+ (.+)$", (ROOT / "docs" / "runbook.md").read_text("utf-8"))
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}

    assert {rule["annotations"]["runbook_url"].partition("#")[2] for rule in rules()} - anchors == set()


def test_every_alert_has_a_test_that_fires_it() -> None:
    tested: Any = load_yaml((DEPLOY / "prometheus" / "alerts.test.yaml").read_text("utf-8")).value
    fired = {
        name
        for test in tested["tests"]
        for expected in test["promql_expr_test"]
        if expected["exp_samples"]
        for name in re.findall(r'alertname="(\w+)"', expected["expr"])
    }

    assert fired == {rule["alert"] for rule in rules()}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool: the package prometheus of Debian")
@pytest.mark.parametrize("what", [("check", "rules", "alerts.yaml"), ("test", "rules", "alerts.test.yaml")])
def test_the_alerts_are_what_prometheus_reads_and_fire_when_they_should(what: tuple[str, ...]) -> None:
    ran = subprocess.run(  # noqa: S603
        ["promtool", *what],  # noqa: S607
        cwd=DEPLOY / "prometheus",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
