"""Saved runs: whole or not there, and found again by what a person types."""

import gc
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.archive.archive import Archive
from runner.archive.run_id import run_id
from runner.errors import RunNotFound
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
    assert [one for one in (tmp_path / "runs" / ".scratch").rglob("*") if one.is_file() and one.suffix != ".lock"] == []
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


def test_recordings_of_an_app_are_no_runs_whatever_the_app_is_called(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    kept = save(archive, "buy", 0)
    odd = save(archive, "replays", 1)
    for app in ("shopZ-eu", "20260103T000000Z-shop", odd.id):
        (tmp_path / "replays" / app / "0190a1b2-0000-7000-8000-000000000001").mkdir(parents=True)
    assert [one.result.id for one in archive.runs()] == [odd.id, kept.id]
    assert set(archive.ids()) == {odd.id, kept.id}
    assert archive.problems == []
    with pytest.raises(RunNotFound, match="no run 'eu'"):
        archive.find("eu")


def test_the_last_success_is_what_the_newest_run_knows(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    assert archive.last_success("buy", "local") is None
    good = save(archive, "buy", 0)
    assert archive.last_success("buy", "local") == good.ended_at


def test_what_an_ended_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    living = Archive(tmp_path)
    writing = living.scratch("a")
    code = "import os, sys; from pathlib import Path; from runner.archive.archive import Archive\n"
    code += "archive = Archive(Path(sys.argv[1])); archive.scratch('b'); os._exit(9)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    (tmp_path / ".scratch" / "of-an-older-version").mkdir()
    assert len(list((tmp_path / ".scratch").glob("*/b"))) == 1
    fresh = Archive(tmp_path)
    fresh.scratch("c")
    assert writing.is_dir()
    assert {one.name for one in (tmp_path / ".scratch").glob("*/*")} == {"a", "c"}
    assert not (tmp_path / ".scratch" / "of-an-older-version").exists()
    del fresh
    gc.collect()
    assert [one.name for one in (tmp_path / ".scratch").glob("*/*")] == ["a"]


def test_a_deleted_run_is_gone_and_its_links_are_not_followed(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "runs")
    result = save(archive, "buy", 0)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    saved = archive.find(result.id)
    (saved.folder / "link").symlink_to(outside)
    archive.delete(saved)
    assert list(archive.runs()) == []
    assert (outside / "precious").exists()
