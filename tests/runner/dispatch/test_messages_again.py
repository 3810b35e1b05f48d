"""Messages that a real broker delivers twice, late, or out of order."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from runner.archive.archive import Archive
from runner.dispatch.broker.application import TASK, Names, make_app, news_exchange, results_queue, runs_queue
from runner.dispatch.messages import Begun, Ended, write_message
from runner.settings.load_settings import load_settings
from tests.runner.dispatch.dispatching import held, let_go_on, start_dispatching, wait_until_begun
from tests.runner.dispatch.test_faults import QUICK, QUICK_WORKER
from tests.support.services.brokers import Broker, Kind
from tests.support.services.daemon import Daemon
from tests.support.services.journey_worker import JourneyWorker
from tests.support.wait import wait_until

pytestmark = pytest.mark.thorough
NOTES_ORDERS = """
from pathlib import Path
from runner.dispatch.worker import program
run_task = program.WorkerProgram._run_task
def noted(self, task, content):
    Path({folder!r}, "orders").open("a").write(content + "\\n")
    return run_task(self, task, content)
program.WorkerProgram._run_task = noted
"""


class Client:
    """The test's own connection to a broker."""

    def __init__(self, broker: Broker, daemon: Daemon) -> None:
        variables = {"JOURNEY_BROKER": broker.url, "JOURNEY_BROKER_PASSWORD": broker.password}
        self._settings = load_settings(daemon.folder, {}, variables)
        self._names = Names(self._settings.queue_prefix)
        self._app = make_app(self._settings)

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        with self._app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=3, timeout=20)
            yield connection

    def send_result(self, ended: Ended) -> None:
        """Puts a result into its queue."""
        queue = results_queue(self._names)
        with self._connected() as connection:
            connection.Producer().publish(
                write_message(ended, ended.worker),
                exchange=queue.exchange,
                routing_key=queue.routing_key,
                declare=[queue],
                content_type="application/json",
                content_encoding="utf-8",
            )

    def send_news(self, begun: Begun) -> None:
        """Says to all who listen that a run has begun."""
        exchange = news_exchange(self._names)
        with self._connected() as connection:
            connection.Producer().publish(
                write_message(begun, begun.worker),
                exchange=exchange,
                declare=[exchange],
                content_type="application/json",
                content_encoding="utf-8",
            )

    def send_order(self, content: str, run: str) -> None:
        """Puts an order into the queue of its location."""
        with self._connected() as connection:
            self._app.send_task(
                TASK,
                args=[content],
                task_id=run,
                queue=runs_queue(self._names, "frankfurt"),
                connection=connection,
                retry=False,
                ignore_result=True,
            )

    def waiting(self) -> int:
        """The results that nobody has acknowledged, as far as the broker shows them."""
        with self._connected() as connection:
            try:
                answer = results_queue(self._names)(connection.channel()).queue_declare(passive=True)
            except connection.channel_errors:
                return 0  # In Redis a queue that is empty does not exist.
            return int(answer.message_count)


@pytest.fixture(params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest, new_broker: Callable[[Kind], Broker]) -> Broker:
    """A broker of each kind."""
    return new_broker(request.param)


def test_results_and_orders_that_come_again_late_and_out_of_order_count_once(
    daemon: Daemon, broker: Broker, new_worker: Callable[..., JourneyWorker]
) -> None:
    daemon.write(held(daemon))
    worker = new_worker(broker)
    worker.start(before=QUICK_WORKER + NOTES_ORDERS.format(folder=str(daemon.folder)))
    start_dispatching(daemon, broker, before=QUICK)
    wait_until_begun(daemon)
    client = Client(broker, daemon)
    order = (daemon.folder / "orders").read_text().strip()
    ((run,),) = daemon.query("SELECT run_id FROM slots WHERE state = 'claimed'")
    client.send_order(order, run)  # while it is under way: it waits for its turn
    let_go_on(daemon)
    daemon.wait_for_runs(1, status="passed")
    archive = Archive(worker.folder / "runs")
    folder = archive.folder_of(run)
    assert folder is not None
    saved = archive.read(folder)
    assert saved is not None
    result = saved.result
    client.send_news(Begun(run=run, worker="somebody"))  # after its result
    client.send_result(Ended(result=result, worker="somebody"))  # twice
    client.send_result(Ended(result=replace(result, status="failed"), worker="somebody"))  # late, with another verdict
    client.send_order(order, run)  # after its end
    # What is last in the queue is taken in last: then all before it was.
    late = replace(result, id="019e0000-0000-7000-8000-000000000000", slot_at=None)
    client.send_result(Ended(result=late, worker="somebody"))
    daemon.wait_for_runs(2, status="passed")
    wait_until(lambda: client.waiting() == 0, "all are acknowledged")
    wait_until(lambda: len((daemon.folder / "orders").read_text().splitlines()) == 3, "the last order")
    assert daemon.stop() == 0
    assert worker.stop() == 0
    assert daemon.query(f"SELECT status FROM runs WHERE id = '{run}'") == [("passed",)]
    assert (daemon.folder / "began").read_text() == "x", "it was walked once"
    assert daemon.query("SELECT sum(passed), sum(failed) FROM run_days") == [(2, 0)]
    assert daemon.query("SELECT state, count(*) FROM slots GROUP BY 1") == [("done", 1)]
