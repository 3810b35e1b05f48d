"""Celery's own part of a worker: it takes orders from the queue of its location while there is room for them, in a thread of its own."""

import logging
import os
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from celery import Celery


class CeleryThread:
    """The thread; `queue` is the name of the queue of a location, and `name` that of the worker."""

    def __init__(self, app: "Celery", name: str, queue: str, concurrency: int) -> None:
        self._app = app
        self._name = name
        self._queue = queue
        self._concurrency = concurrency
        self._controller: Any = None
        self._thread = threading.Thread()

    def start(self) -> None:
        """Starts it, also again after it has ended."""
        self._controller = self._make_controller()
        self._thread = threading.Thread(target=self._controller.start, name="celery", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether it takes orders, or tries to."""
        return self._thread.is_alive()

    @property
    def open_tasks(self) -> int:
        """The number of orders that it has and that are not done with."""
        count: int = self._controller.pool.open_tasks
        return count

    def take_no_more(self) -> None:
        """Gives up the queue; the messages that the broker has sent meanwhile go back to it with the connection."""
        self._controller.pool.call_soon(self._leave_queue)

    def end(self, timeout: float) -> None:
        """Ends it, and waits for that so many seconds."""
        from celery.worker import state

        state.should_stop = os.EX_OK
        self._thread.join(timeout)
        state.should_stop = None

    def _leave_queue(self) -> None:
        consumer = self._controller.consumer
        if consumer is not None and consumer.task_consumer is not None:
            consumer.cancel_task_queue(self._queue)

    def _make_controller(self) -> Any:
        from kombu.asynchronous import set_event_loop

        from runner.dispatch.worker.celery_task_pool import TaskPool
        from runner.dispatch.worker.remote_control import forget_other_commands

        forget_other_commands()
        # Of its own: that of a controller which has ended with an error still has its connections.
        set_event_loop(None)
        for quiet in ("celery", "kombu", "amqp"):
            logging.getLogger(quiet).setLevel(logging.WARNING)
        # It warns of each run that is revoked: there is no result backend, on purpose.
        logging.getLogger("celery.worker.control").setLevel(logging.ERROR)
        return self._app.WorkController(
            app=self._app,
            concurrency=self._concurrency,
            hostname=self._name,
            pool=TaskPool,
            loglevel="WARNING",
            without_gossip=True,
            without_heartbeat=True,
            without_mingle=False,
        )
