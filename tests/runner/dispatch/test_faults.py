"""What is lost is noticed, what comes late or twice counts once, and no slot is run twice unless its first worker is lost.

Each test kills something for real, between a real scheduler, broker and worker.
"""

from collections.abc import Callable

import pytest

from tests.runner.dispatch.dispatching import check_ledger, held, let_go_on, start_dispatching, wait_until_begun
from tests.support.services.brokers import Broker, Kind
from tests.support.services.daemon import Daemon, tick
from tests.support.services.journey_worker import JourneyWorker
from tests.support.wait import wait_until

pytestmark = pytest.mark.thorough
QUICK = """
from runner.dispatch import health, in_flight
health.SILENT = in_flight.SILENT = 6.0
health.HEARTBEAT = 1.0
in_flight.LOST_AFTER, in_flight.MARGIN = 6.0, 2.0
"""
"""A scheduler that gives up sooner."""
QUICK_WORKER = """
from runner.dispatch import health
health.HEARTBEAT = 1.0
"""


@pytest.fixture(params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest, new_broker: Callable[[Kind], Broker]) -> Broker:
    """A broker of each kind."""
    return new_broker(request.param)


def test_a_worker_that_is_killed_in_a_run_is_lost_and_the_run_is_an_error_or_walked_again_and_says_so(
    daemon: Daemon, broker: Broker, new_worker: Callable[..., JourneyWorker]
) -> None:
    daemon.write(held(daemon))
    first, second = new_worker(broker), new_worker(broker)
    first.start(before=QUICK_WORKER)
    start_dispatching(daemon, broker, before=QUICK)
    wait_until_begun(daemon)
    second.start(before=QUICK_WORKER)
    first.kill()
    if broker.kind == "rabbitmq":
        # It notices at once that the connection is gone, and the next worker gets the run.
        wait_until_begun(daemon, 2)
        let_go_on(daemon)
        daemon.wait_for_runs(1, status="passed")
        ((notes,),) = daemon.query("SELECT notes FROM runs")
        assert "was lost or cut off while it was under way" in notes
    else:
        daemon.wait_for_runs(1, status="error")
        ((message,),) = daemon.query("SELECT failure_message FROM runs")
        assert "was not heard of for" in message
    check_ledger(daemon)
    assert daemon.runs() == 1


def test_a_scheduler_that_is_killed_takes_in_the_result_at_its_next_start(
    daemon: Daemon, broker: Broker, new_worker: Callable[..., JourneyWorker]
) -> None:
    daemon.write(held(daemon))
    worker = new_worker(broker)
    worker.start(before=QUICK_WORKER)
    start_dispatching(daemon, broker, before=QUICK)
    wait_until_begun(daemon)
    daemon.kill()
    let_go_on(daemon)
    wait_until(lambda: list(worker.folder.glob("runs/held/*/result.json")), "the run has ended")
    start_dispatching(daemon, broker, before=QUICK)
    daemon.wait_for_runs(1, status="passed")
    check_ledger(daemon)
    assert daemon.runs() == 1
    assert (daemon.folder / "began").read_text() == "x", "it was walked once"


def test_a_scheduler_that_is_stopped_leaves_a_run_to_its_worker_and_takes_it_in_later(
    daemon: Daemon, broker: Broker, new_worker: Callable[..., JourneyWorker]
) -> None:
    daemon.write(held(daemon))
    worker = new_worker(broker)
    worker.start(before=QUICK_WORKER)
    start_dispatching(daemon, broker, before=QUICK + "\nfrom runner.cli import stop_signals\nstop_signals.STOP_WITHIN = 1.0\n")
    wait_until_begun(daemon)
    assert daemon.stop() == 0
    assert daemon.runs() == 0
    let_go_on(daemon)
    start_dispatching(daemon, broker, before=QUICK)
    daemon.wait_for_runs(1, status="passed")
    check_ledger(daemon)


@pytest.mark.parametrize("keep_disk", [True, False], ids=["with its disk", "without its disk"])
def test_a_broker_that_is_killed_loses_no_result_and_runs_go_on(
    keep_disk: bool, daemon: Daemon, broker: Broker, new_worker: Callable[..., JourneyWorker]
) -> None:
    daemon.write(held(daemon) + tick("2s"))
    worker = new_worker(broker)
    worker.start("--concurrency", "2", before=QUICK_WORKER)
    start_dispatching(daemon, broker, before=QUICK, JOURNEY_MAX_DELAY="20s")
    wait_until_begun(daemon)
    daemon.wait_for_runs(1, "tick", "passed")
    broker.kill(keep_disk)
    let_go_on(daemon)
    wait_until(lambda: list(worker.folder.glob("runs/held/*/result.json")), "the run has ended")
    broker.start()
    daemon.wait_for_runs(1, "held", seconds=120)
    before = daemon.runs("tick", "passed")
    daemon.wait_for_runs(before + 2, "tick", "passed", seconds=120)
    wait_until(lambda: daemon.runs("held", "passed") == 1, "the result takes the place of what was said meanwhile", 120)
    check_ledger(daemon)
    assert daemon.runs("held") == 1
    assert (daemon.folder / "began").read_text() == "x", "it was walked once"


def test_a_worker_that_is_stopped_ends_its_run_and_takes_no_more(
    daemon: Daemon, broker: Broker, new_worker: Callable[..., JourneyWorker]
) -> None:
    daemon.write(held(daemon) + tick("2s"))
    first, second = new_worker(broker), new_worker(broker)
    first.start("--concurrency", "1", before=QUICK_WORKER)
    start_dispatching(daemon, broker, before=QUICK)
    wait_until_begun(daemon)
    assert first.process
    first.process.terminate()
    second.start("--concurrency", "1", before=QUICK_WORKER)
    daemon.wait_for_runs(1, "tick", "passed", 90)
    let_go_on(daemon)
    daemon.wait_for_runs(1, "held", "passed")
    assert first.process.wait(60) == 0
    check_ledger(daemon)


def test_a_location_that_is_lost_and_comes_back_is_up_again(
    daemon: Daemon, broker: Broker, new_worker: Callable[..., JourneyWorker]
) -> None:
    daemon.write(tick("2s"))
    worker = new_worker(broker)
    worker.start(before=QUICK_WORKER)
    start_dispatching(daemon, broker, before=QUICK, JOURNEY_MAX_DELAY="1s")
    daemon.wait_for_runs(1)
    worker.kill()
    wait_until(lambda: 'synthetic_location_up{location="frankfurt"} 0.0' in daemon.exposition(), "down", 180)
    wait_until(lambda: daemon.query("SELECT 1 FROM slots WHERE reason = 'no worker'"))
    worker.start(before=QUICK_WORKER)
    before = daemon.runs(status="passed")
    daemon.wait_for_runs(before + 1, status="passed")
    assert daemon.runs(status="failed") == 0
    check_ledger(daemon)


@pytest.mark.parametrize("ahead", [30, -30])
def test_clocks_that_are_apart_make_no_run_late(
    ahead: int, daemon: Daemon, new_broker: Callable[[Kind], Broker], new_worker: Callable[..., JourneyWorker]
) -> None:
    broker = new_broker("redis")
    daemon.write(tick("2s"))
    worker = new_worker(broker)
    clock = f"""
import time
from datetime import datetime
from runner.dispatch.worker import program
real = time.time
class Ahead(datetime):
    @classmethod
    def now(cls, zone=None):
        return datetime.fromtimestamp(real() + {ahead}, zone)
program.datetime = Ahead
time.time = lambda: real() + {ahead}
"""
    worker.start(before=QUICK_WORKER + clock)
    start_dispatching(daemon, broker, before=QUICK, JOURNEY_MAX_DELAY="10s")
    daemon.wait_for_runs(3, status="passed")
    notes = "".join(one for (one,) in daemon.query("SELECT notes FROM runs"))
    assert ("30 s ahead of" if ahead > 0 else "30 s behind") in notes
    assert daemon.runs(status="cancelled") == 0
    check_ledger(daemon)


def test_a_worker_of_another_version_refuses_and_says_why(
    daemon: Daemon, new_broker: Callable[[Kind], Broker], new_worker: Callable[..., JourneyWorker]
) -> None:
    broker = new_broker("redis")
    daemon.write(tick("24h"))
    worker = new_worker(broker)
    # Its own messages are of the old form, as only what comes is compared.
    worker.start(before=QUICK_WORKER + "\nfrom runner.dispatch import messages\nmessages.UNDERSTOOD = frozenset({0})\n")
    start_dispatching(daemon, broker, before=QUICK)
    daemon.wait_for_runs(1, status="error")
    ((message,),) = daemon.query("SELECT failure_message FROM runs")
    assert "refused the run: its messages are of protocol 1" in message


def test_two_schedulers_share_a_broker_and_each_result_is_stored_once(
    new_daemon: Callable[[str], Daemon],
    postgres_copy: Callable[[], str],
    new_broker: Callable[[Kind], Broker],
    new_worker: Callable[..., JourneyWorker],
) -> None:
    broker, url = new_broker("rabbitmq"), postgres_copy()
    worker = new_worker(broker)
    worker.start(before=QUICK_WORKER)
    both = [new_daemon("one"), new_daemon("two")]
    for one in both:
        one.write(tick("1s"))
        start_dispatching(one, broker, before=QUICK, JOURNEY_DATABASE=url)
    from runner.store import Store

    with Store(url) as store:
        wait_until(lambda: store.count(status="passed") >= 8, "runs", 120)
        for one in both:
            assert one.stop() == 0
        wait_until(lambda: store.slots.count_by_state("tick").get("claimed", 0) <= 2)
        states = store.slots.count_by_state("tick")
        assert states["done"] == store.count()
        assert store.count(status="error") == 0
