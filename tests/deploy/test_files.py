"""What deploy/ hands to an operator fits the product, gives away no secret and takes no right that is not needed."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from app.api.docs.markdown import render
from app.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
STOPS_WITHIN = Settings().stop_within + timedelta(seconds=5)


def manifests() -> list[dict[str, Any]]:
    return [
        one
        for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
        for one in yaml.safe_load_all(path.read_text())
        if path.name != "kustomization.yaml"
    ]


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    return [one for one in manifests() if one["kind"] in kinds]


def variables(of: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in of.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from variables(type(field.default), f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}"


@pytest.mark.parametrize(
    "path", [ROOT / "Dockerfile", *DEPLOY.rglob("*.yaml"), *DEPLOY.rglob("*.sh")], ids=lambda path: path.name
)
def test_every_variable_that_is_set_is_a_setting(path: Path) -> None:
    own = {"LINTAS_IMAGE", "LINTAS_SECRETS"}  # of the files themselves
    named = set(re.findall(r"LINTAS_[A-Z_]*[A-Z]", path.read_text()))

    assert named <= {*variables(Settings, PREFIX), *own}


@pytest.mark.parametrize("workload", of_kind("Deployment", "Job"), ids=lambda one: one["metadata"]["name"])
def test_a_pod_has_no_right_that_it_does_not_need(workload: dict[str, Any]) -> None:
    pod = workload["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not pod["automountServiceAccountToken"]
    # Kubernetes would set LINTAS_API_SERVICE_HOST and the like, which are no settings and stop the start.
    assert pod["enableServiceLinks"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"requests", "limits"} <= container["resources"].keys()
    assert "cpu" not in container["resources"]["limits"]


@pytest.mark.parametrize("workload", of_kind("Deployment"), ids=lambda one: one["metadata"]["name"])
def test_what_runs_is_probed_spread_kept_up_and_given_time_to_end(workload: dict[str, Any]) -> None:
    labels = workload["spec"]["template"]["metadata"]["labels"]
    pod = workload["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    before = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)

    assert {probe: container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")} == {
        "startup": "/health/startup",
        "liveness": "/health/live",
        "readiness": "/health/ready",
    }
    assert timedelta(seconds=pod["terminationGracePeriodSeconds"] - before) >= STOPS_WITHIN
    assert workload["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert all(one["labelSelector"]["matchLabels"] == labels for one in pod["topologySpreadConstraints"])
    assert [one for one in of_kind("PodDisruptionBudget") if one["spec"]["selector"]["matchLabels"] == labels]
    name = workload["metadata"]["name"]
    assert [one for one in of_kind("HorizontalPodAutoscaler") if one["spec"]["scaleTargetRef"]["name"] == name]
    # The autoscaler's number is not taken back by each apply.
    assert "replicas" not in workload["spec"]


def test_nothing_is_reached_but_what_is_named() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind("NetworkPolicy")}

    assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert all(rule.get("ports") for spec in policies.values() for rule in spec.get("ingress", ()))
    assert all(rule.get("ports") for spec in policies.values() for rule in spec.get("egress", ()))


def test_no_secret_is_in_a_manifest_or_in_the_environment_of_a_container() -> None:
    assert of_kind("Secret") == []
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    settings = {name for one in compose["services"].values() for name in one.get("environment", {})}
    for workload in of_kind("Deployment", "Job"):
        settings |= {one["name"] for one in workload["spec"]["template"]["spec"]["containers"][0].get("env", ())}
    settings |= set(of_kind("ConfigMap")[0]["data"])

    assert settings.isdisjoint({"LINTAS_DATABASE_URL", "LINTAS_KEY_RING", "POSTGRES_PASSWORD"})
    assert all("file" in one for one in compose["secrets"].values())


def test_in_compose_what_is_lintas_may_write_to_its_ledger_alone_and_is_given_time_to_end() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]

    assert services.keys() == {"database", "migrate", "serve", "work"}
    for name in ("migrate", "serve", "work"):
        one = services[name]
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
        assert one["security_opt"] == ["no-new-privileges:true"]
        assert timedelta(seconds=int(one["stop_grace_period"].removesuffix("s"))) >= STOPS_WITHIN
        assert [volume.partition(":")[2] for volume in one.get("volumes", ())] in ([], ["/var/lib/lintas"])
    assert "ports" not in services["database"]


def test_every_alert_leads_to_a_section_of_the_runbook() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())
    led_to = {
        rule["annotations"]["runbook_url"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule
    }
    shown = render((ROOT / "docs" / "runbook.md").read_text(), lambda address: address).html

    assert led_to
    for address in led_to:
        document, _, anchor = address.partition("#")
        assert document == "docs/runbook.md"
        assert f'id="{anchor}"' in shown
