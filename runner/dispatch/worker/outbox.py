"""What a worker says to schedulers: results, kept on the disk until the broker has them, and news, which are only worth something now."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from runner.dispatch.broker.address import BrokerAddress
from runner.dispatch.broker.application import Names, news_exchange, results_queue
from runner.dispatch.broker.publisher import AT_ONCE, Parcel, Publisher
from runner.dispatch.health import HEARTBEAT
from runner.private_files import make_private_folder, write_private_file
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from celery import Celery
    from kombu import Connection, Producer

FOLDER = ".outbox"
PAUSE = 1.0
"""Seconds between two tries to connect."""
log = logging.getLogger("journey.worker")


class _Kept(Struct, frozen=True, eq=False):
    """A message that the broker has to take: `done` is set when it has."""

    file: Path
    content: bytes
    done: "Future[None]"


class Outbox:
    """Sends in a thread of its own. `beat` makes a heartbeat, which is sent every few seconds.

    What is left of an earlier process is sent first: a result that was made is not lost with its worker.
    """

    def __init__(self, app: "Celery", settings: Settings, beat: Callable[[], bytes]) -> None:
        self._app = app
        self._names = Names(settings.queue_prefix)
        self._address = BrokerAddress(settings)
        self._beat = beat
        self._folder = settings.runs_dir / FOLDER
        make_private_folder(self._folder)
        self._changed = threading.Condition()
        self._kept: deque[_Kept] = deque(self._read_left())
        self._news: deque[bytes] = deque(maxlen=1000)
        self._stopping = False
        self.down = ""
        """Why nothing can be sent; empty while it works."""
        self._beaten_at = -HEARTBEAT
        self._thread = threading.Thread(target=self._work, name="outbox", daemon=True)
        self._thread.start()

    def _read_left(self) -> Iterator[_Kept]:
        """What an earlier process has not sent."""
        for file in sorted(self._folder.glob("*.json")):
            try:
                yield _Kept(file, file.read_bytes(), Future())
            except OSError as error:
                log.error("%s: a result of an earlier process cannot be read and is not sent: %s", file, error.strerror)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The ids of the runs whose results the broker has not taken yet."""
        with self._changed:
            return tuple(one.file.stem for one in self._kept)

    def keep(self, run: str, content: bytes) -> "Future[None]":
        """Sends the result of a run; answers when the broker has it."""
        file = self._folder / f"{run}.json"
        with suppress(OSError):
            # On a full disk it is sent all the same, unless this process is killed before. Under its name it is whole.
            written = file.with_suffix(".part")
            write_private_file(written, content, sync=True)
            written.replace(file)
        one = _Kept(file, content, Future())
        with self._changed:
            self._kept.append(one)
            self._changed.notify()
        return one.done

    def tell(self, content: bytes) -> None:
        """Sends news; while the broker is away, they are forgotten."""
        if self.down:
            return
        with self._changed:
            self._news.append(content)
            self._changed.notify()

    def beat_now(self) -> None:
        """Sends a heartbeat at once."""
        with self._changed:
            self._beaten_at = -HEARTBEAT
            self._changed.notify()

    def stop(self, timeout: float) -> int:
        """Sends what waits, for at most so many seconds; returns how many results are left for the next process."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout)
        with self._changed:
            left = list(self._kept)
        for one in left:
            # Nobody waits for it any longer: it is on the disk.
            one.done.cancel()
        return len(left)

    def _work(self) -> None:
        while True:
            try:
                with self._app.connection_for_write() as connection:
                    connection.ensure_connection(max_retries=1, timeout=5)
                    if self.down:
                        log.info("the broker %s works again", self._address.shown)
                        self.down = ""
                    self._send_all(connection)
                return
            except Exception as error:  # noqa: BLE001 (a client library of a broker raises its own, and those of sockets and TLS)
                if not self.down:
                    log.error("%s; results wait until it works again", self._address.describe(error))
                self.down = self._address.describe(error)
                self._news.clear()
            with self._changed:
                if self._changed.wait_for(lambda: self._stopping, PAUSE):
                    return

    def _send_all(self, connection: "Connection") -> None:
        from kombu import Producer

        news = Producer(connection, exchange=news_exchange(self._names))
        queue = results_queue(self._names)
        publisher = Publisher(connection)
        # Without the queue, a broker that has lost its disk would drop the messages.
        queue(connection.default_channel).declare()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._kept or self._news or self._stopping or self._is_due, 1.0)
                kept, told = list(islice(self._kept, AT_ONCE)), list(self._news)
                self._news.clear()
                if self._stopping and not kept and not told:
                    return
            for content in told:
                _publish(news, content)
            if self._is_due:
                self._beaten_at = time.monotonic()
                _publish(news, self._beat())
                if connection.supports_heartbeats:
                    with suppress(TimeoutError):
                        connection.drain_events(timeout=0.01)
                    connection.heartbeat_check()
            if kept:
                self._send_kept(kept, publisher)

    def _send_kept(self, kept: "list[_Kept]", publisher: Publisher) -> None:
        publisher.publish([Parcel(self._names.results, one.content) for one in kept])
        for one in kept:
            try:
                one.file.unlink(missing_ok=True)
            except OSError as error:
                log.error("%s cannot be removed, and is sent again at the next start: %s", one.file, error.strerror)
            with self._changed:
                self._kept.popleft()
            with suppress(InvalidStateError):
                # It was too late, and is sent again at the next start.
                one.done.set_result(None)

    @property
    def _is_due(self) -> bool:
        return time.monotonic() - self._beaten_at >= HEARTBEAT


def _publish(producer: "Producer", content: bytes) -> None:
    producer.publish(
        content, content_type="application/json", content_encoding="utf-8", retry=False, declare=[producer.exchange]
    )
