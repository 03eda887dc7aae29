"""Checks the files of deploy/ and the Dockerfile: by hadolint, by the schemas of Kubernetes and by that of Compose."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
MANIFESTS = sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
RELEASES = ("1.32", "1.34", "1.37")
"""Of Kubernetes: the oldest that these manifests are written for, the newest known, and one between."""


def commands() -> Iterator[list[str]]:
    """List what is run: each ends with 0 where nothing is wrong."""
    of_environment = Path(sys.executable).parent
    yield [str(of_environment / "hadolint"), "Dockerfile"]
    yield [
        str(of_environment / "check-jsonschema"),
        *("--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml"),
    ]
    manifests = [str(path.relative_to(ROOT)) for path in MANIFESTS if path.name != "kustomization.yaml"]
    for release in RELEASES:
        yield [
            str(of_environment / "kubernetes-validate"),
            *("--strict", "--quiet", "--kubernetes-version", release, *manifests),
        ]
    kubectl = shutil.which("kubectl")
    if kubectl:
        yield [kubectl, "kustomize", "deploy/kubernetes"]


def main() -> int:
    """Run them all, and give 1 where one is not content."""
    failed = 0
    for command in commands():
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        name = " ".join((Path(command[0]).name, *command[1:]))[:100]
        print(f"{'ok' if done.returncode == 0 else 'WRONG'}  {name}")
        if done.returncode:
            failed = 1
            print(done.stdout + done.stderr)
    if not shutil.which("kubectl"):
        print("not run: kubectl is not here, so nothing has put the manifests together as `apply --kustomize` does")
    return failed


if __name__ == "__main__":
    sys.exit(main())
