"""What is kept of runs and visitors is its owner's alone, also where the umask would let everybody read and write it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest

from reports.replay.chunk_store import _write as write_chunk
from reports.replay.chunk_store import chunk_path
from runner.private_files import make_private_folder, write_private_file
from runner.store import Store
from tests.support.needs import needs

JOURNEY = """
from runner import journey
@journey(trace="on", har="on", screenshots="on", console="on", replay="on", aria="on")
def open_it(page, step):
    with step("open"):
        page.goto("/")
"""


@pytest.fixture
def no_umask() -> Iterator[None]:
    """New files could be read and written by everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """What others than the owner may do, by name; empty if nothing."""
    found = [folder, *folder.rglob("*")]
    return {str(one): oct(one.stat().st_mode & 0o077) for one in found if one.lstat().st_mode & 0o077}


@pytest.mark.thorough
@needs("browser")
def test_every_file_of_runs_and_checks_is_private(no_umask: None, shop: str, tmp_path: Path) -> None:
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys" / "open_it.py").write_text(JOURNEY)
    for words in (("run", "--junit", "report.xml"), ("smoke", "--runs", "2", "--warm-up", "0")):
        command = [sys.executable, "-P", "-m", "runner.cli", *words, "--base-url", shop]
        subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    runs = tmp_path / "runs"
    assert {one.name for one in next((runs / "open_it").iterdir()).iterdir()} >= {"trace.zip", "result.json", "report.html"}
    assert list((runs / ".smoke").glob("*.json"))
    assert modes(runs) == {}
    # The user names it, for others to read.
    assert (tmp_path / "report.xml").stat().st_mode & 0o777 == 0o666


def test_the_database_is_private_with_the_files_that_sqlite_puts_beside_it(no_umask: None, tmp_path: Path) -> None:
    with Store(f"sqlite:///{tmp_path}/kept/journeys.db") as store, store.connected() as connection:
        connection.exec_driver_sql("CREATE TABLE more (x)")
        assert {one.name for one in (tmp_path / "kept").iterdir()} >= {"journeys.db", "journeys.db-wal", "journeys.db-shm"}
        assert modes(tmp_path / "kept") == {}


def test_recordings_are_private(no_umask: None, tmp_path: Path) -> None:
    folder = tmp_path / "replays"
    write_chunk(
        chunk_path(folder, "shop", str(uuid4()), str(uuid4()), 0, sha256(b"chunk").hexdigest()), folder / ".incoming", b"chunk"
    )
    assert modes(folder) == {}


def test_what_exists_keeps_its_mode(no_umask: None, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(0o750)
    make_private_folder(tmp_path / "shared" / "runs")
    write_private_file(tmp_path / "shared" / "runs" / "result.json", b"{}", sync=True)
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o750
    assert modes(tmp_path / "shared" / "runs") == {}
    with pytest.raises(NotADirectoryError):
        make_private_folder(tmp_path / "shared" / "runs" / "result.json" / "below")
    with pytest.raises(FileExistsError):
        make_private_folder(tmp_path / "shared" / "runs" / "result.json")
