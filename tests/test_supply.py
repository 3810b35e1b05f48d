"""What a release is made of: pinned, licensed, listed, and built without running what nobody has read."""

import hashlib
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {
    "runtime": ("alerts", "checks", "demo", "oidc", "postgres", "secrets", "serve", "storage"),
    "dev": tuple(PROJECT["optional-dependencies"]),
}


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A program of .ci/ as a module."""
    monkeypatch.syspath_prepend(ROOT / ".ci")
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pinned(name: str) -> dict[str, tuple[str, int]]:
    """The packages of a file of constraints: version, and how many hashes it has."""
    text = (ROOT / ".ci" / "constraints" / f"{name}.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found: dict[str, tuple[str, int]] = {}
    for line in lines:
        match = re.match(r"([\w.-]+)==([^\s;]+)", line)
        assert match is not None, line
        found[canonicalize_name(match[1])] = (match[2], line.count("--hash=sha256:"))
    return found


@pytest.mark.parametrize("name", ["runtime", "dev", "build", "audit"])
def test_every_package_is_pinned_with_hashes(name: str) -> None:
    found = pinned(name)
    assert found
    assert {package for package, (_, hashes) in found.items() if hashes == 0} == set()


@pytest.mark.parametrize("name", ["runtime", "dev"])
def test_the_constraints_satisfy_the_project(name: str) -> None:
    found = pinned(name)
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *(one for extra in EXTRAS[name] for one in extras[extra])]
    for requirement in map(Requirement, wanted):
        if requirement.name != "journey-runner":
            version, _ = found[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(Version(version), prereleases=True), f"run make constraints: {requirement}"


def test_the_licences_of_all_that_is_bundled_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = load("bundled", monkeypatch)
    text = (ROOT / "THIRD-PARTY-LICENSES.txt").read_text()
    wanted = [f"{one.name} {one.version} ({one.licence})" for one in bundled.list_bundled()]
    assert wanted
    # `make release` writes it.
    assert re.findall(r"^(\S+ [\d.]+ \(.+\))$", text, re.MULTILINE) == wanted
    assert {"LICENSE", "THIRD-PARTY-LICENSES.txt"} <= set(PROJECT["license-files"])


def test_the_bill_of_materials_lists_what_is_bundled_and_installed_with_hashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel, output = tmp_path / "one.whl", tmp_path / "bom.json"
    wheel.write_bytes(b"a wheel")
    subprocess.run([sys.executable, ROOT / ".ci" / "sbom.py", "1.2.3", wheel, output], check=True)
    document = json.loads(output.read_text())
    assert (document["bomFormat"], document["metadata"]["component"]["version"]) == ("CycloneDX", "1.2.3")
    own = document["metadata"]["component"]["hashes"]
    assert own == [{"alg": "SHA-256", "content": hashlib.sha256(b"a wheel").hexdigest()}]
    names = {one["name"] for one in document["components"]}
    assert set(pinned("runtime")) <= {canonicalize_name(name) for name in names}
    assert {one.name for one in load("bundled", monkeypatch).list_bundled()} <= names
    for one in document["components"]:
        hashes = one.get("hashes") or [hash_ for file in one["externalReferences"] for hash_ in file["hashes"]]
        assert hashes, one["name"]
        assert all(re.fullmatch(r"[0-9a-f]{64}|[0-9a-f]{128}", each["content"]) for each in hashes)
    references = [one["bom-ref"] for one in document["components"]]
    assert len(references) == len(set(references))


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.thorough
def test_workflows_are_valid_by_the_schema_of_their_host() -> None:
    # All at once: the checker takes longer to start than to check.
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS)]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda one: one.name)
def test_workflows_use_pinned_actions_and_ask_for_no_more_than_they_need(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text())
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert set(job["permissions"]) <= {"contents", "id-token"}, name
        assert job["permissions"].get("contents", "read") == "read"
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", step["uses"]), step
            # What somebody else has written would be a part of the script.
            assert "${{" not in step.get("run", "")


def test_only_the_job_that_publishes_has_an_identity_and_it_runs_no_code_of_ours() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())["jobs"]
    assert [name for name, job in jobs.items() if "id-token" in job["permissions"]] == ["publish"]
    assert not any("checkout" in step.get("uses", "") for step in jobs["publish"]["steps"])
    assert jobs["publish"]["environment"]["name"] == "pypi"
    (publish,) = (step for step in jobs["publish"]["steps"] if "pypi-publish" in step.get("uses", ""))
    assert publish["with"]["attestations"] is True
    assert not {"user", "password"} & set(publish["with"])


def test_advisories_are_read_every_day_for_everything_that_is_pinned() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "advisories.yml").read_text())
    # `on` is a truth value in YAML 1.1.
    assert workflow[True]["schedule"]
    jobs = workflow["jobs"]
    files = {one.stem for one in (ROOT / ".ci" / "constraints").glob("*.txt")}
    assert set(jobs["python"]["strategy"]["matrix"]["constraints"]) == files
    bundled = {
        str(one.parent.relative_to(ROOT)) for one in ROOT.glob("r*/**/package-lock.json") if "node_modules" not in one.parts
    }
    assert set(jobs["npm"]["strategy"]["matrix"]["folder"]) == bundled


def test_no_script_of_a_package_is_run_when_npm_installs() -> None:
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    installing = {
        (file, line.strip())
        for file in set(tracked) - {"tests/test_supply.py"}
        for line in (ROOT / file).read_text().splitlines()
        if re.search(r'"npm", "(?:ci|install)"|npm\(\["(?:ci|install)"|INSTALL\b.*"ci"', line)
    }
    assert {file for file, _ in installing} == {
        "benchmarks/agent.py", "benchmarks/real_pages.py", "hatch_build.py", "tests/support/npm.py"
    }  # fmt: skip
    assert [one for one in installing if "--ignore-scripts" not in one[1]] == []
    for lock in ("runner/page/agent", "reports/web/frontend", "reports/codegen/frontend"):
        packages = json.loads((ROOT / lock / "package-lock.json").read_text())["packages"]
        assert {place for place, one in packages.items() if place and not one["integrity"].startswith("sha512-")} == set()
