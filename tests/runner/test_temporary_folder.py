"""What workers, Playwright and Chromium write into temporary files ends with the worker, whatever ends it."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.browser.chromium import Browser
from runner.workers.pool import Workers
from runner.workers.temporary_folder import PREFIX, TemporaryFolder, sweep_temporary_folders
from tests.conftest import Monitor
from tests.support.needs import needs
from tests.support.wait import wait_until

PLANTED = "planted-in-a-trace-7731"
HANG = f"""
    import signal, tempfile, time
    @journey
    def hang(page, step):
        with step("plant"):
            page.set_content("<input>")
            page.get_by_role("textbox").fill("{PLANTED}")
            open(tempfile.mkstemp()[1], "w").write("{PLANTED}")
        with step("hang"):
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
            time.sleep(600)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files of this test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    tempfile.tempdir = None


@pytest.mark.thorough
def test_a_worker_that_is_ended_leaves_no_trace_and_no_profile(
    temporary: Path, shop: str, chromium: Browser, tmp_path: Path
) -> None:
    with Workers(1) as workers:
        monitor = Monitor(tmp_path, shop, chromium, workers)
        assert monitor.run(HANG, timeout="3s", trace="on").status == "error"
        # Only the folder of the worker that has replaced it.
        assert len(list(temporary.iterdir())) == 1
        assert not [file for file in temporary.rglob("*") if file.is_file()]
    assert list(temporary.iterdir()) == []


@pytest.mark.thorough
@needs("browser")
def test_what_a_killed_command_has_left_is_removed_by_the_next_one(temporary: Path, shop: str, tmp_path: Path) -> None:
    (tmp_path / "journeys").mkdir()
    lines = HANG.replace("\n    ", "\n")
    (tmp_path / "journeys" / "hang.py").write_text(f"from runner import journey\n{lines}")
    command = [sys.executable, "-P", "-m", "runner.cli", "run", "--base-url", shop, "--trace", "on"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, start_new_session=True)

    def planted() -> bool:
        files = [file for file in temporary.rglob("*") if file.is_file()]
        return any(PLANTED.encode() in file.read_bytes() for file in files if file.exists())

    try:
        wait_until(planted)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()

    def swept() -> bool:
        sweep_temporary_folders()
        return list(temporary.iterdir()) == []

    # Chromium may still be closing, and writing.
    wait_until(swept)


def test_only_what_nobody_uses_is_removed(temporary: Path) -> None:
    used = TemporaryFolder()
    left = temporary / f"{PREFIX}left"
    (left / "inner").mkdir(parents=True)
    other = temporary / "of-another-program"
    other.mkdir()
    elsewhere = temporary.parent / "elsewhere"
    (elsewhere / "kept").mkdir(parents=True)
    (temporary / f"{PREFIX}link").symlink_to(elsewhere)
    sweep_temporary_folders()
    assert {one.name for one in temporary.iterdir()} == {used.path.name, other.name, f"{PREFIX}link"}
    assert (elsewhere / "kept").is_dir()
    assert used.path.stat().st_mode & 0o077 == 0
    used.remove()
    assert not used.path.exists()
