"""The documentation says what the program does."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
import yaml
from prometheus_client import CollectorRegistry
from typer.main import get_command

from reports.collector.beacon import Beacon, Interaction, ScriptError, SlowRequest, Synthetic, View, Vital
from reports.collector.errors import Reason
from reports.collector.metrics.collector_metrics import CollectorMetrics
from reports.collector.metrics.families import format_families
from reports.compare import Comparison, Rule
from reports.formats.registry import REPORT_FORMATS
from reports.smoke.baseline import Baseline, JourneyBaseline
from reports.smoke.result import BaselineSource, BudgetCheck, JourneyCheck, SmokeResult, StepCheck
from runner.cli.all_commands import app
from runner.dsl.journey import INJECTABLE
from runner.dsl.options import list_options
from runner.measures import FIGURES
from runner.metrics.run_metrics import build_registry
from runner.result import Failure, RunResult, StepResult
from runner.settings.artifact_kinds import ARTIFACT_KINDS
from runner.settings.sections.apps import App
from runner.settings.setting_parsers import list_parsers
from tests.conftest import Monitor

ROOT = Path(__file__).parents[1]


def words(file: str) -> set[str]:
    """Everything that stands in backticks."""
    return {
        word for code in re.findall(r"`([^`\n]+)`", (ROOT / "docs" / file).read_text()) for word in re.split(r"[\s,]+", code)
    }


def names(collected: CollectorRegistry) -> set[str]:
    return {family.name for family in collected.collect()}


def test_every_setting_is_documented() -> None:
    assert set(list_parsers()) - set(ARTIFACT_KINDS) - words("configuration.md") == set()


def test_every_kind_of_artifact_is_documented() -> None:
    assert set(ARTIFACT_KINDS) - words("artifacts.md") == set()


def test_every_option_of_a_journey_and_everything_injectable_is_documented() -> None:
    assert (set(list_options()) - set(ARTIFACT_KINDS) | set(INJECTABLE)) - words("journeys.md") == set()


def test_every_metric_is_documented_and_no_other() -> None:
    documented = {word for word in words("metrics.md") if word.startswith("synthetic_") and word != "synthetic_monitor"}
    assert documented == names(build_registry())


def test_every_metric_of_real_users_and_of_the_collector_is_documented_and_no_other() -> None:
    shown = format_families(CollectorMetrics().families, openmetrics=False).decode()
    exposed = set(re.findall(r"^# TYPE (\S+)", shown, re.MULTILINE))
    section = (ROOT / "docs" / "metrics.md").read_text().partition("## Real users")[2]
    documented = {name for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert documented == exposed


def test_every_key_of_an_app_and_every_reason_of_a_refusal_is_documented() -> None:
    assert {*App.__struct_fields__, *get_args(Reason)} - words("collector.md") == set()


def test_every_field_of_a_beacon_is_documented() -> None:
    structs = (Beacon, View, Vital, Interaction, ScriptError, SlowRequest, Synthetic)
    assert {field for one in structs for field in one.__struct_fields__} - words("collector.md") == set()


def test_every_field_of_a_result_is_documented() -> None:
    fields = {*RunResult.__struct_fields__, *StepResult.__struct_fields__, *Failure.__struct_fields__}
    assert fields - words("result.md") == set()


def test_every_field_of_a_smoke_check_and_of_a_baseline_is_documented() -> None:
    structs = (SmokeResult, JourneyCheck, StepCheck, BudgetCheck, BaselineSource, Comparison, Rule, Baseline, JourneyBaseline)
    assert {field for one in structs for field in one.__struct_fields__} - words("smoke.md") == set()


def test_every_option_of_smoke_its_figures_and_settings_are_documented() -> None:
    command = get_command(app).commands["smoke"]  # type: ignore[attr-defined]
    spelt = {word for one in command.params for word in (*one.opts, *one.secondary_opts) if word.startswith("--")}
    settings = {name for name in list_parsers() if name.startswith("smoke_")} | {"budgets"}
    assert (spelt | settings | set(FIGURES)) - {"--help"} - words("smoke.md") - words("weight.md") == set()


def test_the_commands_are_documented_as_they_are(tmp_path: Path) -> None:
    written = tmp_path / "commands.md"
    command = [
        sys.executable,
        "-m",
        "typer",
        "runner.cli.all_commands",
        "utils",
        "docs",
        "--name",
        "journey",
        "--title",
        "Commands",
    ]
    subprocess.run([*command, "--output", str(written)], check=True, capture_output=True, cwd=ROOT)
    assert (ROOT / "docs" / "commands.md").read_text() == written.read_text(), "run `make docs`"


def test_the_readmes_journey_runs(monitor: Monitor) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    shown, own = (
        block.replace("from runner import expect, journey\n", "").replace("from runner import journey\n", "")
        for block in blocks
    )
    assert len(own.strip().splitlines()) <= 6
    assert monitor.run(own).status == "passed"
    assert monitor.run(shown).failure is None


def test_the_ci_examples_are_yaml_that_runs_journeys() -> None:
    text = (ROOT / "docs" / "reports.md").read_text()
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    shards, gitlab_shards, github, gitlab = blocks
    commands = [step["run"] for step in github["jobs"]["smoke"]["steps"] if "run" in step] + gitlab["smoke"]["script"]
    assert sum(command.startswith("journey smoke ") for command in commands) == 2
    runs = [step["run"] for job in shards["jobs"].values() for step in job["steps"] if "run" in step]
    runs += gitlab_shards["shard"]["script"] + gitlab_shards["report"]["script"]
    assert sum(command.startswith("journey run --tag ") for command in runs) == 2
    assert sum("journey report merge " in command for command in runs) == 2
    assert set(REPORT_FORMATS) <= words("reports.md")


@pytest.mark.thorough
@pytest.mark.parametrize("number", range(4))
def test_the_ci_examples_are_valid_by_their_schemas(number: int, tmp_path: Path) -> None:
    block = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "reports.md").read_text(), re.DOTALL)[number]
    (tmp_path / "ci.yml").write_text(block)
    schema = ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"] if ".gitlab-ci.yml" in block else ["vendor.github-workflows"]
    ended = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *schema, "ci.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def anchors(page: Path) -> set[str]:
    """What can stand behind `#` in a link to a page: its headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_files_that_how_to_add_names_exist() -> None:
    section = (ROOT / "docs" / "architecture.md").read_text().partition("## How to add")[2].partition("\n## ")[0]
    named = [word for word in re.findall(r"`([\w./<>]+)`", section) if "/" in word and "<" not in word]
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []
    templates = [word for word in re.findall(r"`([\w./<>]+)`", section) if "<" in word]
    assert [name for name in templates if not (ROOT / name).parent.is_dir()] == []


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for file in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", file.read_text()):
            page = file.parent / target if target else file
            if not page.exists() or (anchor and anchor not in anchors(page)):
                broken.append(f"{file.relative_to(ROOT)}: {target}#{anchor}")
    assert broken == []


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(file.name[:4]) for file in sorted((ROOT / "docs" / "decisions").iterdir())]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_table_of_asvs_counts_what_it_lists_and_names_tests_and_files_that_exist() -> None:
    text = (ROOT / "docs" / "asvs.md").read_text()
    row = r"^\| (V(\d+)\.[\d.]+) \| [^|]+ \| \**(met|not met|not applicable)\**(?: \((\d+)\))? \| (.+) \|$"
    rows = re.findall(row, text, re.MULTILINE)
    assert len({one for one, *_ in rows}) == len(rows) == len(re.findall(r"^\| V\d+\.", text, re.MULTILINE))
    counted: dict[str, Counter[str]] = {}
    for _, chapter, state, several, _ in rows:
        for key in (chapter, "all"):
            counted.setdefault(key, Counter())[state] += int(several or 1)
    summary = re.findall(r"^\| V?(\d+|all)[^|]* \| (\d+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    states = ("met", "not met", "not applicable")
    assert {chapter: tuple(map(int, numbers)) for chapter, *numbers in summary} == {
        chapter: tuple(found[state] for state in states) for chapter, found in counted.items()
    }
    whole = counted["all"]
    by_test = sum(state == "met" and "`tests/" in where for _, _, state, _, where in rows)
    sentence = f"**{whole['met']} are met** ({by_test} held by tests, {whole['met'] - by_test} by the file that is named)"
    assert f"{sentence}, **{whole['not met']} are not met**, and **{whole['not applicable']} are not applicable**" in text
    assert f"{whole.total()} in all" in text
    assert [one for one, _, state, _, where in rows if state == "met" and "`" not in where] == []
    named = {word for *_, where in rows for word in re.findall(r"`((?:\.?[\w-]+/)*\.?[\w-]+(?:\.\w+)?(?:::\w+)?)`", where)}
    files = {word for word in named if "/" in word or word.startswith(".") or "::" in word}
    assert len(files) > 100
    missing = []
    for word in sorted(files):
        path, _, test = word.partition("::")
        file = ROOT / path
        if not file.is_file() or (test and f"def {test}(" not in file.read_text()):
            missing.append(word)
    assert missing == []
