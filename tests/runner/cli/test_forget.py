"""A journey that is no longer declared, and `journey forget`."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from runner.archive.archive import Archive
from runner.archive.run_id import run_id
from runner.cli.all_commands import app
from runner.metrics.pushgateway import push_result
from runner.result import RunResult, StepResult
from runner.settings.load_settings import load_settings
from runner.store import Store
from tests.support.services.servers import get
from tests.support.wait import wait_until

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


def keep(folder: Path, journey: str, location: str = "local") -> RunResult:
    """A run, saved and stored."""
    result = RunResult(
        id=run_id(), journey=journey, status="failed", started_at=NOW, ended_at=NOW + timedelta(seconds=2),
        duration_seconds=2.0, location=location, steps=(StepResult(name="open", index=0, status="failed"),),
    )  # fmt: skip
    archive = Archive(folder / "runs")
    saved = archive.save(result, archive.scratch(result.id))
    with Store(f"sqlite:///{folder / 'runs' / 'journeys.db'}") as store:
        store.add(result, saved)
    return result


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with runs of a journey that is declared and of one that no longer is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys" / "buy.py").write_text("from runner import journey\n\n\n@journey\ndef buy(page): page.goto('/')\n")
    keep(tmp_path, "buy")
    keep(tmp_path, "old")
    keep(tmp_path, "old", "berlin")
    return tmp_path


def forget(*words: str) -> Result:
    return CliRunner().invoke(app, ["forget", *words])


def rows(folder: Path) -> dict[str, int]:
    with Store(f"sqlite:///{folder / 'runs' / 'journeys.db'}") as store, store.snapshot() as connection:
        names = ("runs", "steps", "journeys", "run_hours", "run_days")
        return {name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in names}


@pytest.mark.long
def test_everything_of_a_journey_is_removed_and_nothing_else(folder: Path) -> None:
    before = rows(folder)
    result = forget("old")
    assert result.exit_code == 0, result.output
    assert "runs/old (2 runs)" in result.output
    assert "2 runs" in result.output
    assert not (folder / "runs" / "old").exists()
    assert len(list(Archive(folder / "runs").runs("buy"))) == 1
    assert before["runs"] == 3
    assert rows(folder) == dict.fromkeys(before, 1)


@pytest.mark.long
def test_a_dry_run_only_says_what_would_go(folder: Path) -> None:
    before = rows(folder)
    result = forget("old", "--dry-run")
    assert result.exit_code == 0, result.output
    assert {line.partition(" ")[0] for line in result.output.splitlines()} == {"would"}
    assert rows(folder) == before
    assert len(list(Archive(folder / "runs").runs("old"))) == 2


def test_its_signed_in_states_go_for_every_site_and_no_others(folder: Path) -> None:
    states = folder / "runs" / ".state"
    states.mkdir()
    for name in ("old.json", "old-0123456789ab.json", "old-er.json", "older.json", "old-0123456789ab.txt"):
        (states / name).write_text("{}")
    result = forget("old", "--dry-run")
    assert (result.exit_code, result.output.count("would remove the signed-in state")) == (0, 2)
    assert forget("old").exit_code == 0
    assert sorted(one.name for one in states.iterdir()) == ["old-0123456789ab.txt", "old-er.json", "older.json"]


def test_the_group_in_the_gateway_goes(folder: Path, gateway: str) -> None:
    settings = load_settings(folder, {"pushgateway": gateway}, {})
    push_result(keep(folder, "old"), settings)
    assert 'journey="old"' in str(get(f"{gateway}/metrics"))
    result = forget("old", "--pushgateway", gateway)
    assert result.exit_code == 0, result.output
    # A gateway answers before it has deleted the group.
    wait_until(lambda: 'journey="old"' not in str(get(f"{gateway}/metrics")))


@pytest.mark.long
def test_a_gateway_that_does_not_answer_leaves_everything_for_another_try(folder: Path) -> None:
    before = rows(folder)
    result = forget("old", "--pushgateway", "http://127.0.0.1:9")
    assert result.exception is not None
    assert rows(folder) == before
    assert (folder / "runs" / "old").exists()


@pytest.mark.long
def test_a_name_that_is_not_known_ends_with_those_that_are() -> None:
    result = forget("odl")
    assert "nothing is known of a journey named 'odl'; there are: buy, old" in str(result.exception)
    assert getattr(result.exception, "exit_code", None) == 2


@pytest.mark.long
def test_a_journey_that_is_still_declared_is_forgotten_with_a_note() -> None:
    result = forget("buy")
    assert result.exit_code == 0
    assert "note: buy is still declared at" in result.stderr
