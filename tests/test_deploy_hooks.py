"""The examples of hooks after a deployment: valid by their schemas, with commands that the program takes."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.commands import run_here
from tests.support.services.dashboard import TOKEN, Visited

FOLDER = Path(__file__).parents[1] / "docs" / "deploy"
MONITOR = "https://monitor.example"


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return found


def commands() -> dict[str, list[str]]:
    """The words of the command in each example."""
    github = [step["run"] for step in read("github-deployment.yml")["jobs"]["journeys"]["steps"] if "run" in step]
    gitlab = read("gitlab-deployment.yml")["journeys"]["script"]
    (container,) = read("argo-cd-postsync.yaml")["spec"]["template"]["spec"]["containers"]
    found = {"github": github, "gitlab": gitlab}
    words = {name: shlex.split(next(line for line in lines if line.startswith("journey "))) for name, lines in found.items()}
    return {name: line[1:] for name, line in words.items()} | {"argo": container["args"]}


@pytest.mark.parametrize("name", ["github", "gitlab", "argo"])
def test_the_program_takes_the_command_of_each_example(name: str, dashboard: Callable[..., Visited], tmp_path: Path) -> None:
    served = dashboard({"JOURNEY_SERVE_TOKEN": TOKEN}, declared=lambda: frozenset({"buy"}))
    words = [served.address if word in {"$MONITOR", MONITOR} else word for word in commands()[name]]
    environment = {**os.environ, "JOURNEY_SERVE_TOKEN": TOKEN, "JOURNEY_RELEASE": "1.4.2"}
    ended = run_here(tmp_path, words, environment)
    # It has come as far as the server, which knows no such journey.
    assert (ended.returncode, "no journey has one of the tags critical" in ended.stderr) == (2, True), ended.stderr


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("github-deployment.yml", ["vendor.github-workflows"]),
        ("gitlab-deployment.yml", ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
    ],
)
def test_the_hosts_of_code_accept_their_examples(name: str, schema: list[str]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *schema, str(FOLDER / name)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.thorough
def test_kubernetes_accepts_the_hook_of_argo_cd() -> None:
    import kubernetes_validate

    for version in (kubernetes_validate.latest_version(), "1.28"):
        kubernetes_validate.validate(read("argo-cd-postsync.yaml"), version, strict=True)


def test_the_hook_of_argo_cd_is_one_and_is_confined() -> None:
    job = read("argo-cd-postsync.yaml")
    assert job["metadata"]["annotations"]["argocd.argoproj.io/hook"] == "PostSync"
    assert job["spec"]["backoffLimit"] == 0, "a site that has failed has failed"
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
