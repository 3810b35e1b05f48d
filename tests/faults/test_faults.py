"""What a daemon must hold whatever is done to it."""

import json
import os
import random
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text

from runner.browser.chromium import Browser
from tests.support.services.daemon import Daemon, look, tick
from tests.support.services.servers import free_port, get, running
from tests.support.wait import let_pass, wait_until

pytestmark = pytest.mark.thorough

LIFE = 12
"""Runs that each of the kill tests goes on for at least."""


def check_what_is_kept(daemon: Daemon) -> None:
    """No run lost, none twice, none half."""
    stored = dict(daemon.query("SELECT id, folder FROM runs"))
    saved = {}
    for file in daemon.folder.glob("runs/*/*/result.json"):
        result = json.loads(file.read_text())
        saved[result["id"]] = str(file.parent)
    assert stored == saved
    assert daemon.query("SELECT journey, slot_at FROM runs GROUP BY journey, slot_at HAVING count(*) > 1") == []
    assert daemon.query("SELECT run_id FROM slots WHERE state = 'done' AND run_id NOT IN (SELECT id FROM runs)") == []
    assert daemon.query("SELECT id FROM runs WHERE id NOT IN (SELECT run_id FROM slots WHERE state = 'done')") == []
    assert not [one for one in daemon.folder.glob("runs/*/*") if one.is_dir() and not (one / "result.json").exists()]


def test_a_daemon_killed_at_any_moment_loses_no_run_and_leaves_nothing_over(daemon: Daemon) -> None:
    chance = random.Random(4)
    # One opens a page, the other costs little.
    daemon.write(look("1s") + tick("1s", "second"))
    kills = 0
    while daemon.runs() < LIFE:
        daemon.start()
        let_pass(chance.uniform(0.3, 4.0), "it is killed at any moment")
        daemon.kill()
        kills += 1
        daemon.start()
        wait_until(lambda: not daemon.left_over())
        # On a busy machine no run might come to its end between two kills.
        daemon.wait_for_runs(daemon.runs() + 1)
        let_pass(chance.uniform(0.0, 1.0), "it is killed at any moment")
        daemon.kill()
        kills += 1
    daemon.start()
    wait_until(lambda: daemon.runs() > LIFE)
    daemon.wait_for_runs(1, "look", "passed")
    assert daemon.stop() == 0
    wait_until(lambda: not daemon.left_over())
    assert kills >= 4
    assert daemon.query("SELECT count(*) FROM slots WHERE state = 'claimed'") == [(0,)]
    check_what_is_kept(daemon)
    assert not list((daemon.folder / "runs" / ".scratch").glob("*/*"))
    cut = daemon.query("SELECT failure_message FROM runs WHERE status = 'error'")
    assert all("the scheduler that had begun the run was killed" in message for (message,) in cut)


def test_a_worker_or_a_browser_killed_at_any_moment_costs_its_run_alone(daemon: Daemon) -> None:
    chance = random.Random(5)
    # One opens a page, the other costs little.
    daemon.write(look("1s") + tick("1s", "second"))
    daemon.start("--workers", "2")
    kills = {"worker": 0, "browser": 0}
    while daemon.runs() < LIFE or min(kills.values()) < 4:
        let_pass(chance.uniform(0.2, 2.0), "they are killed at any moment")
        victim = min(kills, key=lambda name: kills[name])
        mark = "runner.workers.main" if victim == "worker" else "--type="
        found = [one for one in daemon.tree() if is_victim(one, mark, victim)]
        if found:
            chance.choice(found).kill()
            kills[victim] += 1
    wait_until(lambda: daemon.metric("synthetic_running") == 0 or daemon.metric("synthetic_browsers") == 2)
    before = daemon.runs("%", "passed")
    daemon.wait_for_runs(before + 4, status="passed")
    assert daemon.stop() == 0
    wait_until(lambda: not daemon.left_over())
    check_what_is_kept(daemon)
    kinds = {kind for (kind,) in daemon.query("SELECT DISTINCT failure_kind FROM runs WHERE status != 'passed'")}
    assert kinds <= {"monitor", "browser", "crash"}, kinds
    assert daemon.query("SELECT count(*) FROM runs WHERE status = 'failed'") == [(0,)]


def is_victim(process: psutil.Process, mark: str, victim: str) -> bool:
    try:
        line = " ".join(process.cmdline())
    except psutil.Error:
        return False
    if victim == "worker":
        return mark in line
    return "remote-debugging-pipe" in line and mark not in line


def test_a_gateway_that_comes_back_gets_the_newest_state_with_its_own_time(daemon: Daemon) -> None:
    address = f"127.0.0.1:{free_port()}"
    daemon.write(tick())
    daemon.start("--pushgateway", address)
    wait_until(lambda: daemon.metric("synthetic_pushes_total", outcome="replaced") >= 8, progress=daemon.runs)
    wait_until(lambda: daemon.metric("synthetic_unpushed_journeys") == 1)
    ended = ended_at(daemon)
    # When the next one is stored, all of these are replaced.
    daemon.wait_for_runs(len(ended) + 2)
    command = ["prometheus-pushgateway", f"--web.listen-address={address}", "--persistence.file="]
    with running(command, f"http://{address}/-/ready"):
        pushed = wait_until(lambda: last_run(address), "a push")
        assert pushed > max(ended)
        wait_until(lambda: daemon.metric("synthetic_pushes_total", outcome="pushed") >= 1)
        assert pushed in ended_at(daemon)
        assert daemon.here("pause", "*").returncode == 0
        wait_until(lambda: last_run(address) == max(ended_at(daemon)), "the state of the last run")
        daemon.stop()
        assert last_run(address) == max(ended_at(daemon))


def ended_at(daemon: Daemon) -> list[float]:
    """When the stored runs ended, in seconds since the epoch."""
    return [round(end, 3) for (end,) in daemon.query("SELECT (julianday(ended_at) - 2440587.5) * 86400 FROM runs")]


def last_run(gateway: str) -> float:
    for line in (get(f"http://{gateway}/metrics") or "").splitlines():
        if line.startswith("synthetic_last_run_timestamp_seconds{"):
            return round(float(line.rpartition(" ")[2]), 3)
    return 0.0


def test_a_locked_database_holds_up_no_run_and_gets_them_all(daemon: Daemon) -> None:
    daemon.write(tick())
    daemon.start()
    daemon.wait_for_runs(1)
    holder = sqlite3.connect(daemon.folder / "runs" / "journeys.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    before = daemon.runs()
    wait_until(lambda: len(list(daemon.folder.glob("runs/tick/*/result.json"))) >= before + 5)
    assert daemon.runs() <= before + 1
    wait_until(lambda: not daemon.ready())
    holder.execute("ROLLBACK")
    holder.close()
    daemon.wait_for_runs(before + 5)
    wait_until(daemon.ready)
    without_slot = "SELECT id FROM runs WHERE id NOT IN (SELECT run_id FROM slots WHERE state = 'done')"
    wait_until(lambda: daemon.query(without_slot) == [], "the slots of the runs that were made meanwhile are recorded")
    assert daemon.stop() == 0
    assert any("database is locked" in one["message"] for one in daemon.events(level="error"))
    stored = {identity for (identity,) in daemon.query("SELECT id FROM runs")}
    assert stored == {json.loads(one.read_text())["id"] for one in daemon.folder.glob("runs/tick/*/result.json")}


@pytest.fixture
def small_disk(daemon: Daemon) -> Iterator[Path]:
    """A file system of its own for the runs."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    folder = daemon.folder / "runs"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_ends_no_daemon(daemon: Daemon, small_disk: Path) -> None:
    daemon.write(look("1s"))
    daemon.start()
    daemon.wait_for_runs(2)
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                continue
        except OSError:
            assert os.statvfs(small_disk).f_bavail == 0
    counted = daemon.metric("synthetic_runs_total")
    wait_until(lambda: daemon.metric("synthetic_runs_total") >= counted + 4)
    wait_until(lambda: daemon.metric("synthetic_unstored_runs") >= 1)
    ballast.unlink()
    wait_until(lambda: daemon.metric("synthetic_unstored_runs") == 0)
    before = daemon.runs()
    daemon.wait_for_runs(before + 2, status="passed")
    assert daemon.stop() == 0
    assert daemon.query("PRAGMA integrity_check") == [("ok",)]


def test_a_folder_that_cannot_be_written_ends_no_daemon(daemon: Daemon, small_disk: Path) -> None:
    daemon.write(tick())
    daemon.start()
    daemon.wait_for_runs(2)
    # The file system itself cannot become read-only while the store's files are open for writing.
    subprocess.run(["mount", "-o", "bind", daemon.folder / "journeys", small_disk], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", small_disk], check=True)
    try:
        wait_until(lambda: daemon.metric("synthetic_runs_total", status="error") >= 2)
    finally:
        subprocess.run(["umount", "-l", small_disk], check=True)
    before = daemon.runs("%", "passed")
    daemon.wait_for_runs(before + 2, status="passed")
    assert daemon.stop() == 0
    told = daemon.query("SELECT failure_message FROM runs WHERE status = 'error'")
    assert any("cannot be written" in message and "name another folder" in message for (message,) in told), told


STUBBORN = """
        from time import sleep
        while True:
            try:
                sleep(0.01)
            except BaseException:
                pass"""
HARM = {
    "a-page-that-hangs": ('page.goto("/switch/hang", timeout=500)', "failed"),
    "an-endless-loop": ("while True: pass", "error"),
    "a-loop-that-catches-everything": (STUBBORN, "error"),
    "a-renderer-that-crashes": ('page.goto("chrome://crash")', "error"),
    "a-process-that-ends-itself": ("import os; os._exit(7)", "error"),
}


def test_harm_that_a_journey_does_is_its_own_alone(daemon: Daemon) -> None:
    harms = [
        # Time enough that a page that hangs is given up before its run is, also where a browser takes seconds to start.
        f"@journey(name='{name}', every='24h', timeout='{'30s' if status == 'failed' else '3s'}')\n"
        f"def harm{number}(page, step):\n    with step('harm'):\n        {code}\n"
        for number, (name, (code, status)) in enumerate(HARM.items())
    ]
    daemon.write(look("1s") + "".join(harms))
    # None is cancelled because another has the workers.
    daemon.start("--workers", "3", JOURNEY_MAX_DELAY="2m")
    for name in HARM:
        daemon.wait_for_runs(1, name, seconds=90)
    before = daemon.runs("look", "passed")
    daemon.wait_for_runs(before + 2, "look", "passed")
    # Distinct: the moment of the hour at which one of them is due can come a second time while the others are waited for.
    ended = daemon.query("SELECT DISTINCT journey, status FROM runs WHERE journey != 'look' ORDER BY journey")
    assert ended == sorted((name, status) for name, (_, status) in HARM.items())
    assert daemon.query("SELECT count(*) FROM runs WHERE journey = 'look' AND status != 'passed'") == [(0,)]
    assert daemon.stop() == 0
    wait_until(lambda: not daemon.left_over())


GREEDY = """@journey(every='1s', timeout='20s')
def eats(page, step):
    with step('eat'):
        page.goto('/')
        page.evaluate("() => { const all = []; for (;;) all.push(new Array(10000).fill(0).map(Math.random)) }")
"""


def test_a_page_that_eats_memory_costs_its_run_alone(daemon: Daemon, chromium: Browser) -> None:
    # A small heap, so that the page reaches its end before the machine does.
    program = daemon.folder / "small-chromium"
    program.write_text(f'#!/bin/sh\nexec {chromium.path} --js-flags=--max-old-space-size=64 "$@"\n')
    program.chmod(0o755)
    daemon.write(look("1s") + GREEDY)
    daemon.start("--browser-path", str(program), "--workers", "2")
    daemon.wait_for_runs(1, "eats", "error", 90)
    before = daemon.runs("look", "passed")
    daemon.wait_for_runs(before + 2, "look", "passed")
    assert daemon.stop() == 0
    wait_until(lambda: not daemon.left_over())
    told = daemon.query("SELECT DISTINCT failure_kind, status FROM runs WHERE journey = 'eats' AND status != 'cancelled'")
    assert told == [("crash", "error")]
    assert any(
        "ran out of memory" in message for (message,) in daemon.query("SELECT failure_message FROM runs WHERE journey = 'eats'")
    )
    check_what_is_kept(daemon)


SHIFTED = """
import datetime, pathlib
import runner.scheduler.daemon
class Shifted(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(seconds=float(pathlib.Path("shift").read_text()))
runner.scheduler.daemon.datetime = Shifted
"""


def test_a_clock_that_is_set_stops_nothing_and_runs_nothing_twice(daemon: Daemon) -> None:
    daemon.write(tick())
    moved = daemon.folder / "shift"
    moved.write_text("0")
    daemon.start(before=SHIFTED)
    daemon.wait_for_runs(3)
    for shift in (3600, 0, -3600, 0):
        (daemon.folder / "new").write_text(str(shift))
        (daemon.folder / "new").rename(moved)
        before = daemon.runs()
        daemon.wait_for_runs(before + 3)
    assert daemon.stop() == 0
    assert [one["message"][:20] for one in daemon.events(level="warning") if "clock" in one["message"]] == [
        f"the clock was set {'fo' if one > 0 else 'ba'}" for one in (3600, -3600, -3600, 3600)
    ]
    check_what_is_kept(daemon)


WAITS = "@journey(every='24h')\ndef waits(page, step):\n    with step('a'):\n        page.wait_for_timeout({})\n"


def test_a_run_under_way_is_let_end_when_the_daemon_is_asked_to_stop(daemon: Daemon) -> None:
    daemon.write(WAITS.format(2500))
    daemon.start()
    wait_until(lambda: daemon.metric("synthetic_running") == 1)
    assert daemon.stop() == 0
    assert daemon.query("SELECT status FROM runs") == [("passed",)]
    check_what_is_kept(daemon)


def test_a_second_signal_ends_what_is_under_way_and_says_so(daemon: Daemon) -> None:
    daemon.write(WAITS.format(40_000))
    daemon.start()
    wait_until(lambda: daemon.metric("synthetic_running") == 1)
    assert daemon.process
    daemon.signal(signal.SIGTERM)
    wait_until(lambda: any(one["message"].startswith("stopping") for one in daemon.events()))
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(60) == 0
    assert daemon.query("SELECT status, failure_message FROM runs") == [
        ("cancelled", "the scheduler was stopped while the run was under way")
    ]
    check_what_is_kept(daemon)
    wait_until(lambda: not daemon.left_over())


IMPATIENT = """
from datetime import timedelta
import runner.store.scheduling.schedulers, runner.scheduler.watcher
runner.store.scheduling.schedulers.SILENT = timedelta(seconds=4)
runner.scheduler.watcher.HEARTBEAT_PERIOD = 1.0
"""


def test_two_schedulers_share_a_postgresql_and_one_takes_over_for_the_other(
    new_daemon: Callable[[str], Daemon], postgres: Callable[[], str]
) -> None:
    url = postgres()
    first, second = new_daemon("first"), new_daemon("second")
    slow = "@journey(every='3s')\ndef slow(page, step):\n    with step('a'):\n        page.wait_for_timeout(2000)\n"
    for one in (first, second):
        one.write(tick() + slow)
        one.start("--database", url, before=IMPATIENT)
    engine = create_engine(url)

    def rows(sql: str) -> list[tuple[object, ...]]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]

    both = "SELECT owner FROM slots WHERE state = 'done' AND journey != 'slow' GROUP BY owner HAVING count(*) > 1"
    wait_until(lambda: len(rows(both)) == 2)
    assert first.process
    under_way = (
        "SELECT 1 FROM slots JOIN schedulers ON schedulers.id = slots.owner WHERE state = 'claimed' AND journey = 'slow'"
        f" AND claimed_at > now() - interval '1 s' AND process = {first.process.pid}"
    )
    wait_until(lambda: rows(under_way))
    first.kill()
    wait_until(
        lambda: rows("SELECT 1 FROM runs WHERE status = 'error' AND failure_message LIKE 'the scheduler that had begun%'")
    )
    before = rows("SELECT count(*) FROM runs WHERE status = 'passed'")[0][0]
    wait_until(lambda: rows("SELECT count(*) FROM runs WHERE status = 'passed'")[0][0] >= before + 3)  # type: ignore[operator]
    assert second.stop() == 0
    assert rows("SELECT journey, slot_at FROM runs GROUP BY journey, slot_at HAVING count(*) > 1") == []
    assert rows("SELECT count(*) FROM slots WHERE state = 'claimed'") == [(0,)]
    assert rows("SELECT count(*) FROM schedulers") == [(0,)]
    engine.dispose()


def test_a_shared_database_that_is_away_stops_the_runs_and_says_so(daemon: Daemon, postgres: Callable[[], str]) -> None:
    url = postgres()
    server, _, name = url.rpartition("/")
    daemon.write(tick())
    daemon.start("--database", url)
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        wait_until(lambda: daemon.metric("synthetic_runs_total", status="passed") >= 2)
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"))
        wait_until(lambda: daemon.metric("synthetic_missed_slots_total", reason="store") >= 2)
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
    engine.dispose()
    counted = daemon.metric("synthetic_runs_total", status="passed")
    wait_until(lambda: daemon.metric("synthetic_runs_total", status="passed") >= counted + 2)
    assert daemon.stop() == 0
    assert any("another scheduler may run it too" in one["message"] for one in daemon.events(level="error"))
