"""A scheduler's connection that sends, in a thread, which connects again when it has to.

What is to be sent waits in order while the broker is away, up to a bound; the loop of the scheduler never waits for it.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice, takewhile
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from runner.dispatch.broker.address import BrokerAddress
from runner.dispatch.broker.application import TASK, Names, news_exchange, runs_queue
from runner.dispatch.broker.publisher import AT_ONCE, Parcel, Publisher
from runner.dispatch.messages import Clock, Taken, write_message
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from celery import Celery
    from kombu import Connection

PAUSE = 1.0
"""Seconds between two tries to connect."""
MOST_WAITING = 50_000
"""Messages that wait for the broker; when there are more, the oldest are dropped: their runs are given up when they are due."""
CLOCK_EVERY = 10.0
"""Seconds between two messages to all workers that say what time it is here."""
log = logging.getLogger("journey.dispatch")


class SendRun(Struct, frozen=True):
    """An order to be put into the queue of a location."""

    run: str
    location: str
    content: str


class SayTaken(Struct, frozen=True):
    """Runs whose results were taken in: the other schedulers are to hear of it."""

    runs: tuple[str, ...]


class Revoke(Struct, frozen=True):
    """Runs that no worker is to begin any more."""

    runs: tuple[str, ...]


Sendable = SendRun | SayTaken | Revoke


class Sender:
    """Sends in a thread, in order. What waits is sent together, up to the next message that takes runs back."""

    def __init__(self, app: "Celery", settings: Settings, name: str, clock: Callable[[], float] = time.time) -> None:
        self._app = app
        self._name = name
        self._key = settings.bundle_key
        self._names = Names(settings.queue_prefix)
        self._address = BrokerAddress(settings)
        self._clock = clock
        self._waiting: deque[Sendable] = deque(maxlen=MOST_WAITING)
        self._changed = threading.Condition()
        self._stopping = False
        self.down = ""
        """Why nothing can be sent; empty while it works."""
        self._said_time_at = -CLOCK_EVERY
        self._thread = threading.Thread(target=self._work, name="dispatch-send", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    @property
    def waiting(self) -> int:
        """The number of messages that are not sent yet."""
        return len(self._waiting)

    def put(self, message: Sendable) -> None:
        """Adds a message."""
        with self._changed:
            self._waiting.append(message)
            self._changed.notify()

    def drop(self, runs: set[str]) -> None:
        """Removes orders that are not sent yet."""
        with self._changed:
            kept = [one for one in self._waiting if not (isinstance(one, SendRun) and one.run in runs)]
            self._waiting.clear()
            self._waiting.extend(kept)

    def stop(self, timeout: float) -> None:
        """Sends what waits, for at most so many seconds."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _work(self) -> None:
        while True:
            try:
                with self._app.connection_for_write() as connection:
                    connection.ensure_connection(max_retries=1, timeout=5)
                    self._note_up()
                    self._send_all(connection)
                return
            except Exception as error:  # noqa: BLE001 (a client library of a broker raises its own, and those of sockets and TLS)
                if not self.down:
                    log.error("%s; runs wait until it works again", self._address.describe(error))
                self.down = self._address.describe(error)
            with self._changed:
                if self._changed.wait_for(lambda: self._stopping, PAUSE):
                    return

    def _say_time(self) -> str:
        return write_message(Clock(now=self._clock(), sender=self._name), self._name, self._key).decode()

    def _note_up(self) -> None:
        if self.down:
            log.info("the broker %s works again", self._address.shown)
            self.down = ""

    def _send_all(self, connection: "Connection") -> None:
        desk = _Desk(self._app, self._names, connection)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping, 1.0)
                if not self._waiting and self._stopping:
                    return
                batch = self._next_batch()
            if time.monotonic() - self._said_time_at > CLOCK_EVERY:
                self._app.control.broadcast("journey_clock", arguments={"message": self._say_time()}, connection=connection)
                self._said_time_at = time.monotonic()
                if connection.supports_heartbeats:
                    # Nothing but what is read shows that the other side is there.
                    with suppress(TimeoutError):
                        connection.drain_events(timeout=0.01)
                    connection.heartbeat_check()
            if not batch:
                continue
            self._send(batch, desk)
            with self._changed:
                sent = {id(one) for one in batch}
                # Some may have been dropped meanwhile.
                while self._waiting and id(self._waiting[0]) in sent:
                    self._waiting.popleft()

    def _next_batch(self) -> list[Sendable]:
        """What is sent together: runs are taken back after their orders are sent, so that is a batch of its own."""
        if self._waiting and isinstance(self._waiting[0], Revoke):
            return [self._waiting[0]]
        return list(takewhile(lambda one: not isinstance(one, Revoke), islice(self._waiting, AT_ONCE)))

    def _send(self, batch: "list[Sendable]", desk: "_Desk") -> None:
        desk.send_runs([one for one in batch if isinstance(one, SendRun)])
        taken = [run for one in batch if isinstance(one, SayTaken) for run in one.runs]
        if taken:
            desk.send_news(write_message(Taken(runs=tuple(taken)), self._name, self._key))
        for one in batch:
            if isinstance(one, Revoke):
                desk.revoke(one.runs)


class _Desk:
    """What is sent through one connection."""

    def __init__(self, app: "Celery", names: Names, connection: "Connection") -> None:
        from kombu import Producer

        self._app = app
        self._names = names
        self._connection = connection
        self._publisher = Publisher(connection)
        self._news = Producer(connection, exchange=news_exchange(names))
        self._declared: set[str] = set()

    def send_runs(self, orders: Sequence[SendRun]) -> None:
        """Returns when the broker has all of them on its disk."""
        for location in {one.location for one in orders} - self._declared:
            runs_queue(self._names, location)(self._connection.default_channel).declare()
            self._declared.add(location)
        if orders:
            self._publisher.publish([self._write_task(one) for one in orders])

    def _write_task(self, order: SendRun) -> Parcel:
        task = self._app.amqp.as_task_v2(order.run, TASK, args=[order.content], argsrepr="(…)", ignore_result=True)
        return Parcel(self._names.runs(order.location), msgspec.json.encode(task.body), task.headers, task.properties)

    def send_news(self, content: bytes) -> None:
        """Sends a message to whoever listens now."""
        self._news.publish(
            content, content_type="application/json", content_encoding="utf-8", retry=False, declare=[self._news.exchange]
        )

    def revoke(self, runs: Sequence[str]) -> None:
        """Says to all workers that runs are not to be begun any more."""
        self._app.control.revoke(list(runs), connection=self._connection)
