"""Names of journeys on the command line: every command looks them up in the same way."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.archive.archive import Archive
from runner.archive.run_id import run_id
from runner.result import RunResult
from runner.store import Store
from tests.support.commands import run_here
from tests.support.needs import needs
from tests.support.thorough import thorough_but

SHOP = """
from runner import journey

@journey(every="5m", tags=["shop"])
def buy_tea(step):
    pass

@journey(every="5m")
def buy_pot(step):
    pass

for _name in ["computed"]:
    @journey(name=_name)
    def _unnamed(step):
        pass
"""
COMMANDS = {
    "list": ("list",),
    "check": ("check",),
    "run": ("run",),
    "smoke": ("smoke",),
    "schedule": ("schedule",),
    "schedule --list": ("schedule", "--list"),
    "schedule --once": ("schedule", "--once"),
    "pause": ("pause",),
    "resume": ("resume",),
    "runs": ("runs",),
}
SELECTING = [name for name in COMMANDS if name not in {"pause", "resume", "runs"}]
"""The commands that take several words: names, patterns, paths and tags."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys" / "shop.py").write_text(SHOP)
    return tmp_path


@needs("real_time")
def journey(folder: Path, *words: str) -> tuple[int, str]:
    """Runs a command in a folder; its exit code and everything that it printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("JOURNEY_", "GITHUB_"))}
    ran = run_here(folder, words, environment | {"COLUMNS": "200"})
    return ran.returncode, ran.stdout + ran.stderr


def save_run(folder: Path, name: str) -> None:
    """A run of a journey, saved in the folder and stored."""
    archive = Archive(folder / "runs")
    now = datetime.now(UTC)
    result = RunResult(
        id=run_id(),
        journey=name,
        status="passed",
        started_at=now,
        ended_at=now,
        duration_seconds=0.0,
        location="local",
        steps=(),
    )
    saved = archive.save(result, archive.scratch(result.id))
    with Store(f"sqlite:///{folder / 'runs' / 'journeys.db'}") as store:
        assert store.add(result, saved)


@pytest.mark.parametrize("command", thorough_but(3, COMMANDS))
def test_a_name_that_is_nowhere_is_an_error_with_the_names_there_are(folder: Path, command: str) -> None:
    code, said = journey(folder, *COMMANDS[command], "nosuch")
    assert (code, "error: no journey is named 'nosuch'; there are: " in said) == (2, True), said
    assert all(name in said for name in ("buy_tea", "buy_pot", "computed")), said


@pytest.mark.parametrize("command", thorough_but(3, COMMANDS))
def test_a_name_that_is_misspelt_is_answered_with_the_right_one(folder: Path, command: str) -> None:
    code, said = journey(folder, *COMMANDS[command], "buy_te")
    assert (code, "no journey is named 'buy_te'; did you mean 'buy_tea'" in said) == (2, True), said


@pytest.mark.parametrize("command", thorough_but(2, SELECTING))
def test_a_name_that_a_file_does_not_declare_is_an_error(folder: Path, command: str) -> None:
    code, said = journey(folder, *COMMANDS[command], "journeys/shop.py::nosuch")
    assert (code, "error: no journey is named 'nosuch'; there are: " in said) == (2, True), said


@pytest.mark.parametrize("command", [("check",), ("schedule", "--list")], ids=" ".join)
def test_names_in_the_settings_that_no_journey_has_are_a_warning(folder: Path, command: tuple[str, ...]) -> None:
    (folder / "journey.toml").write_text(
        '[status_page.journeys]\nbuy_tea = "Tea"\nbuy_te = "Shop"\n[slo.x]\njourneys = ["bye*"]\nobjective = "99%"\n'
    )
    code, said = journey(folder, *command)
    assert code == 0, said
    assert "warning: status_page.journeys: no journey is named 'buy_te'; did you mean 'buy_tea'" in said
    assert "warning: slo.x.journeys: no journey is named bye*; there are: buy_pot" in said
    assert "'buy_tea';" not in said


@pytest.mark.parametrize("command", thorough_but(2, SELECTING))
def test_a_tag_that_no_journey_has_is_an_error_with_the_tags_there_are(folder: Path, command: str) -> None:
    code, said = journey(folder, *COMMANDS[command], "--tag", "blog")
    assert (code, "error: no journey has the tag 'blog'; there are: shop" in said) == (2, True), said


@pytest.mark.parametrize("command", thorough_but(2, SELECTING))
@pytest.mark.parametrize(
    ("path", "problem"),
    thorough_but(
        1,
        [("journeys/none.py", "no such file or folder"), ("none/", "no such file or folder"), ("empty/", "holds no journeys")],
    ),
)
def test_a_path_without_journeys_is_an_error(folder: Path, command: str, path: str, problem: str) -> None:
    (folder / "empty").mkdir()
    code, said = journey(folder, *COMMANDS[command], path)
    assert (code, problem in said) == (2, True), said


def test_a_journey_with_a_computed_name_can_be_paused(folder: Path) -> None:
    assert journey(folder, "pause", "computed") == (0, "computed is paused until it is resumed\n")
    assert journey(folder, "resume", "computed") == (0, "resumed: computed\n")


def test_a_journey_that_is_no_longer_declared_is_known_by_its_runs(folder: Path) -> None:
    save_run(folder, "gone")
    assert journey(folder, "pause", "go*") == (0, "go* is paused until it is resumed\n")
    assert journey(folder, "resume", "gone") == (0, "resumed: go*\n")
    code, said = journey(folder, "runs", "gone")
    assert (code, "gone" in said) == (0, True), said


def test_a_pause_can_be_ended_when_its_journey_is_gone(folder: Path) -> None:
    assert journey(folder, "pause", "buy_tea")[0] == 0
    (folder / "journeys" / "shop.py").write_text(SHOP.replace("buy_tea", "buy_milk"))
    assert journey(folder, "resume", "buy_tea") == (0, "resumed: buy_tea\n")


def test_a_name_that_a_broken_file_may_declare_is_answered_with_the_file(folder: Path) -> None:
    (folder / "journeys" / "broken.py").write_text("this is no Python\n")
    code, said = journey(folder, "pause", "nosuch")
    assert (code, "no journey is named 'nosuch'" in said, "broken.py:1: cannot be imported: SyntaxError" in said) == (
        2,
        True,
        True,
    )
