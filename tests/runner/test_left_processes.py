"""What a journey has started does not outlive its worker, whoever ends the worker."""

import os
import subprocess
import sys
from functools import partial

import psutil
import pytest

from runner.workers.temporary_folder import PREFIX, sweep_temporary_folders
from tests.conftest import Monitor
from tests.support.wait import wait_until

LEAVES = """
    import os, signal, subprocess

    @journey
    def walk(page, step):
        with step("open"):
            page.goto("/")
        with step("die"):
            subprocess.Popen(["sleep", SECONDS])
            subprocess.run(["sh", "-c", "setsid sleep " + SECONDS + " &"])
            os.kill(os.getpid(), signal.SIGKILL)
"""


def is_running(seconds: str) -> bool:
    """Whether a journey's `sleep` goes on."""
    return any(one.info["cmdline"] == ["sleep", seconds] for one in psutil.process_iter(["cmdline"]))


@pytest.mark.thorough
def test_a_worker_that_is_killed_leaves_no_process_of_its_journey(monitor: Monitor) -> None:
    seconds = f"1234.{os.getpid()}"
    result = monitor.run(LEAVES.replace("SECONDS", repr(seconds)))
    assert not is_running(seconds)
    assert result.failure is not None
    assert (result.status, result.failure.kind) == ("error", "monitor")
    assert result.notes[0].startswith("processes that the journey left running were ended: ")


@pytest.mark.skipif(sys.platform != "linux", reason="the environment of a process is read")
def test_what_a_killed_supervisor_left_is_ended_by_the_next(monitor: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = f"1235.{os.getpid()}"
    monkeypatch.setattr("tempfile.tempdir", str(monitor.folder))
    folder = monitor.folder / f"{PREFIX}left"
    folder.mkdir()
    with subprocess.Popen(["sleep", seconds], env={**os.environ, "TMPDIR": str(folder)}):
        wait_until(partial(is_running, seconds))
        sweep_temporary_folders()
        assert not is_running(seconds)
    assert not folder.exists()
