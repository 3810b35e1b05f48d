"""`journey run --remote`: the whole path from a command through a server to a scheduler and back, and what can go wrong on it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.commands import Ended, run_here
from tests.support.services.daemon import Daemon, tick
from tests.support.services.dashboard import TOKEN, Visited
from tests.support.services.serve import Serve
from tests.support.wait import wait_until

JOURNEYS = """
import time
from pathlib import Path

@journey(tags=["shop"])
def shop(page, step, params):
    with step("open"):
        page.goto("/")
    with step("say"):
        assert params.get("word") != "bad", "a bad word"

@journey
def waits(step):
    with step("first"):
        pass
    with step("second"):
        while not Path("goes-on").exists():
            time.sleep(0.05)
"""


@pytest.fixture
def served(daemon: Daemon) -> Iterator[Serve]:
    """A server beside a scheduler, in its folder."""
    daemon.write(tick("24h") + JOURNEYS)
    (daemon.folder / "journey.toml").write_text(f'base_url = "{daemon.shop}"\n')
    daemon.start()
    one = Serve(daemon.folder)
    one.start(JOURNEY_SERVE_TOKEN=TOKEN)
    yield one
    if one.process and one.process.poll() is None:
        one.process.kill()
        one.process.wait(10)


def remote(folder: Path, *words: str, token: str = TOKEN) -> Ended:
    """The command in an empty folder, as in CI."""
    folder.mkdir(exist_ok=True)
    return run_here(folder, words, {**os.environ, "JOURNEY_SERVE_TOKEN": token})


@contextmanager
def begun(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "runner.cli", *words]
    environment = {**os.environ, "JOURNEY_SERVE_TOKEN": TOKEN}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.long
def test_runs_elsewhere_end_as_runs_here_do(served: Serve, daemon: Daemon, tmp_path: Path) -> None:
    ci, url = tmp_path / "ci", served.address
    ended = remote(ci, "run", "shop", "--remote", url, "--json", "runs.json", "--junit", "runs.xml", "--param", "word=good")
    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert "shop  ✓ open" in ended.stdout
    assert f"the runs are at {url}/requests/" in ended.stdout
    (run,) = json.loads((ci / "runs.json").read_text())["runs"]
    assert (run["journey"], run["status"], run["trigger"], run["slot_at"]) == ("shop", "passed", "demand", None)
    assert 'tests="2"' in (ci / "runs.xml").read_text()
    failed = remote(ci, "run", "--tag", "shop", "--remote", url, "--param", "word=bad", "--markdown", "-")
    assert (failed.returncode, "a bad word" in failed.stdout) == (1, True), failed.stderr


@pytest.mark.thorough
def test_what_is_refused_elsewhere_is_refused_here_and_smoke_checks_run_there(
    served: Serve, daemon: Daemon, tmp_path: Path
) -> None:
    ci, url = tmp_path / "ci", served.address
    unknown = remote(ci, "run", "shpo", "--remote", url)
    assert (unknown.returncode, "did you mean 'shop'" in unknown.stderr) == (2, True), unknown.stderr
    wrong = remote(ci, "run", "shop", "--remote", url, token="wrong-token-that-is-long-enough")
    assert (wrong.returncode, "JOURNEY_SERVE_TOKEN" in wrong.stderr) == (2, True), wrong.stderr
    elsewhere = remote(ci, "run", "shop", "--remote", url, "--base-url", "https://staging.shop.example")
    assert (elsewhere.returncode, "remote_base_urls" in elsewhere.stderr) == (2, True), elsewhere.stderr
    (ci / "journeys").mkdir()
    (ci / "journeys" / "j.py").write_text((daemon.folder / "journeys" / "j.py").read_text())
    smoke = remote(ci, "smoke", "tick", "--remote", url, "--runs", "2", "--json", "smoke.json")
    assert smoke.returncode == 0, smoke.stderr + smoke.stdout
    (measured,) = json.loads((ci / "smoke.json").read_text())["journeys"]
    assert len(measured["runs"]) == 2
    assert daemon.query("SELECT count(*) FROM runs WHERE \"trigger\" = 'smoke'") == [(3,)], "with the warm-up"
    assert daemon.stop() == 0
    alone = remote(ci, "run", "shop", "--remote", url)
    assert (alone.returncode, "start `journey schedule`" in alone.stderr) == (3, True), alone.stderr


@pytest.mark.thorough
def test_a_follower_goes_on_when_the_server_is_restarted(served: Serve, daemon: Daemon, tmp_path: Path) -> None:
    with begun(tmp_path / "ci", "run", "waits", "--remote", served.address) as process:
        wait_until(lambda: "waits" in str(daemon.query("SELECT data FROM run_events WHERE data LIKE '%StepEnded%'")))
        served.stop(signal.SIGKILL)
        served.start(again=True, JOURNEY_SERVE_TOKEN=TOKEN)
        (daemon.folder / "goes-on").touch()
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert output.count("✓ first") == output.count("✓ second") == 1
    assert "going on from where it was" in output


@pytest.mark.thorough
def test_an_interrupt_cancels_what_has_not_begun_and_says_so(daemon: Daemon, served: Serve, tmp_path: Path) -> None:
    with begun(tmp_path / "ci", "run", *["waits"] * 30, "--remote", served.address) as process:
        wait_until(lambda: daemon.query("SELECT count(*) FROM run_events WHERE data LIKE '%StepEnded%'") != [(0,)])
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 130, output
    assert "that had not begun were cancelled" in output
    (daemon.folder / "goes-on").touch()
    wait_until(lambda: daemon.query("SELECT count(*) FROM requested_runs WHERE state = 'claimed'") == [(0,)])
    states = dict(daemon.query("SELECT state, count(*) FROM requested_runs GROUP BY state"))
    assert states["cancelled"] + states["done"] == 30
    assert states["cancelled"] > 0


def test_options_for_this_machine_are_refused(tmp_path: Path) -> None:
    ended = remote(tmp_path, "run", "buy", "--remote", "http://127.0.0.1:9", "--headed", "--retries", "1")
    assert (ended.returncode, "--retries, --headed and --remote" in ended.stderr) == (2, True), ended.stderr
    for address in ("ftp://monitor.example", "monitor.example", "https://ada@monitor.example", "https://monitor.example?x"):
        ended = remote(tmp_path, "run", "buy", "--remote", address)
        assert (ended.returncode, "--remote" in ended.stderr) == (2, True), ended.stderr
    ended = remote(tmp_path, "run", "buy", "--remote", "http://monitor.example")
    assert (ended.returncode, "sent in clear" in ended.stderr) == (2, True)


def test_a_server_that_is_no_dashboard_is_named(tmp_path: Path, shop: str, dashboard: Callable[..., Visited]) -> None:
    ended = remote(tmp_path, "run", "buy", "--remote", shop)
    assert (ended.returncode, "answered 404" in ended.stderr) == (2, True), ended.stderr
    served = dashboard()
    ended = remote(tmp_path, "run", "buy", "--remote", served.address, token="")
    assert (ended.returncode, "No scheduler" in ended.stderr) == (3, True), ended.stderr
