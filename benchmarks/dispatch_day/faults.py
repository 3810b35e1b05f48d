"""What is done to the parts of the monitor: each fault has a target, begins, and is healed after a while."""

from collections.abc import Callable
from contextlib import suppress
from random import Random
from shutil import rmtree
from typing import Any

import psutil
from msgspec import Struct

from benchmarks.dispatch_day.ledger import read_notes, read_worker_results
from benchmarks.dispatch_day.monitor import Monitor
from runner.bundles.make_bundle import PLACE
from runner.dispatch.broker.application import TASK, Names, make_app, results_queue, runs_queue
from runner.dispatch.messages import Ended, RunOrder, read_message, write_message
from tests.support.services.journey_worker import JourneyWorker


class Fault(Struct, frozen=True):
    """A fault; `target` is what it hurts: two with the same target are never at the same time."""

    name: str
    target: str
    begin: Callable[[], None]
    heal: Callable[[], None] = lambda: None
    longest: float = 25.0
    """Seconds after which it is healed at the latest."""


def freeze(process: int, stop: bool) -> None:
    """Stops a process and all that it has started, or has them continue."""
    first = psutil.Process(process)
    for one in [first, *first.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            one.suspend() if stop else one.resume()


class Faults:
    """All faults of a monitor; `random` decides which worker and which message it is."""

    def __init__(self, monitor: Monitor, random: Random) -> None:
        self._monitor = monitor
        self._random = random
        self.sent_again: set[str] = set()
        """Runs whose orders were put into their queue a second time."""

    def draw(self, busy: frozenset[str]) -> Fault | None:
        """One of those whose target is not hurt already."""
        free = [one for one in self._all() if one.target not in busy]
        return self._random.choice(free) if free else None

    def _all(self) -> list[Fault]:
        monitor = self._monitor
        worker = self._random.choice(monitor.workers)
        name = worker.folder.name
        faults = [
            Fault("worker killed", name, worker.kill, lambda: monitor.start_worker(worker), 45.0),
            self._stopped("worker stopped", name, lambda: pid(worker), 45.0),
            Fault("scheduler killed", "scheduler", monitor.scheduler.kill, monitor.start_scheduler),
            self._stopped("scheduler stopped", "scheduler", lambda: pid(monitor.scheduler)),
            Fault("broker killed", "broker", monitor.broker.kill, monitor.broker.start),
            self._stopped("broker stopped", "broker", lambda: monitor.broker.process),
            Fault("storage killed", "storage", monitor.storage.kill, monitor.storage.start),
            self._stopped("storage stopped", "storage", lambda: monitor.storage.process),
            Fault("result sent again", "broker", self._send_result_again),
            Fault("order sent again", "broker", self._send_order_again),
            Fault("bundle tampered with", name, lambda: self._tamper(worker), self._repair, 8.0),
        ]
        if monitor.cluster is not None:
            faults.append(Fault("PostgreSQL killed", "database", monitor.cluster.kill, monitor.cluster.start))
        return faults

    @staticmethod
    def _stopped(name: str, target: str, process: Callable[[], int], longest: float = 25.0) -> Fault:
        return Fault(name, target, lambda: freeze(process(), True), lambda: freeze(process(), False), longest)

    def _send_result_again(self) -> None:
        """A result that a worker has made, once more, however long ago it came."""
        made = [one for worker in self._monitor.workers for one in read_worker_results(worker)]
        if not made:
            return
        result = self._random.choice(made)
        content = write_message(
            Ended(result=result, worker="again", redelivered=True), "again", self._monitor.settings.bundle_key
        )
        queue = results_queue(Names(self._monitor.settings.queue_prefix))

        def publish(_: Any, connection: Any) -> None:
            connection.Producer().publish(
                content,
                exchange=queue.exchange,
                routing_key=queue.routing_key,
                declare=[queue],
                content_type="application/json",
                content_encoding="utf-8",
            )

        self._publish(publish)

    def _send_order_again(self) -> None:
        """One of the newest orders, once more, for whichever worker gets it."""
        orders = [str(one["order"]) for one in read_notes(self._monitor) if "order" in one]
        if not orders:
            return
        content = self._random.choice(orders[-20:])
        order = read_message(content, self._monitor.settings.bundle_key)
        assert isinstance(order, RunOrder)
        self.sent_again.add(order.run)
        queue = runs_queue(Names(self._monitor.settings.queue_prefix), order.plan.location)
        self._publish(
            lambda app, connection: app.send_task(
                TASK, args=[content], task_id=order.run, queue=queue, connection=connection, retry=False, ignore_result=True
            )
        )

    def _publish(self, publish: Callable[[Any, Any], object]) -> None:
        app = make_app(self._monitor.settings)
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=3, timeout=20)
            publish(app, connection)

    def _tamper(self, worker: JourneyWorker) -> None:
        """Changes the bundles in the storage, and starts a worker that has none in its cache."""
        storage = self._monitor.storage.storage
        worker.kill()
        for key in [one for one in storage.sizes(PLACE) if one.endswith(".tar.gz")]:
            content = storage.read(key)
            middle = len(content) // 2
            self._monitor.storage.kept[key] = content
            storage.delete([key])
            storage.put(key, content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :])
        rmtree(worker.folder / "runs" / PLACE, ignore_errors=True)
        self._monitor.start_worker(worker)

    def _repair(self) -> None:
        storage = self._monitor.storage.storage
        for key, content in self._monitor.storage.kept.items():
            storage.delete([key])
            storage.put(key, content)
        self._monitor.storage.kept.clear()


def pid(part: Any) -> int:
    """Of the process of a scheduler or a worker."""
    assert part.process
    return int(part.process.pid)
