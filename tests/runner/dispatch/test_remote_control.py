"""Which commands a worker obeys that come over the broker."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runner.dispatch.broker.application import make_app
from runner.settings.load_settings import load_settings
from tests.support.services.brokers import Broker, Kind
from tests.support.services.journey_worker import JourneyWorker
from tests.support.wait import wait_until


@pytest.mark.thorough
def test_a_worker_obeys_what_schedulers_need_and_nothing_else(
    tmp_path: Path, new_broker: Callable[[Kind], Broker], new_worker: Callable[..., JourneyWorker]
) -> None:
    broker = new_broker("redis")
    worker = new_worker(broker)
    worker.start()
    app = make_app(load_settings(tmp_path, {}, {"JOURNEY_BROKER": broker.url, "JOURNEY_BROKER_PASSWORD": broker.password}))
    question = {"from_node": "a-test", "revoked": {}}
    with app.connection_for_write() as connection:

        def answers() -> bool:
            found = app.control.broadcast("hello", arguments=question, connection=connection, reply=True, timeout=2, limit=1)
            return bool(found)

        # It listens for commands a moment after it takes runs.
        wait_until(answers, "the worker listens for commands", 60)
        for command in ("shutdown", "pool_shrink", "cancel_consumer"):
            app.control.broadcast(command, arguments={"n": 1, "queue": "journey.runs.frankfurt"}, connection=connection)
        # Commands are handled in their order.
        wait_until(answers, "an answer after the commands", 60)
    assert worker.process is not None
    assert worker.process.poll() is None
    assert worker.ready()
    assert "Celery has ended" not in worker.log()
    assert worker.stop() == 0, worker.log()
