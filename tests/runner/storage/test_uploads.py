"""The files of runs go to object storage whole, once, and without changing any run; what cannot go waits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.archive.archive import Archive
from runner.archive.object_storage import open_storage
from runner.archive.upload import remove_copies
from runner.result import RunResult
from runner.scheduler.results import upload_queue
from runner.scheduler.results.upload_queue import UploadQueue
from runner.settings.settings import Settings
from tests.support.saved_runs import CONTENT, save_run
from tests.support.services.object_storage import Bucket, Fault
from tests.support.thorough import thorough_but
from tests.support.wait import wait_until

pytestmark = pytest.mark.long


class Uploading:
    """A queue, and what it has passed on and reported."""

    def __init__(self, settings: Settings, archive: Archive, look: Callable[[], object] = lambda: None) -> None:
        """`look` is called with each run that is passed on; `seen` has what it returned."""
        self.seen: list[object] = []
        self._look = look
        self.passed: list[str] = []
        self.outcomes: list[str] = []
        storage = open_storage(settings)
        assert storage is not None
        self.queue = UploadQueue(storage, archive, settings, self._pass, self.outcomes.append)

    def _pass(self, result: RunResult, _: Path | None) -> None:
        self.seen.append(self._look())
        self.passed.append(result.id)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_queue, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(upload_queue, "LONGEST_PAUSE", 0.05)


@contextmanager
def uploading(settings: Settings, archive: Archive, look: Callable[[], object] = lambda: None) -> Iterator[Uploading]:
    """A queue for a block; everything is uploaded when it ends."""
    made = Uploading(settings, archive, look)
    yield made
    wait_until(lambda: made.queue.waiting == 0, "everything is uploaded", timeout=60)
    assert made.queue.stop(60) == 0


def place(result: RunResult, folder: Path) -> dict[str, int]:
    """What the storage is to have of a run."""
    found = {f"buy/{folder.name}/{name}": len(content) for name, content in CONTENT.items()}
    return {**found, f"buy/{folder.name}/result.json": (folder / "result.json").stat().st_size}


def archive_of(settings: Settings) -> Archive:
    return Archive(settings.runs_dir, uploads=True)


def test_a_run_is_uploaded_before_it_goes_on_and_its_result_last(bucket: Bucket, tmp_path: Path) -> None:
    settings = bucket.settings(tmp_path)
    archive = archive_of(settings)
    with uploading(settings, archive, bucket.objects) as made:
        result, folder = save_run(archive)
        made.queue.put(result, folder)
    assert made.seen == [place(result, folder)]
    writes = [path for method, path in bucket.proxy.requests if method == "PUT"]
    assert len(writes) == 4
    assert writes[-1].endswith("/result.json")
    assert made.outcomes == ["uploaded"]
    assert archive.waiting.pending() == []


FAULTS: list[Fault] = ["cut", "lost answer", "truncated", "500", "503", "403"]


@pytest.mark.parametrize("fault", thorough_but(1, FAULTS))
def test_a_run_goes_on_and_is_uploaded_later_whole_and_once(bucket: Bucket, tmp_path: Path, fault: Fault) -> None:
    settings = bucket.settings(tmp_path)
    archive = archive_of(settings)
    broken = True
    # The first file and all listings arrive; from then on nothing does.
    bucket.proxy.fault = lambda method, path: fault if broken and (method == "PUT" and "console" in path) else None
    if fault == "truncated":
        bucket.proxy.fault = lambda _method, path: fault if broken and "list-type" in path else None
    result, folder = save_run(archive)
    with uploading(settings, archive) as made:
        made.queue.put(result, folder)
        wait_until(lambda: made.passed == [result.id], "the run goes on", timeout=60)
        assert f"buy/{folder.name}/result.json" not in bucket.objects()
        assert [one.run for one in archive.waiting.pending()] == [result.id]
        assert "secret-of-the-tests" not in made.queue.down
        assert bucket.address in made.queue.down
        broken = False
    assert bucket.objects() == place(result, folder)
    assert made.passed == [result.id]
    assert made.outcomes.count("uploaded") == 1


def test_a_storage_that_hangs_holds_no_result_back(bucket: Bucket, tmp_path: Path) -> None:
    settings = bucket.settings(tmp_path, artifacts_timeout="1s")
    archive = archive_of(settings)
    bucket.proxy.fault = lambda _method, _path: None if bucket.proxy.release.is_set() else "hanging"
    runs = [save_run(archive, minute=minute) for minute in range(3)]
    with uploading(settings, archive) as made:
        for result, folder in runs:
            made.queue.put(result, folder)
        wait_until(lambda: len(made.passed) == 3, "all results go on", timeout=60)
        bucket.proxy.release.set()
    assert sorted(made.passed) == sorted(result.id for result, _ in runs)
    assert bucket.objects() == {name: size for result, folder in runs for name, size in place(result, folder).items()}


def test_what_an_earlier_process_has_left_is_uploaded(bucket: Bucket, tmp_path: Path) -> None:
    settings = bucket.settings(tmp_path)
    result, folder = save_run(archive_of(settings))
    with uploading(settings, archive_of(settings)) as made:
        pass
    assert bucket.objects() == place(result, folder)
    # Its result has gone on already.
    assert made.passed == []


def test_two_processes_upload_a_run_once(bucket: Bucket, tmp_path: Path) -> None:
    settings = bucket.settings(tmp_path)
    for minute in range(5):
        save_run(archive_of(settings), minute=minute)
    with uploading(settings, archive_of(settings)) as one, uploading(settings, archive_of(settings)) as other:
        pass
    assert [*one.outcomes, *other.outcomes] == ["uploaded"] * 5
    writes = [path for method, path in bucket.proxy.requests if method == "PUT"]
    assert len(writes) == len(set(writes)) == 20


def test_what_waits_is_bounded_and_the_oldest_artifacts_go_first(
    bucket: Bucket, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = bucket.settings(tmp_path, artifacts_queue_size=20_000)
    archive = archive_of(settings)
    bucket.proxy.fault = lambda _method, _path: "503"
    runs = [save_run(archive, minute=minute) for minute in range(4)]
    made = Uploading(settings, archive)
    wait_until(lambda: made.outcomes.count("dropped") == 2, "the oldest are dropped", timeout=60)
    kept = [folder for _, folder in runs if (folder / "trace.zip").is_file()]
    assert kept == [folder for _, folder in runs[2:]]
    assert all((folder / "result.json").is_file() for _, folder in runs)
    assert "artifacts_queue_size" in caplog.text
    assert made.queue.stop(60) > 0


def test_copies_are_removed_some_time_after_the_upload_and_only_then(bucket: Bucket, tmp_path: Path) -> None:
    settings = bucket.settings(tmp_path)
    archive = archive_of(settings)
    _, uploaded = save_run(archive)
    with uploading(settings, archive):
        pass
    _, waiting = save_run(archive, minute=1)
    remove_copies(archive, older_than=3600)
    assert (uploaded / "trace.zip").is_file()
    remove_copies(archive, older_than=0)
    assert sorted(one.name for one in uploaded.iterdir()) == ["result.json"]
    assert (waiting / "trace.zip").is_file()


def test_a_run_that_was_removed_meanwhile_is_no_longer_waited_for(bucket: Bucket, tmp_path: Path) -> None:
    settings = bucket.settings(tmp_path)
    archive = archive_of(settings)
    save_run(archive)
    archive.delete(archive.find("last"))
    with uploading(settings, archive) as made:
        pass
    assert (bucket.objects(), made.outcomes) == ({}, [])


def test_a_large_file_is_uploaded_in_parts(bucket: Bucket, tmp_path: Path) -> None:
    settings = bucket.settings(tmp_path)
    archive = archive_of(settings)
    large = {"trace.zip": bytes(12_000_000)}
    failures = iter([True])
    bucket.proxy.fault = lambda _method, path: "500" if "partNumber=2" in path and next(failures, False) else None
    result, folder = save_run(archive, content=large)
    with uploading(settings, archive) as made:
        made.queue.put(result, folder)
    assert bucket.objects()[f"buy/{folder.name}/trace.zip"] == 12_000_000


def test_a_server_without_conditional_writes_is_enough(bucket: Bucket, tmp_path: Path) -> None:
    settings = bucket.settings(tmp_path)
    archive = archive_of(settings)
    bucket.proxy.conditional = False
    result, folder = save_run(archive, content={"trace.zip": b"a trace"})
    with uploading(settings, archive):
        pass
    assert set(bucket.objects()) == {f"buy/{folder.name}/trace.zip", f"buy/{folder.name}/result.json"}
    assert result.artifacts[0].bytes == 7
