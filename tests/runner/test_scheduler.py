"""The daemon, as a user runs it."""

import json
import signal
from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.support.services.daemon import Daemon, look, tick
from tests.support.services.servers import Prometheus, get
from tests.support.wait import PAUSE, wait_until

WAITS = """
@journey(every="{every}")
def waits(page, step):
    with step("wait"):
        page.goto("/")
        page.wait_for_timeout({milliseconds})
"""


@pytest.mark.long
def test_a_journey_runs_at_its_slots_and_is_stored_saved_pushed_and_counted(
    daemon: Daemon, gateway: str, prometheus: Callable[[str], Prometheus]
) -> None:
    daemon.write(look("1s"))
    daemon.start("--pushgateway", gateway)
    daemon.wait_for_runs(4)
    scraped = prometheus(daemon.address)
    wait_until(lambda: daemon.metric("synthetic_runs_total", journey="look", status="passed") >= 4)
    wait_until(lambda: daemon.metric("synthetic_pushes_total", outcome="pushed") >= 3)
    assert daemon.metric("synthetic_success") == 0, "with a gateway, the state of journeys is there and not here"
    wait_until(lambda: scraped.query("synthetic_runs_total"))
    assert 'synthetic_success{instance="",job="synthetic_monitor",journey="look",location="local"} 1' in (
        get(f"{gateway}/metrics") or ""
    )
    assert daemon.stop() == 0
    slots = [slot for (slot,) in daemon.query("SELECT julianday(slot_at) * 86400 FROM slots ORDER BY slot_at")]
    assert all(abs(after - before - 1) < 0.01 for before, after in pairwise(slots))
    states = dict(daemon.query("SELECT state, count(*) FROM slots GROUP BY state"))
    assert states["done"] == daemon.runs() >= 4
    delays = [delay for (delay,) in daemon.query("SELECT delay_seconds FROM runs")]
    assert all(0 <= delay < 2 for delay in delays)
    assert daemon.query("SELECT count(*) FROM runs WHERE cpu_busy IS NULL") == [(0,)]
    assert len(list(daemon.folder.glob("runs/look/*/report.html"))) == daemon.runs()


@pytest.mark.thorough
def test_a_journey_never_runs_beside_itself_and_the_slot_is_counted(daemon: Daemon) -> None:
    daemon.write(WAITS.format(every="500ms", milliseconds=1200))
    daemon.start()
    daemon.wait_for_runs(3)
    wait_until(lambda: daemon.metric("synthetic_missed_slots_total", journey="waits", reason="overlap") >= 3)
    daemon.stop()
    spans = daemon.query("SELECT started_at, ended_at FROM runs ORDER BY started_at")
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert len(daemon.query("SELECT 1 FROM slots WHERE state = 'missed' AND reason = 'overlap'")) >= 3
    warned = [one["message"] for one in daemon.events(level="warning")]
    assert sum("missed its slot" in one for one in warned) == 1, "the others are counted"
    assert sum("of every 0.5 s: use every=" in one for one in warned) == 1
    listed = daemon.here("schedule", "--list").stdout
    assert "warning: waits takes" in listed


@pytest.mark.thorough
def test_a_journey_that_waits_for_others_misses_its_slots_for_lack_of_a_worker(daemon: Daemon) -> None:
    daemon.write(WAITS.format(every="24h", milliseconds=4000) + tick())
    daemon.start("--workers", "1")
    daemon.wait_for_runs(1, "waits")
    daemon.stop()
    # While the other was under way: before and after that, a slow machine may still be busy with the journey's own run.
    missed = daemon.query(
        "SELECT slots.reason FROM slots, runs WHERE slots.journey = 'tick' AND slots.state = 'missed' AND runs.journey = 'waits' "
        "AND slots.slot_at > runs.started_at AND slots.slot_at < runs.ended_at"
    )
    assert {reason for (reason,) in missed} == {"no free worker"}


@pytest.mark.thorough
def test_a_release_that_changes_is_logged(daemon: Daemon) -> None:
    daemon.write(tick())
    settings = daemon.folder / "journey.toml"
    settings.write_text('release = "1.4"')
    daemon.start()
    settings.write_text('release = "1.5"')
    wait_until(lambda: "the release changed from 1.4 to 1.5" in daemon.log())
    wait_until(lambda: "the files were read again; 1 journey on the schedule" in daemon.log())


@pytest.mark.thorough
def test_a_run_that_waits_too_long_for_a_worker_is_cancelled_and_says_why(daemon: Daemon) -> None:
    daemon.write(WAITS.format(every="24h", milliseconds=3500) + look("24h"))
    daemon.start("--workers", "1", JOURNEY_MAX_DELAY="2s")
    daemon.wait_for_runs(2)
    ((journey, message, state),) = daemon.query(
        "SELECT runs.journey, failure_message, state FROM runs JOIN slots ON run_id = runs.id WHERE runs.status = 'cancelled'"
    )
    assert state == "done"
    assert "for a free worker, longer than max_delay (2 s), while 1 run was under way; add workers" in message
    wait_until(lambda: daemon.metric("synthetic_runs_total", journey=journey, status="cancelled") == 1)
    assert "waited" in daemon.here("show", f"{journey}@last").stdout


@pytest.mark.thorough
def test_a_journey_that_leaves_the_schedule_during_its_run_leaves_no_gauges(daemon: Daemon) -> None:
    began, goes_on = daemon.folder / "began", daemon.folder / "goes-on"
    file = daemon.write(f"""
        import time
        from pathlib import Path
        @journey(every="1s")
        def leaves(step):
            with step("wait"):
                Path({str(began)!r}).touch()
                while not Path({str(goes_on)!r}).exists():
                    time.sleep({PAUSE})
    """)
    daemon.write(tick("1s", "stays"), "stays.py")
    daemon.start()
    wait_until(began.exists)
    file.unlink()
    wait_until(lambda: "leaves is no longer on the schedule" in daemon.log())
    goes_on.touch()
    daemon.wait_for_runs(1, "leaves")
    wait_until(lambda: 'synthetic_success{journey="leaves"' not in (get(f"http://{daemon.address}/metrics") or ""))
    wait_until(lambda: 'synthetic_success{journey="stays"' in (get(f"http://{daemon.address}/metrics") or ""))


@pytest.mark.thorough
def test_a_pause_is_noticed_and_recorded_and_ends(daemon: Daemon) -> None:
    daemon.write(look("500ms") + tick())
    daemon.start("--workers", "2")
    daemon.wait_for_runs(1, "look")
    assert daemon.here("pause", "lo*", "--reason", "moving").stdout == "lo* is paused until it is resumed\n"
    wait_until(lambda: daemon.query("SELECT 1 FROM slots WHERE journey = 'look' AND state = 'paused' AND reason = 'moving'"))
    wait_until(lambda: daemon.metric("synthetic_paused", journey="look") == 1)
    listed = json.loads(daemon.here("schedule", "--list", "--json", "-").stdout)
    assert {one["journey"]: one["paused"] for one in listed["journeys"]} == {"look": "moving", "tick": None}
    assert daemon.here("resume", "look").stdout == "resumed: lo*\n"
    before = daemon.runs("look")
    daemon.wait_for_runs(before + 2, "look")
    wait_until(lambda: daemon.metric("synthetic_paused", journey="look") == 0)
    assert daemon.query("SELECT count(*) FROM slots WHERE journey = 'tick' AND state = 'paused'") == [(0,)]
    said = [one["message"] for one in daemon.events(level="info", journey="look")]
    assert "look is paused: moving" in said
    assert "look is no longer paused" in said
    refused = daemon.here("resume", "look")
    assert (refused.returncode, refused.stderr) == (2, "error: look is not paused; paused: none\n")


@pytest.mark.thorough
def test_a_maintenance_window_leaves_a_journey_out(daemon: Daemon) -> None:
    daemon.write(tick() + look("1s", "other"))
    window = 'cron = "* * * * *"\nduration = "2m"\nreason = "backup"\njourneys = ["other"]'
    (daemon.folder / "journey.toml").write_text(f"[[maintenance]]\n{window}\n")
    daemon.start()
    daemon.wait_for_runs(3, "tick")
    paused = "SELECT DISTINCT reason FROM slots WHERE journey = 'other'"
    wait_until(lambda: daemon.query(paused))
    reasons = [reason for (reason,) in daemon.query(paused)]
    # Two of them when a minute begins meanwhile: then the newer window's end is told.
    assert 1 <= len(reasons) <= 2
    assert all(reason.startswith("backup until 20") for reason in reasons)
    assert daemon.runs("other") == 0


@pytest.mark.thorough
def test_files_that_change_are_taken_over_while_runs_go_on(daemon: Daemon, gateway: str) -> None:
    file = daemon.write(look("500ms"))
    daemon.start("--pushgateway", gateway)
    daemon.wait_for_runs(1)
    daemon.write(tick(name="added"), "more.py")
    daemon.wait_for_runs(1, "added")
    file.write_text("this is no Python")
    wait_until(lambda: daemon.metric("synthetic_broken_files") == 1)
    before = daemon.runs("look")
    daemon.wait_for_runs(before + 2, "look", "passed")
    (said,) = [one["message"] for one in daemon.events(level="error")]
    assert "j.py:1: cannot be imported: SyntaxError" in said
    assert "what it held before stays on the schedule" in said
    daemon.write(look("500ms").replace('step("open")', 'step("open anew")'))
    wait_until(lambda: daemon.query("SELECT 1 FROM steps WHERE name = 'open anew'"))
    wait_until(lambda: daemon.metric("synthetic_broken_files") == 0)
    wait_until(lambda: 'journey="added"' in (get(f"{gateway}/metrics") or ""))
    (daemon.folder / "journeys" / "more.py").unlink()
    wait_until(lambda: 'journey="added"' not in (get(f"{gateway}/metrics") or ""))
    # A run that was under way goes on to its end.
    wait_until(lambda: daemon.query("SELECT 1 FROM slots WHERE journey = 'added' AND state = 'claimed'") == [])
    count = daemon.runs("added")
    daemon.wait_for_runs(daemon.runs("look") + 2, "look")
    assert daemon.runs("added") == count


@pytest.mark.thorough
def test_a_hangup_reads_the_journeys_again(daemon: Daemon) -> None:
    daemon.write("import os\nname = open('name').read().strip()\n@journey(every='500ms', name=name)\ndef f(step):\n    pass\n")
    (daemon.folder / "name").write_text("first")
    daemon.start()
    daemon.wait_for_runs(1, "first")
    (daemon.folder / "name").write_text("second")
    assert daemon.process
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_for_runs(1, "second")


@pytest.mark.thorough
@pytest.mark.parametrize("delete", ["yes", "no"])
def test_the_groups_stay_or_go_when_it_is_stopped(daemon: Daemon, gateway: str, delete: str) -> None:
    daemon.write(look("1s"))
    daemon.start("--pushgateway", gateway, JOURNEY_DELETE_GROUPS=delete)
    wait_until(lambda: 'journey="look"' in (get(f"{gateway}/metrics") or ""))
    assert daemon.stop() == 0
    assert ('journey="look"' in (get(f"{gateway}/metrics") or "")) is (delete == "no")


@pytest.mark.long
def test_once_runs_what_is_due_and_nothing_twice(daemon: Daemon) -> None:
    # Slots so far apart that none comes while the test runs, however long that takes.
    wrong = "@journey(cron='0 4 1 1 *')\ndef wrong(step):\n    with step('a'):\n        assert False, 'so it is'\n"
    daemon.write(look("3650d") + wrong)

    def saved() -> int:
        return len(list(daemon.folder.glob("runs/*/*/result.json")))

    ended = daemon.command("schedule", "--once", "--base-url", daemon.shop)
    assert (ended.returncode, saved()) == (1, 2), ended.stderr
    assert "wrong failed" in ended.stderr
    # What could not be stored in time on a busy machine is stored by this one before it looks for what is due.
    again = daemon.command("schedule", "--once", "--base-url", daemon.shop)
    assert (again.returncode, saved(), daemon.runs()) == (0, 2, 2), again.stderr


def test_the_list_shows_what_comes_next(daemon: Daemon) -> None:
    daemon.write(look("5m") + "@journey(cron='30 2 * * *', cron_timezone='Europe/Berlin')\ndef nightly(step):\n    pass\n")
    shown = daemon.here("schedule", "--list").stdout.splitlines()
    assert shown[0].split() == ["journey", "schedule", "next", "(UTC)", "then"]
    assert {line.split()[0] for line in shown[1:]} == {"look", "nightly"}
    assert any("30 2 * * * Europe/Berlin" in line for line in shown)
    assert not (daemon.folder / "runs").exists()


@pytest.mark.thorough
def test_a_second_scheduler_in_the_same_folder_is_refused(daemon: Daemon) -> None:
    daemon.write(look("1m"))
    daemon.start()
    second = daemon.command("schedule")
    assert second.returncode == 2
    assert "another scheduler uses" in second.stderr


@pytest.mark.parametrize(
    ("code", "words", "said"),
    [
        ("@journey\ndef f(step):\n    pass\n", (), "no journey has a schedule; give one every='5m'"),
        ("nonsense(", (), "cannot be imported: SyntaxError"),
        (
            "@journey(every='5m', cron='* * * * *')\ndef f(step):\n    pass\n",
            (),
            "options every and cron: both say when to run",
        ),
        ("@journey(cron='61 * * * *')\ndef f(step):\n    pass\n", (), "option cron: '61 * * * *' is not a cron expression"),
        ("@journey(every='5m')\ndef f(step):\n    pass\n", ("--listen", "nowhere"), "--listen: 'nowhere' is not an address"),
        ("@journey(every='5m')\ndef f(step):\n    pass\n", ("--log-format", "xml"), "choose text or json"),
        ("@journey(every='5m')\ndef f(step):\n    pass\n", ("--database", "mysql://x/y"), "is not the address of a database"),
        (
            "@journey(every='5m')\ndef f(step, secrets):\n    secrets['NOT_THERE']\n",
            (),
            "needs secret 'NOT_THERE', which is not set",
        ),
    ],
)
def test_what_cannot_be_scheduled_is_refused_with_what_to_do(
    daemon: Daemon, code: str, words: tuple[str, ...], said: str
) -> None:
    daemon.write(code)
    refused = daemon.here("schedule", *words)
    assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr


@pytest.mark.thorough
def test_a_port_that_is_taken_is_said(daemon: Daemon) -> None:
    daemon.write(look("1m"))
    taken = daemon.shop.removeprefix("http://")
    refused = daemon.command("schedule", "--listen", taken)
    assert refused.returncode == 2
    assert f"listen: {taken} cannot be listened on: Address already in use" in refused.stderr


@pytest.mark.thorough
def test_a_worker_is_replaced_after_its_runs_and_when_it_holds_too_much(daemon: Daemon) -> None:
    daemon.write(look("500ms") + "import os\n@journey(every='500ms')\ndef who(step):\n    print('worker', os.getpid())\n")
    daemon.start("--workers", "1", JOURNEY_WORKER_RUNS="2")
    daemon.wait_for_runs(6, status="passed")
    # The next one takes over when its browser is there.
    wait_until(lambda: len({line for line in daemon.log().splitlines() if line.startswith("worker ")}) >= 2)
    daemon.stop()
    daemon.start("--workers", "1", JOURNEY_WORKER_MEMORY="1MB")
    before = daemon.runs()
    daemon.wait_for_runs(before + 4, status="passed")


@pytest.mark.thorough
def test_old_runs_are_removed_and_stay_in_the_store(daemon: Daemon) -> None:
    daemon.write(tick())
    daemon.start(before="import runner.scheduler.watcher\nrunner.scheduler.watcher.PRUNE_PERIOD = 2", JOURNEY_KEEP_RUNS="3")
    daemon.wait_for_runs(8)
    wait_until(lambda: daemon.events(message="removed 2 old runs") or "old runs" in daemon.log())
    assert daemon.stop() == 0
    left = list(daemon.folder.glob("runs/tick/*"))
    assert 3 <= len(left) < 8 <= daemon.runs()


COUNTS = """
import gc, pathlib, threading, time
from runner.result import RunResult
def count():
    while True:
        if pathlib.Path("count").exists():
            gc.collect()
            # Nothing else may run while the list holds what other threads have half made: no byte of Python in between, and no
            # collection, whose finalizers are Python. A tuple that is held here cannot be finished there: a SystemError.
            gc.disable()
            held = list(map(type, gc.get_objects())).count(RunResult)
            gc.enable()
            pathlib.Path("new").write_text(str(held))
            pathlib.Path("new").rename("held")
        time.sleep(0.2)
threading.Thread(target=count, daemon=True).start()
"""


@pytest.mark.thorough
def test_a_daemon_does_not_remember_the_runs_that_it_has_stored(daemon: Daemon) -> None:
    daemon.write(look("500ms") + tick())
    daemon.start("--workers", "2", before=COUNTS)
    daemon.wait_for_runs(15)
    assert daemon.here("pause", "*").returncode == 0
    wait_until(lambda: daemon.metric("synthetic_paused") == 2)
    wait_until(lambda: daemon.metric("synthetic_running") == daemon.metric("synthetic_unstored_runs") == 0)
    # None is on its way now: only what each journey and each thread has seen last may be held.
    (daemon.folder / "count").touch()
    held = daemon.folder / "held"
    wait_until(lambda: held.exists() and int(held.read_text()) <= 5, "the daemon to hold no more than a few runs")
    assert daemon.stop() == 0
