"""`journey accessibility`: what a smoke check has found, and putting it into the baseline."""

import json
from pathlib import Path

import pytest

from reports.smoke import baseline
from reports.smoke.archive import SmokeArchive
from tests.reports.smoke.test_accessibility import audit, check, worse
from tests.runner.cli.folder import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder in which a smoke check was compared with the baseline `release`."""
    found = Folder(tmp_path, "http://127.0.0.1:9")
    runs = tmp_path / "runs"
    saved = baseline.of(check(tmp_path, lambda *_: audit("input"), runs=2))
    baseline.save(saved, baseline.file_of("release", runs, "--baseline"))
    SmokeArchive(runs).save(check(tmp_path, worse, saved=saved, saved_name="release"))
    return found


def test_the_last_check_is_listed_with_what_is_new(folder: Folder) -> None:
    ran = folder.here("accessibility")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        "buy, step “open”: accessibility: nothing new against the baseline (1 known)",
        "buy, step “pay”: accessibility: 1 serious new against the baseline (1 known)",
        "  serious label: Form elements must have labels: select",
    ]
    document = json.loads(folder.here("accessibility", "list", "--json", "-").stdout)
    assert [one["accessibility"]["outcome"] for one in document["accessibility"]] == ["same", "new"]


def test_what_is_new_is_accepted_into_the_baseline(folder: Folder) -> None:
    ran = folder.here("accessibility", "accept", "buy", "pay")
    assert ran.returncode == 0
    assert ran.stdout.startswith("accepted what was found of buy, step “pay” into ")
    known = baseline.load("release", folder.path / "runs")
    again = check(folder.path, worse, saved=known, saved_name="release")
    assert again.verdict == "passed"
    assert folder.here("accessibility", "accept", "buy", "open").stdout == "nothing is new, so nothing was accepted\n"


def test_a_step_that_was_not_checked_is_said(folder: Folder) -> None:
    ran = folder.here("accessibility", "accept", "buy", "leave")
    assert ran.returncode == 2
    assert "has checked no page of that; it has checked: buy 'open', buy 'pay'" in ran.stderr
