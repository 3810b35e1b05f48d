"""Smoke checks on the disk: saved whole, found again, removed when they are old."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from reports.smoke.archive import SavedCheck, SmokeArchive
from reports.smoke.result import SmokeResult, Verdict
from runner.archive.archive import Archive
from runner.archive.retention import ExpiredCheck, prune_archive, select_expired_checks
from runner.archive.run_id import run_id
from runner.errors import ConfigError, RunNotFound
from runner.settings.load_settings import load_settings
from tests.reports.smoke.measured import NOW, check, sides


@pytest.fixture
def result(tmp_path: Path) -> SmokeResult:
    return check(tmp_path, sides(0.1, 0.1), runs=2)[0]


def test_a_check_is_found_by_id_by_its_beginning_by_last_and_by_file(tmp_path: Path, result: SmokeResult) -> None:
    archive = SmokeArchive(tmp_path / "runs")
    older = replace(result, id=run_id(), started_at=NOW - timedelta(hours=1))
    file = archive.save(older)
    assert file.name == f"20260601T110000Z-{older.id}.json"
    archive.save(result)
    assert [one.result.id for one in archive.checks()] == [result.id, older.id]
    assert archive.find("last") == SavedCheck(result, archive.folder / f"20260601T120000Z-{result.id}.json")
    assert archive.find(older.id).result == older
    assert archive.find(older.id[:-4]).result == older
    assert archive.find(str(file)).result == older
    with pytest.raises(RunNotFound, match=r"'0' begins 2 ids of smoke checks \(.*give more of one"):
        archive.find("0")
    with pytest.raises(RunNotFound, match=r"no smoke check 'zz' in .*; give an id or its beginning, `last`, or a file"):
        archive.find("zz")


def test_where_there_is_none_it_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(RunNotFound, match=r"no smoke check is saved in .*; `journey smoke` makes one"):
        SmokeArchive(tmp_path).find("last")


def test_a_file_that_cannot_be_read_is_told_and_skipped(tmp_path: Path, result: SmokeResult) -> None:
    archive = SmokeArchive(tmp_path)
    archive.save(result)
    (archive.folder / "20270101T000000Z-broken.json").write_text("{")
    assert archive.find("last").result == result
    assert archive.problems[0].endswith("broken.json: cannot be read: Input data was truncated")
    with pytest.raises(RunNotFound, match=r"broken.json: cannot be read"):
        archive.find("broken")


def test_a_check_that_cannot_be_saved_names_the_option(tmp_path: Path, result: SmokeResult) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(ConfigError, match=r"cannot create .*: Not a directory; choose another folder with --runs-dir"):
        SmokeArchive(tmp_path / "runs").save(result)


def test_smoke_checks_are_no_runs(tmp_path: Path, result: SmokeResult) -> None:
    SmokeArchive(tmp_path).save(result)
    runs = Archive(tmp_path)
    assert (list(runs.runs()), runs.problems) == ([], [])


def test_old_checks_go_by_the_ages_of_runs_and_the_newest_stays(tmp_path: Path, result: SmokeResult) -> None:
    def save(days: int, verdict: Verdict) -> Path:
        at = NOW - timedelta(days=days)
        return SmokeArchive(tmp_path).save(replace(result, id=run_id(), verdict=verdict, started_at=at, ended_at=at))

    old_failure, old_pass, failure, newest = save(95, "missed"), save(41, "passed"), save(40, "failed"), save(31, "passed")
    archive, settings = Archive(tmp_path), load_settings(tmp_path, {}, {})
    assert [(one.file, one.reason) for one in select_expired_checks(archive, settings, NOW)] == [
        (old_failure, "older than keep_failed = 90d"),
        (old_pass, "older than keep_passed = 30d"),
    ]
    (archive.folder / ".smoke" / "20250101T000000Z-broken.json").write_text("{")
    removed = list(prune_archive(archive, settings, datetime.now(UTC).replace(year=2026, month=6, day=1)))
    assert [one.file for one in removed if isinstance(one, ExpiredCheck)] == [old_failure, old_pass]
    assert [one.exists() for one in (old_failure, old_pass, failure, newest)] == [False, False, True, True]
    assert "broken.json: cannot be read" in archive.problems[0]


def test_the_pictures_of_a_check_go_with_it(tmp_path: Path, result: SmokeResult) -> None:
    kept = []
    for days in (95, 1):
        at = NOW - timedelta(days=days)
        saved = replace(result, id=run_id(), started_at=at, ended_at=at)
        pictures = SmokeArchive(tmp_path).pictures_file(saved.id, at)
        pictures.write_bytes(b"x" * 5_000)
        file = SmokeArchive(tmp_path).save(replace(saved, pictures=str(pictures)))
        assert pictures.name == f"{file.stem}.pictures.zip"
        kept.append(pictures)
    archive, settings = Archive(tmp_path), load_settings(tmp_path, {}, {})
    (expired,) = select_expired_checks(archive, settings, NOW)
    assert expired.bytes > 5_000
    expired.remove()
    assert [one.exists() for one in (expired.file, *kept)] == [False, False, True]
