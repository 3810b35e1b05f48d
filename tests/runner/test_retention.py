"""Which runs go, which stay."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.archive.archive import Archive
from runner.archive.retention import prune_archive, select_expired_runs
from runner.archive.run_id import run_id
from runner.result import RunResult, Status
from runner.settings.load_settings import load_settings

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "runs")


def save(archive: Archive, journey: str, days: float, status: Status = "passed", size: int = 0) -> str:
    """A run of so many days ago; ids rise in the order of the calls, so the oldest is to be saved first."""
    at = NOW - timedelta(days=days)
    result = RunResult(
        id=run_id(), journey=journey, status=status, started_at=at, ended_at=at, duration_seconds=1.0, location="local"
    )
    scratch = archive.scratch(result.id)
    (scratch / "trace.zip").write_bytes(b"x" * size)
    archive.save(result, scratch)
    return result.id


def doomed(archive: Archive, **options: Any) -> dict[str, str]:
    settings = load_settings(Path("/"), options, {})
    return {one.saved.result.id: one.reason for one in select_expired_runs(archive.runs(), settings, NOW)}


def test_failures_are_kept_longer_than_passes(archive: Archive) -> None:
    old_failure = save(archive, "buy", 40, "failed")
    older_error = save(archive, "buy", 35, "error")
    old_pass = save(archive, "buy", 31)
    save(archive, "buy", 2, "failed")
    save(archive, "buy", 1)
    assert doomed(archive) == {old_pass: "older than keep_passed = 30d"}
    assert set(doomed(archive, keep_failed="34d")) == {old_failure, older_error, old_pass}


def test_the_newest_pass_and_the_newest_failure_of_each_journey_always_stay(archive: Archive) -> None:
    gone = [save(archive, "buy", 500), save(archive, "buy", 499, "failed")]
    for journey in ("buy", "look"):
        save(archive, journey, 400)
        save(archive, journey, 399, "failed")
    assert set(doomed(archive, keep_runs=1, keep_size=0)) == set(gone)


def test_what_is_over_the_count_of_a_journey_goes_passes_first(archive: Archive) -> None:
    failure = save(archive, "buy", 9, "failed")
    passes = [save(archive, "buy", 8 - age) for age in range(4)]
    save(archive, "buy", 1, "failed")
    save(archive, "look", 1)
    assert doomed(archive, keep_runs=4) == dict.fromkeys(passes[:2], "over keep_runs = 4")
    assert set(doomed(archive, keep_runs=2)) == {*passes[:3], failure}


def test_the_size_of_all_is_kept_under_the_limit(archive: Archive) -> None:
    first = save(archive, "buy", 3, size=50_000)
    save(archive, "look", 2, size=50_000)
    second = save(archive, "buy", 2, size=50_000)
    save(archive, "buy", 1, size=50_000)
    assert doomed(archive, keep_size="160kB") == {first: "over keep_size = 160000 bytes"}
    assert set(doomed(archive, keep_size="1kB")) == {first, second}


def test_a_link_is_counted_as_a_link(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 1_000_000)
    save(archive, "buy", 2)
    save(archive, "buy", 1)
    for saved in archive.runs():
        (saved.folder / "link").symlink_to(tmp_path / "large")
    assert doomed(archive, keep_size="500kB") == {}


def test_a_signed_in_state_that_no_run_has_used_for_long_goes(archive: Archive, tmp_path: Path) -> None:
    states = archive.folder / ".state"
    (states / "a folder").mkdir(parents=True)
    outside = tmp_path / "outside.json"
    for file, days in (
        (states / "sign_in.json", 29.0),
        (states / "sign_in-0123456789ab.json", 31.0),
        (states / "sign_in.77.partial", 31.0),
        (outside, 31.0),
    ):
        file.write_text("{}")
        os.utime(file, ((NOW - timedelta(days=days)).timestamp(),) * 2)
    (states / "link.json").symlink_to(outside)
    removed = [one.reason for one in prune_archive(archive, load_settings(Path("/"), {}, {}), NOW)]
    assert removed == ["not used for 30d"] * 2
    assert sorted(one.name for one in states.iterdir()) == ["a folder", "link.json", "sign_in.json"]
    assert outside.exists()
