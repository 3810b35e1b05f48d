"""A scheduler whose runs are made by a worker elsewhere, with a real broker between them."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from runner.store import Store
from runner.store.queries.requested_runs import read_events
from runner.store.scheduling.requested_runs import RunRequest
from tests.runner.dispatch.dispatching import check_ledger, held, let_go_on, start_dispatching, wait_until_begun
from tests.support.requested_runs import ask, events, results
from tests.support.services.brokers import Broker, Kind
from tests.support.services.daemon import Daemon, tick
from tests.support.services.journey_worker import JourneyWorker
from tests.support.wait import wait_until

NEEDS_SECRET = """
@journey(every="24h")
def signs_in(step, secrets):
    with step("sign in"):
        assert secrets["SHOP_PASSWORD"].reveal() == "oolong-tea"
"""


def lines(store: Store, request: RunRequest) -> list[str]:
    with store.snapshot() as connection:
        return [data for _, _, data in read_events(connection, {run.id: 0 for run in request.runs})]


@pytest.mark.long
def test_runs_are_made_by_the_worker_of_their_location_and_taken_in_once(
    daemon: Daemon, new_broker: Callable[[Kind], Broker], new_worker: Callable[..., JourneyWorker]
) -> None:
    broker = new_broker("redis")
    daemon.write(tick("1s"))
    worker = new_worker(broker)
    worker.start()
    start_dispatching(daemon, broker)
    daemon.wait_for_runs(3, status="passed")
    assert daemon.query("SELECT DISTINCT location FROM runs") == [("frankfurt",)]
    wait_until(lambda: daemon.metric("synthetic_location_up", location="frankfurt") == 1)
    assert daemon.stop() == 0
    assert worker.stop() == 0
    check_ledger(daemon)
    states = dict(daemon.query("SELECT state, count(*) FROM slots GROUP BY state"))
    assert states["done"] == daemon.runs() >= 3
    assert daemon.query("SELECT count(*) FROM runs WHERE delay_seconds IS NULL") == [(0,)]
    for said in (daemon.log(), worker.log()):
        assert broker.password not in said


@pytest.mark.thorough
def test_a_scheduler_needs_no_secret_and_a_location_without_it_says_which(
    daemon: Daemon, new_broker: Callable[[Kind], Broker], new_worker: Callable[..., JourneyWorker]
) -> None:
    broker = new_broker("redis")
    daemon.write(NEEDS_SECRET)
    lacking, having = new_worker(broker, "oregon"), new_worker(broker, "frankfurt")
    lacking.start()
    having.start(JOURNEY_SECRET_SHOP_PASSWORD="oolong-tea")
    start_dispatching(daemon, broker, "oregon")
    daemon.wait_for_runs(1, status="error")
    ((kind, message),) = daemon.query("SELECT failure_kind, failure_message FROM runs")
    assert kind == "monitor"
    assert (
        "secret 'SHOP_PASSWORD' is not set at oregon; set it in the environment variable JOURNEY_SECRET_SHOP_PASSWORD"
        in message
    )
    daemon.stop()
    start_dispatching(daemon, broker, "frankfurt")
    daemon.wait_for_runs(1, status="passed")
    check_ledger(daemon)


@pytest.mark.thorough
def test_steps_of_a_requested_run_are_seen_while_a_worker_makes_it(
    daemon: Daemon, new_broker: Callable[[Kind], Broker], new_worker: Callable[..., JourneyWorker]
) -> None:
    broker = new_broker("redis")
    daemon.write(
        tick("24h") + held(daemon).replace('with step("wait")', 'with step("open"):\n        pass\n    with step("wait")')
    )
    new_worker(broker).start()
    start_dispatching(daemon, broker)
    with Store(f"sqlite:///{daemon.folder / 'runs' / 'journeys.db'}") as store:
        wait_until_begun(daemon)
        let_go_on(daemon)
        daemon.wait_for_runs(1, "held", status="passed")
        (daemon.folder / "goes-on").unlink()
        request = ask(store, "held", location="frankfurt")
        wait_until(lambda: '"name":"wait"' in events(store, request), "the second step has begun", 60)
        assert [json.loads(one)["type"] for one in lines(store, request)] == [
            "RunStarted", "AttemptStarted", "StepStarted", "StepEnded", "StepStarted",
        ]  # fmt: skip
        assert results(store, request) == {}
        let_go_on(daemon)
        wait_until(lambda: results(store, request) != {}, "the result", 60)


@pytest.mark.thorough
def test_a_requested_run_that_another_scheduler_has_taken_over_is_followed_on(
    daemon: Daemon, new_broker: Callable[[Kind], Broker], new_worker: Callable[..., JourneyWorker]
) -> None:
    broker = new_broker("redis")
    last = "    with step('last'):\n        while not Path({folder!r}, 'ends').exists():\n            time.sleep(0.05)\n"
    daemon.write(tick("24h") + held(daemon) + last.format(folder=str(daemon.folder)))
    new_worker(broker).start()
    start_dispatching(daemon, broker)
    with Store(f"sqlite:///{daemon.folder / 'runs' / 'journeys.db'}") as store:
        wait_until_begun(daemon)
        let_go_on(daemon)
        ends = daemon.folder / "ends"
        ends.touch()
        daemon.wait_for_runs(1, "held", status="passed")
        (daemon.folder / "goes-on").unlink()
        ends.unlink()
        request = ask(store, "held", location="frankfurt")
        wait_until(lambda: '"name":"wait"' in events(store, request), "the step has begun", 60)
        daemon.kill()
        start_dispatching(daemon, broker)
        wait_until(lambda: any("had begun it is gone" in one["message"] for one in daemon.events()), "it is taken over", 60)
        let_go_on(daemon)
        wait_until(lambda: '"name":"last"' in events(store, request), "the last step has begun", 60)
        assert [json.loads(one)["type"] for one in lines(store, request)] == [
            "RunStarted", "AttemptStarted", "StepStarted", "StepEnded", "StepStarted",
        ]  # fmt: skip
        ends.touch()
        wait_until(lambda: results(store, request) != {}, "the result", 60)


@pytest.mark.thorough
def test_slots_of_a_location_without_workers_are_missed_and_no_site_fails(
    daemon: Daemon, new_broker: Callable[[Kind], Broker], new_worker: Callable[..., JourneyWorker]
) -> None:
    broker = new_broker("redis")
    daemon.write(tick("2s"))
    start_dispatching(daemon, broker, JOURNEY_MAX_DELAY="1s")
    wait_until(lambda: daemon.query("SELECT 1 FROM slots WHERE state = 'missed' AND reason = 'no worker'"))
    assert daemon.runs() == 0
    wait_until(lambda: 'synthetic_location_up{location="frankfurt"} 0.0' in daemon.exposition(), "down", 180)
    worker = new_worker(broker)
    worker.start()
    daemon.wait_for_runs(1, status="passed")
    wait_until(lambda: daemon.metric("synthetic_location_up", location="frankfurt") == 1, "up", 60)


def test_nothing_of_celery_is_imported_where_runs_are_made_here() -> None:
    names = "runner.cli.all_commands, runner.scheduler.daemon, runner.workers.pool, runner.cli.operating.worker"
    program = f"import sys, {names}; print([one for one in sys.modules if one.partition('.')[0] in ('celery', 'kombu', 'redis', 'amqp')])"
    answer = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"
