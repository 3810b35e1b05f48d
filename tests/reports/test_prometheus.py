"""The alert rules, on a real promtool; and that they ask for metrics that are there."""

import re
import subprocess
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from runner.bundles.bundle_cache import BundleCache
from runner.dispatch.worker.worker_metrics import make_registry
from runner.metrics.run_metrics import build_registry
from runner.scheduler.metrics_endpoint import Exporter

FOLDER = Path(__file__).parents[2] / "reports" / "prometheus"


def test_the_rules_fire_when_they_should_and_not_before() -> None:
    ended = subprocess.run(["promtool", "test", "rules", "alerts_test.yml"], cwd=FOLDER, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.thorough
def test_a_rule_that_is_broken_would_be_noticed(tmp_path: Path) -> None:
    for file in FOLDER.iterdir():
        (tmp_path / file.name).write_text(file.read_text().replace("== 0\n        for: 1m", "== 5\n        for: 1m"))
    (tmp_path / "alerts.yml").write_text(
        (FOLDER / "alerts.yml").read_text().replace("(synthetic_success) == 0", "(synthetic_success) == 5")
    )
    ended = subprocess.run(["promtool", "test", "rules", "alerts_test.yml"], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode != 0


def test_the_rules_ask_only_for_metrics_that_are_exported(tmp_path: Path) -> None:
    asked = set(re.findall(r"synthetic_\w+", (FOLDER / "alerts.yml").read_text()))
    families = [
        *build_registry().collect(),
        *Exporter(with_runs=False).registry.collect(),
        *make_registry(MagicMock(active=0), BundleCache(tmp_path, 1, 1)).collect(),
    ]
    exported = {family.name for family in families}
    exported |= {f"{family.name}_{end}" for family in families for end in ("total", "bucket", "sum", "count")}
    assert asked
    assert asked - exported == set()


@pytest.mark.parametrize("rule", re.findall(r"alert: (\w+)", (FOLDER / "alerts.yml").read_text()))
def test_every_rule_has_a_test(rule: str) -> None:
    assert f"alertname: {rule}\n" in (FOLDER / "alerts_test.yml").read_text()
