"""A location whose network is cut off, and which comes back: minutes are seconds here."""

from collections.abc import Callable

import pytest

from tests.runner.dispatch.dispatching import check_ledger, held, let_go_on, start_dispatching, wait_until_begun
from tests.runner.dispatch.test_faults import QUICK, QUICK_WORKER
from tests.support.services.brokers import Broker, Kind
from tests.support.services.cut_off import CutOff
from tests.support.services.daemon import Daemon, tick
from tests.support.services.journey_worker import JourneyWorker
from tests.support.wait import wait_until

pytestmark = pytest.mark.thorough


def test_a_location_that_is_cut_off_goes_on_with_its_run_and_the_result_counts_when_it_is_back(
    daemon: Daemon, new_broker: Callable[[Kind], Broker], new_worker: Callable[..., JourneyWorker], cut_off: CutOff
) -> None:
    broker = new_broker("redis")
    # It is under way for as long as the location is cut off.
    daemon.write(held(daemon).replace('every="24h"', 'every="24h", timeout="20m"') + tick("2s"))
    worker = new_worker(broker)
    cut_off.put(worker, broker)
    worker.start("--concurrency", "2", before=QUICK_WORKER, ready=False)
    start_dispatching(daemon, broker, before=QUICK, JOURNEY_MAX_DELAY="5s")
    wait_until_begun(daemon)
    daemon.wait_for_runs(1, "tick", "passed")
    cut_off.cut()
    daemon.wait_for_runs(1, "held", "error")
    wait_until(lambda: 'synthetic_location_up{location="frankfurt"} 0.0' in daemon.exposition(), "down", 180)
    wait_until(lambda: daemon.query("SELECT 1 FROM slots WHERE reason = 'no worker'"), "slots are missed", 90)
    let_go_on(daemon)
    wait_until(lambda: list(worker.folder.glob("runs/held/*/result.json")), "the run has ended there")
    cut_off.connect()
    wait_until(lambda: daemon.runs("held", "passed") == 1, "the result takes the place of what was said meanwhile", 180)
    before = daemon.runs("tick", "passed")
    daemon.wait_for_runs(before + 2, "tick", "passed", 120)
    wait_until(lambda: daemon.metric("synthetic_location_up", location="frankfurt") == 1, "up", 120)
    check_ledger(daemon)
    assert daemon.runs("held") == 1
    assert daemon.runs(status="failed") == 0, "no site fails"
    assert (daemon.folder / "began").read_text() == "x", "it was walked once"
