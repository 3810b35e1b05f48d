"""Whatever ends a run, nothing half-written stands under a final name, and nothing is left running."""

import json
import os
import random
import subprocess
import sys
import zipfile
from functools import partial

import psutil
import pytest

from runner.archive.archive import Archive
from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.settings.artifact_kinds import ARTIFACT_KINDS
from runner.settings.load_settings import load_settings
from runner.workers.run_plans import run_plans
from tests.conftest import Monitor
from tests.support.wait import let_pass, wait_until

JOURNEY = """
    @journey
    def walk(page, step):
        with step("open"):
            page.goto("/")
        with step("fail"):
            expect(page.get_by_text("nowhere")).to_be_visible(timeout=100)
"""

DIES_IN_ITS_SECOND_WALK = """
    import os, signal
    from pathlib import Path

    @journey
    def walk(page, step):
        with step("open"):
            page.goto("/")
        with step("fail"):
            try:
                Path(__file__).with_name("walked").touch(exist_ok=False)
            except FileExistsError:
                os.kill(os.getpid(), signal.SIGKILL)
            expect(page.get_by_text("nowhere")).to_be_visible(timeout=100)
"""

ROUNDS = 7


def marked(mark: str) -> list[str]:
    """The names of the processes that were started with the mark in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("JOURNEY_PARAM_MARK") == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.name())
        except psutil.Error:
            continue
    return found


def nothing_marked(mark: str) -> bool:
    return not marked(mark)


@pytest.mark.thorough
def test_killed_at_any_moment_it_leaves_nothing_half_written_and_nothing_running(monitor: Monitor) -> None:
    file = monitor.write(JOURNEY)
    runs = monitor.folder / "runs"
    command = [sys.executable, "-m", "runner.cli", "run", str(file), "--base-url", monitor.shop, "--repeat", "50"]
    policies = {f"JOURNEY_{kind.upper()}": "on" for kind in ARTIFACT_KINDS if kind != "video"}
    moments = random.Random(7)
    for round_ in range(ROUNDS):
        mark = f"{monitor.folder}-{round_}"
        process = subprocess.Popen(
            command,
            env={**os.environ, **policies, "JOURNEY_PARAM_MARK": mark},
            cwd=monitor.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: list((runs / ".scratch").glob("*/*")))
            if round_ == ROUNDS - 1:
                # On a slow machine none may have been saved so far.
                wait_until(lambda: list((runs / "walk").glob("*")))
            let_pass(moments.uniform(0.0, 3.0), "it is killed at any moment")
        finally:
            process.kill()
            process.wait()
        wait_until(partial(nothing_marked, mark))
        for folder in (runs / "walk").glob("*") if (runs / "walk").exists() else ():
            result = json.loads((folder / "result.json").read_text())
            assert {one["kind"] for one in result["artifacts"]} >= {"trace", "screenshot", "har"}
            files = {one.relative_to(folder).as_posix(): one.stat().st_size for one in folder.rglob("*") if one.is_file()}
            del files["result.json"]
            if files.pop("report.html", None) is not None:
                assert (folder / "report.html").read_text().endswith("</html>")
            assert {one["path"]: one["bytes"] for one in result["artifacts"]} == files
            assert zipfile.ZipFile(folder / "trace.zip").testzip() is None
    assert len(list((runs / ".scratch").glob("*.lock"))) == 1
    archive = Archive(runs)
    archive.scratch("next")
    assert [one.name for one in (runs / ".scratch").glob("*/*")] == ["next"]
    assert list((runs / "walk").iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk that is small enough to fill")
def test_on_a_full_disk_a_run_ends_with_its_status_and_result(monitor: Monitor) -> None:
    disk = monitor.folder / "runs"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)
    try:
        (journey,) = load_journeys(monitor.write(JOURNEY))
        settings = load_settings(monitor.folder, {"base_url": monitor.shop, "trace": "on", "har": "on"}, {})
        (result,) = run_plans(monitor.pool, [plan(journey, settings)], monitor.chromium, settings, monitor.archive, [])
        saved = monitor.archive.find("last").result
        del monitor.archive
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
    assert (result.status, saved.status, saved.failure) == ("failed", "failed", result.failure)
    assert any("No space left" in note or "ENOSPC" in note or "no space" in note for note in saved.notes), saved.notes
    assert "trace" not in {one.kind for one in saved.artifacts}


@pytest.mark.thorough
def test_a_worker_that_dies_in_a_second_look_does_not_change_the_verdict(monitor: Monitor) -> None:
    result = monitor.run(DIES_IN_ITS_SECOND_WALK, retries=0, trace="on-first-retry")
    assert (result.status, result.failure and result.failure.kind, result.attempts) == ("failed", "assertion", 1)
    assert any(note.startswith("the failure was not walked once more to its end: the worker process") for note in result.notes)
    saved = monitor.saved()
    kept = {file.relative_to(saved).as_posix() for file in saved.rglob("*") if file.is_file()} - {"result.json"}
    assert kept == {artifact.path for artifact in result.artifacts}
    assert "screenshot" in {artifact.kind for artifact in result.artifacts}


@pytest.mark.thorough
def test_a_worker_that_dies_in_a_retry_loses_nothing_of_the_attempt_before(monitor: Monitor) -> None:
    result = monitor.run(DIES_IN_ITS_SECOND_WALK, retries=1)
    assert (result.status, result.attempts, [one.status for one in result.earlier_attempts]) == ("error", 2, ["failed"])
    assert {artifact.attempt for artifact in result.artifacts} == {1}
    assert all((monitor.saved() / artifact.path).stat().st_size == artifact.bytes for artifact in result.artifacts)
