"""A scheduler and a command upload a run before they store it, and store it all the same while the storage is away."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from runner.archive.archive import Archive
from runner.archive.run_id import run_id
from runner.cli.running.run_keeper import RunKeeper
from runner.dsl.plan import Plan
from runner.events import RunEnded
from runner.result import GIVEN_UP
from runner.scheduler.metrics_endpoint import Exporter
from runner.scheduler.results import upload_queue
from runner.scheduler.results.result_pipeline import ResultPipeline
from runner.scheduler.timetable import Timetable
from runner.settings.settings import Settings
from runner.store import Store
from tests.support.saved_runs import START, save_run
from tests.support.services.object_storage import Bucket
from tests.support.wait import wait_until


class Seen(Store):
    """A store that notes what is in the bucket when a run is stored."""

    bucket: Bucket
    objects: list[int]

    def add(self, *run: object) -> None:  # type: ignore[override]
        self.objects.append(len(self.bucket.objects()))
        super().add(*run)  # type: ignore[arg-type]


@pytest.fixture
def store(bucket: Bucket, tmp_path: Path) -> Iterator[Seen]:
    with Seen(bucket.settings(tmp_path).database_url) as made:
        made.bucket, made.objects = bucket, []
        yield made


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_queue, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(upload_queue, "LONGEST_PAUSE", 0.05)


def stored(store: Store) -> int:
    with store.snapshot() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM runs").scalar_one())


def pipeline(settings: Settings, store: Store, archive: Archive, exporter: Exporter) -> ResultPipeline:
    def no_pause(_journey: str, _at: datetime) -> str:
        return ""

    return ResultPipeline(Timetable(settings.runs_dir), settings, store, archive, exporter, no_pause, (), lambda _: None)


@pytest.mark.long
def test_a_scheduler_uploads_then_stores(bucket: Bucket, store: Seen, tmp_path: Path) -> None:
    settings = bucket.settings(tmp_path)
    archive, exporter = Archive(settings.runs_dir, uploads=True), Exporter(False)
    made = pipeline(settings, store, archive, exporter)
    result, folder = save_run(archive)
    for listener in made.listeners:
        listener(RunEnded(result=result, folder=folder))
    wait_until(lambda: stored(store) == 1, "the run is stored")
    assert store.objects == [4]
    made.stop()
    assert 'synthetic_uploads_total{outcome="uploaded"} 1.0' in generate_latest(exporter.registry).decode()


@pytest.mark.long
def test_a_scheduler_stores_runs_while_the_storage_is_away_and_uploads_them_later(
    bucket: Bucket, store: Seen, tmp_path: Path
) -> None:
    settings = bucket.settings(tmp_path)
    archive, exporter = Archive(settings.runs_dir, uploads=True), Exporter(False)
    bucket.proxy.fault = lambda _method, _path: "cut"
    made = pipeline(settings, store, archive, exporter)
    for minute in range(3):
        made.store_saved(*save_run(archive, minute=minute))
    wait_until(lambda: stored(store) == 3, "all runs are stored")
    assert (store.objects, made.not_uploaded) == ([0, 0, 0], 3)
    bucket.proxy.fault = lambda _method, _path: None
    wait_until(lambda: made.not_uploaded == 0, "all runs are uploaded")
    made.stop()
    assert len(bucket.objects()) == 12
    assert stored(store) == 3


@pytest.mark.long
@pytest.mark.parametrize(("notes", "objects"), [((), 1), ((GIVEN_UP,), 0)])
def test_what_was_given_up_is_stored_and_not_uploaded(
    notes: tuple[str, ...], objects: int, bucket: Bucket, store: Seen, tmp_path: Path
) -> None:
    settings = bucket.settings(tmp_path)
    made = pipeline(settings, store, Archive(settings.runs_dir, uploads=True), Exporter(False))
    plan = Plan(journey="buy", file=tmp_path / "j.py", location="oregon")
    made.finish_without_worker(run_id(), plan, None, START, "error", "nothing came", START, notes=notes)
    wait_until(lambda: stored(store) == 1, "the run is stored")
    made.stop()
    assert len(bucket.objects()) == objects


@pytest.mark.long
def test_a_command_uploads_then_stores_and_says_what_is_left(bucket: Bucket, tmp_path: Path) -> None:
    settings = bucket.settings(tmp_path)
    archive = Archive(settings.runs_dir, uploads=True)
    warnings: list[str] = []
    bucket.proxy.fault = lambda _method, _path: "403"
    with RunKeeper(archive, settings, warnings.append, warnings.append) as keeper:
        result, folder = save_run(archive)
        keeper(RunEnded(result=result, folder=folder))
    assert (folder / "report.html").is_file()
    with Store(settings.database_url) as opened:
        assert stored(opened) == 1
    assert len(warnings) == 1
    assert "1 run was not uploaded; the next command tries again: artifacts: s3://" in warnings[0]
    assert "it rejects the credentials; check artifacts_credentials" in warnings[0]
    bucket.proxy.fault = lambda _method, _path: None
    with RunKeeper(archive, settings, warnings.append, warnings.append):
        pass
    assert len(warnings) == 1
    assert len(bucket.objects()) == 4


@pytest.mark.thorough
def test_nothing_is_imported_without_a_storage(tmp_path: Path) -> None:
    program = (
        "import sys, runner.cli.all_commands, runner.scheduler.daemon, reports.web.pages.artifacts; "
        "sys.exit('obstore' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-P", "-c", program], cwd=tmp_path, check=False).returncode == 0
