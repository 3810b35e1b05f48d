"""The documentation says what the program does."""

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

from prometheus_client import CollectorRegistry

from reports.collector.families import text
from reports.collector.metrics import Metrics
from reports.collector.refusal import Reason
from runner.apps import App
from runner.config import CHECKS
from runner.journey import INJECTABLE
from runner.metrics import registry
from runner.options import NAMES
from runner.result import Failure, RunResult, StepResult
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
    assert set(CHECKS) - words("configuration.md") == set()


def test_every_option_of_a_journey_and_everything_injectable_is_documented() -> None:
    assert (set(NAMES) | set(INJECTABLE)) - words("journeys.md") == set()


def test_every_metric_is_documented_and_no_other() -> None:
    documented = {word for word in words("metrics.md") if word.startswith("synthetic_") and word != "synthetic_monitor"}
    assert documented == names(registry())


def test_every_metric_of_real_users_and_of_the_collector_is_documented_and_no_other() -> None:
    shown = text(Metrics().families, openmetrics=False).decode()
    exposed = set(re.findall(r"^# TYPE (\S+)", shown, re.MULTILINE))
    section = (ROOT / "docs" / "metrics.md").read_text().partition("## Real users")[2]
    documented = {name for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert documented == exposed


def test_every_key_of_an_app_and_every_reason_of_a_refusal_is_documented() -> None:
    assert {*App.__struct_fields__, *get_args(Reason)} - words("collector.md") == set()


def test_every_field_of_a_result_is_documented() -> None:
    fields = {*RunResult.__struct_fields__, *StepResult.__struct_fields__, *Failure.__struct_fields__}
    assert fields - words("result.md") == set()


def test_the_commands_are_documented_as_they_are(tmp_path: Path) -> None:
    written = tmp_path / "commands.md"
    command = [sys.executable, "-m", "typer", "runner.cli", "utils", "docs", "--name", "journey", "--title", "Commands"]
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


def test_links_between_documents_lead_somewhere() -> None:
    for file in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", file.read_text()):
            assert (file.parent / target).exists(), f"{file}: {target}"
