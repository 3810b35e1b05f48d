"""A scheduler whose runs are made by a worker elsewhere, with a real broker between them."""

from collections.abc import Callable

from tests.support.services.brokers import Broker, Kind
from tests.support.services.daemon import Daemon, tick
from tests.support.services.journey_worker import JourneyWorker
from tests.support.wait import wait_until


def dispatching(broker: Broker, location: str = "frankfurt", **more: str) -> dict[str, str]:
    """The variables of a scheduler that sends its runs."""
    return {
        "JOURNEY_DISPATCH": "celery",
        "JOURNEY_BROKER": broker.url,
        "JOURNEY_BROKER_PASSWORD": broker.password,
        "JOURNEY_LOCATION": location,
        **more,
    }


def test_runs_are_made_by_the_worker_of_their_location_and_taken_in_once(
    daemon: Daemon, new_broker: Callable[[Kind], Broker], new_worker: Callable[..., JourneyWorker]
) -> None:
    broker = new_broker("redis")
    daemon.write(tick("1s"))
    worker = new_worker(broker)
    worker.start()
    daemon.start(**dispatching(broker))
    daemon.wait_for_runs(3, status="passed")
    assert daemon.query("SELECT DISTINCT location FROM runs") == [("frankfurt",)]
    wait_until(lambda: daemon.metric("synthetic_location_up", location="frankfurt") == 1)
    assert daemon.stop() == 0
    assert worker.stop() == 0
    states = dict(daemon.query("SELECT state, count(*) FROM slots GROUP BY state"))
    assert states["done"] == daemon.runs() >= 3
    assert daemon.query("SELECT run_id FROM slots WHERE state = 'done' GROUP BY run_id HAVING count(*) > 1") == []
    delays = [delay for (delay,) in daemon.query("SELECT delay_seconds FROM runs")]
    assert all(delay is not None for delay in delays)
    for said in (daemon.log(), worker.log()):
        assert broker.password not in said
