"""The dashboard on runs whose files are only in object storage."""

import json
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random
from shutil import rmtree

import pytest
from msgspec.structs import replace

from reports.web.pages.artifacts import BY_RANGES, WHOLE
from reports.web.view_models import filmstrip
from runner.archive import run_files
from runner.archive.archive import Archive
from runner.result import Artifact
from tests.support.saved_runs import CONTENT, save_run, upload
from tests.support.services.dashboard import Visited
from tests.support.services.object_storage import Bucket

Start = Callable[..., Visited]
PICTURE = b"\xff\xd8\xff" + Random(0).randbytes(50_000)


class Away:
    """A dashboard, and a run that it can only read from the storage."""

    def __init__(self, served: Visited, bucket: Bucket, folder: Path, content: dict[str, bytes]) -> None:
        self.served = served
        settings = bucket.settings(folder)
        self.run, self.folder = save_run(Archive(settings.runs_dir), content=content)
        upload(settings, self.folder)
        served.store.add(self.run, self.folder)
        rmtree(settings.runs_dir)
        bucket.proxy.requests.clear()

    @property
    def files(self) -> dict[str, int]:
        """The ids of the run's files, by name."""
        rows = json.loads(self.served.get(f"/api/v1/runs/{self.run.id}/artifacts").body)["artifacts"]
        assert all(row["there"] for row in rows)
        return {row["name"]: row["id"] for row in rows}


@pytest.fixture
def away(dashboard: Start, bucket: Bucket, tmp_path: Path) -> Callable[..., Away]:
    """Makes such a run."""

    def make(content: dict[str, bytes] = CONTENT) -> Away:
        return Away(dashboard(bucket.environment), bucket, tmp_path / "elsewhere", content)

    return make


@pytest.mark.thorough
def test_a_run_and_its_files_are_shown(away: Callable[..., Away]) -> None:
    made = away()
    page = made.served.get(f"/runs/{made.run.id}").body.decode()
    assert "hello" in page
    assert f'src="/artifacts/{made.files["screenshots/öffnen.png"]}"' in page
    assert "removed" not in page
    for name, number in made.files.items():
        answer = made.served.get(f"/artifacts/{number}")
        assert (answer.status, answer.body) == (200, CONTENT[name])
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'self'; sandbox"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.long
def test_ranges_are_passed_through(away: Callable[..., Away], bucket: Bucket) -> None:
    made = away()
    path, content = f"/artifacts/{made.files['trace.zip']}", CONTENT["trace.zip"]
    whole = made.served.request("HEAD", path)
    assert (whole.status, whole.headers["content-length"], whole.headers["accept-ranges"]) == (200, "7000", "bytes")
    for text, expected in (("bytes=0-9", content[:10]), ("bytes=6990-", content[-10:]), ("bytes=-7", content[-7:])):
        answer = made.served.get(path, range=text)
        assert (answer.status, answer.body) == (206, expected)
    assert answer.headers["content-range"] == "bytes 6993-6999/7000"
    assert bucket.proxy.ranges[-3:] == ["bytes=0-9", "bytes=6990-6999", "bytes=6993-6999"]
    assert made.served.get(path, range="bytes=7000-").headers["content-range"] == "bytes */7000"
    assert made.served.get(path, range="bytes=0-9", if_range='"another"').body == content
    assert made.served.get(path, range="bytes=0-9", if_range=whole.headers["etag"]).status == 206


@pytest.mark.long
def test_pictures_of_a_large_trace_are_read_without_the_rest_of_it(
    away: Callable[..., Away], bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "trace.zip"
    with zipfile.ZipFile(file, "w") as trace:
        trace.writestr("resources/large", Random(1).randbytes(6_000_000))
        trace.writestr("screencast/1.jpeg", PICTURE)
    read: list[int] = []
    readinto = run_files.RemoteReader.readinto

    def counted(self: run_files.RemoteReader, buffer: memoryview) -> int:
        read.append(readinto(self, buffer))
        return read[-1]

    monkeypatch.setattr(run_files.RemoteReader, "readinto", counted)
    made = away({"trace.zip": file.read_bytes()})
    answer = made.served.get(f"/artifacts/{made.files['trace.zip']}/frames/0")
    assert (answer.status, answer.body) == (200, PICTURE)
    assert 0 < sum(read) < 1_000_000
    assert filmstrip.LARGEST > 6_000_000


@pytest.mark.long
def test_the_viewer_of_traces_asks_for_ranges(dashboard: Start) -> None:
    script = dashboard().get("/viewer/sw.bundle.js")
    # Where a new Playwright writes its options in another way, the viewer reads traces as a whole again.
    assert (script.status, script.body.count(BY_RANGES), script.body.count(WHOLE)) == (200, 1, 0)
    assert "script-src" in script.headers["content-security-policy"]


@pytest.mark.long
def test_a_transfer_that_breaks_off_goes_on_where_it_ended(away: Callable[..., Away], bucket: Bucket) -> None:
    content = Random(2).randbytes(4_000_000)
    made = away({"trace.zip": content})
    number = made.files["trace.zip"]
    failures = iter([True])
    bucket.proxy.fault = lambda method, path: (
        "truncated" if method == "GET" and "trace.zip" in path and next(failures, False) else None
    )
    answer = made.served.get(f"/artifacts/{number}")
    assert (answer.status, sha256(answer.body).digest()) == (200, sha256(content).digest())
    assert next(failures, None) is None


@pytest.mark.long
def test_a_storage_that_is_away_takes_only_the_files_from_the_page(
    away: Callable[..., Away], bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = away()
    files = made.files
    bucket.proxy.fault = lambda _method, _path: "503"
    page = made.served.get(f"/runs/{made.run.id}")
    assert page.status == 200
    assert "Object storage does not respond" in page.body.decode()
    assert bucket.name not in page.body.decode()
    answer = made.served.get(f"/artifacts/{files['trace.zip']}")
    assert answer.status == 503
    assert bucket.name not in answer.body.decode()
    assert "The storage does not respond" in answer.body.decode()
    bucket.proxy.fault = lambda _method, _path: None
    assert made.served.get(f"/artifacts/{files['trace.zip']}").body == CONTENT["trace.zip"]


@pytest.mark.long
def test_paths_of_the_database_lead_nowhere_else(dashboard: Start, bucket: Bucket, tmp_path: Path) -> None:
    served = dashboard(bucket.environment)
    settings = bucket.settings(tmp_path / "elsewhere")
    _, folder = save_run(Archive(settings.runs_dir), journey="private")
    upload(settings, folder)
    outside = {f"../../private/{folder.name}/trace.zip": b"", "/etc/hostname": b"", "..": b""}
    run = save_run(Archive(settings.runs_dir), content={"console.jsonl": b"{}"})[0]
    hostile = replace(run, artifacts=tuple(Artifact(kind="trace", path=path, bytes=7000) for path in outside))
    served.store.add(hostile, None)
    rows = json.loads(served.get(f"/api/v1/runs/{run.id}/artifacts").body)["artifacts"]
    assert [row["there"] for row in rows] == [False, False, False]
    for row in rows:
        assert served.get(f"/artifacts/{row['id']}").status == 404
