"""Checks on the schedule, without a browser on the machine."""

from tests.support.services.daemon import Daemon
from tests.support.wait import wait_until

CHECKS = """
from runner import check

@check(every="500ms", tags=["edge"])
def answers(http):
    http.get("/", status=200)

@check(every="500ms", retries=1)
def refused(tcp):
    tcp.connect("127.0.0.1:1")
"""


def test_checks_run_at_their_slots_without_a_browser_and_are_stored_and_counted(daemon: Daemon) -> None:
    daemon.write(CHECKS)
    daemon.start("--browser-path", "/nowhere/chromium")
    daemon.wait_for_runs(3, "answers")
    daemon.wait_for_runs(3, "refused")
    wait_until(lambda: daemon.metric("synthetic_runs_total", journey="answers", status="passed") >= 3)
    wait_until(lambda: daemon.metric("synthetic_runs_total", journey="refused", status="failed") >= 3)
    wait_until(lambda: daemon.metric("synthetic_phase_seconds", journey="answers", step="GET /", phase="connect") > 0)
    assert daemon.here("pause", "refused", "--reason", "known").returncode == 0
    assert not [one for one in daemon.tree() if "playwright" in " ".join(one.cmdline())]
    assert daemon.stop() == 0
    assert daemon.query("SELECT DISTINCT attempts, failure_kind FROM runs WHERE journey = 'refused'") == [(2, "navigation")]
    assert [one["message"] for one in daemon.events(level="info") if "with no browser" in one["message"]]
    assert daemon.left_over() == []
