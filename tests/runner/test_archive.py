"""Saved runs: whole or not there, and found again by what a person types."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.archive import Archive
from runner.errors import RunNotFound
from runner.identity import run_id
from runner.result import RunResult, Status

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def save(archive: Archive, journey: str, minute: int, status: Status = "passed") -> RunResult:
    started = START + timedelta(minutes=minute)
    result = RunResult(
        id=run_id(),
        journey=journey,
        status=status,
        started_at=started,
        ended_at=started,
        duration_seconds=1.0,
        location="local",
        last_success_at=started if status == "passed" else None,
    )
    archive.save(result, archive.scratch(result.id))
    return result


def test_a_run_is_saved_under_its_journey_time_and_id(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "runs")
    result = save(archive, "buy", 0)
    folder = tmp_path / "runs" / "buy" / f"20260102T030405Z-{result.id}"
    assert (folder / "result.json").is_file()
    assert list((tmp_path / "runs" / ".scratch").iterdir()) == []
    assert archive.find(result.id).result == result


def test_runs_are_found_by_what_people_type(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    bought, looked, failed, last = (
        save(archive, "buy", 0),
        save(archive, "look", 1),
        save(archive, "buy", 2, "failed"),
        save(archive, "look", 3),
    )
    assert archive.find("last").result.id == last.id
    assert archive.find("last-failed").result.id == failed.id
    assert archive.find("buy@last").result.id == failed.id
    assert archive.find(bought.id[:30] + bought.id[30:33]).result.id == bought.id
    assert archive.find(str(archive.find(looked.id).folder)).result.id == looked.id
    assert [one.result.id for one in archive.runs("buy")] == [failed.id, bought.id]


def test_what_is_not_there_is_answered_with_what_can_be_asked(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    with pytest.raises(RunNotFound, match="`journey run` makes one"):
        archive.find("last")
    save(archive, "buy", 0)
    save(archive, "buy", 1)
    with pytest.raises(RunNotFound, match="no run 'zzz'"):
        archive.find("zzz")
    with pytest.raises(RunNotFound, match="begins 2 run ids"):
        archive.find("0")
    with pytest.raises(RunNotFound, match="no run of buy has failed"):
        archive.find("buy@last-failed")


def test_links_are_not_followed_and_broken_results_are_named(tmp_path: Path) -> None:
    elsewhere, archive = Archive(tmp_path / "elsewhere"), Archive(tmp_path / "runs")
    save(elsewhere, "buy", 5)
    kept = save(archive, "look", 0)
    (tmp_path / "runs" / "buy").symlink_to(tmp_path / "elsewhere" / "buy")
    broken = tmp_path / "runs" / "look" / "20260103T000000Z-broken"
    broken.mkdir()
    (broken / "result.json").write_text("{")
    assert [one.result.id for one in archive.runs()] == [kept.id]
    assert "broken" in archive.problems[0]


def test_the_last_success_is_what_the_newest_run_knows(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    assert archive.last_success("buy") is None
    good = save(archive, "buy", 0)
    assert archive.last_success("buy") == good.ended_at
