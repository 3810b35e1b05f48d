"""A scheduler's connections that receive: each in a thread, which connects again when it has to."""

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from msgspec import Struct

from runner.dispatch.broker.address import BrokerAddress
from runner.dispatch.broker.application import Names, news_exchange, result_options, results_queue
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from celery import Celery
    from kombu import Connection, Consumer

PAUSE = 1.0
"""Seconds between two tries to connect."""
DRAIN = 0.2
"""Seconds of a wait for messages, after which results that are stored are acknowledged."""
PREFETCHED = 500
"""Results that are taken in and not stored yet; the others wait in the broker."""
REDIS_CONNECTIONS = 4
"""Through each, Redis gives one result after the other and has each on its disk that it gives and that is acknowledged; what comes through
several at a time goes to the disk together. RabbitMQ gives many at a time through one."""
log = logging.getLogger("journey.dispatch")

ResultListener = Callable[[bytes, "Delivery"], None]
NewsListener = Callable[[bytes], None]


class Delivery(Struct, frozen=True, eq=False):
    """A message that the broker keeps until it is acknowledged; `opened` counts how often its connection had been made then."""

    connection: "_ReceivingConnection"
    opened: int
    message: Any


class Receiver:
    """Receives: `result` gets the body of each message of the queue of results with its delivery, `news` that of each other one, in threads.

    A result stays in the broker until its delivery is given to `done`.
    """

    def __init__(self, app: "Celery", settings: Settings, result: ResultListener, news: NewsListener) -> None:
        count = REDIS_CONNECTIONS if BrokerAddress(settings).is_redis else 1
        most = PREFETCHED // count
        self._connections = [
            _ReceivingConnection(app, settings, most, result, news if number == 0 else None) for number in range(count)
        ]

    def start(self) -> None:
        """Starts the threads."""
        for one in self._connections:
            one.thread.start()

    @property
    def down(self) -> str:
        """Why nothing, or not everything, can be received; empty while it works."""
        return next((one.down for one in self._connections if one.down), "")

    def done(self, delivery: Delivery) -> None:
        """A result is stored, or is not needed: the broker need not keep it. From any thread."""
        delivery.connection.acknowledged.put(delivery)

    def stop(self, timeout: float) -> None:
        """Acknowledges what is stored and ends the threads, within about so many seconds."""
        for one in self._connections:
            one.stopped.set()
        for one in self._connections:
            if one.thread.is_alive():
                one.thread.join(timeout)


class _ReceivingConnection:
    """One connection and its thread. The one that hears news says in the log when the broker is away."""

    def __init__(
        self, app: "Celery", settings: Settings, prefetched: int, result: ResultListener, news: NewsListener | None
    ) -> None:
        self._app = app
        self._names = Names(settings.queue_prefix)
        self._address = BrokerAddress(settings)
        self._options = result_options(settings)
        self._prefetched = prefetched
        self._result = result
        self._news = news
        self._opened = 0
        self.acknowledged: SimpleQueue[Delivery] = SimpleQueue()
        self.stopped = threading.Event()
        self.down = "not connected yet"
        self.thread = threading.Thread(target=self._work, name="dispatch-receive", daemon=True)

    def _work(self) -> None:
        first = True
        while not self.stopped.is_set():
            try:
                with self._app.connection_for_read(transport_options=self._options) as connection:
                    connection.ensure_connection(max_retries=1, timeout=5)
                    self._receive(connection)
            except Exception as error:  # noqa: BLE001 (a client library of a broker raises its own, and those of sockets and TLS)
                if self._news is not None and (not self.down or first):
                    log.error("%s; results wait until it works again", self._address.describe(error))
                self.down = self._address.describe(error)
                first = False
                self.stopped.wait(PAUSE)

    def _receive(self, connection: "Connection") -> None:
        self._opened += 1
        with ExitStack() as consumers:
            for one in self._consumers(connection):
                consumers.enter_context(one)
            if self._news is not None and self.down and self.down != "not connected yet":
                log.info("results come from the broker %s again", self._address.shown)
            self.down = ""
            while not self.stopped.is_set():
                with suppress(TimeoutError):
                    connection.drain_events(timeout=DRAIN)
                if connection.supports_heartbeats:
                    connection.heartbeat_check()
                self._acknowledge()
            self._acknowledge()

    def _consumers(self, connection: "Connection") -> "list[Consumer]":
        from kombu import Consumer, Queue

        results = Consumer(connection.channel(), [results_queue(self._names)], on_message=self._take_result, auto_declare=True)
        results.qos(prefetch_count=self._prefetched)
        if self._news is None:
            return [results]
        # Of its own, and gone with the connection: every scheduler hears all news.
        own = Queue(
            f"{self._names.news}.{uuid4()}", news_exchange(self._names), exclusive=True, auto_delete=True, durable=False
        )
        return [results, Consumer(connection.channel(), [own], on_message=self._take_news, no_ack=True)]

    def _acknowledge(self) -> None:
        while True:
            try:
                delivery = self.acknowledged.get_nowait()
            except Empty:
                return
            # What came through an earlier connection cannot be acknowledged, and comes again.
            if delivery.opened == self._opened:
                delivery.message.ack()

    def _take_result(self, message: Any) -> None:
        self._result(_body(message), Delivery(self, self._opened, message))

    def _take_news(self, message: Any) -> None:
        if self._news is not None:
            self._news(_body(message))


def _body(message: Any) -> bytes:
    body = message.body
    return body if isinstance(body, bytes) else bytes(body) if isinstance(body, memoryview) else str(body).encode()
