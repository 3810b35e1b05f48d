"""Sends what waits in a queue on the disk, in a thread of its own: no run ever waits for a receiver."""

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable

import msgspec

from runner.archive.file_lock import lock_file
from runner.telemetry.disk_queue import DiskQueue
from runner.untrusted_text import tamed

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between two tries while the receiver cannot be reached; doubled each time."""
TRIES = 3
"""How often a run is tried that a receiver rejects while it accepts others."""
LOCK = ".lock"
LONGEST_REASON = 900
"""Characters of what is said of a failure."""
log = logging.getLogger("journey.telemetry")


class NotSent(Exception):
    """The receiver did not accept an item; its text says why. `final`: it never will. `status` is that of HTTP, if there was an answer."""

    def __init__(self, message: str, final: bool = False, status: int | None = None) -> None:
        # It has the receiver's own words in it, a page of HTML perhaps.
        super().__init__(tamed(" ".join(message.split()), LONGEST_REASON))
        self.final = final
        self.status = status


class Sender:
    """Puts each item (mostly a run) on the disk and sends it; what could not be sent is tried again, also by the next process.

    Of several processes with the same queue only one sends.
    """

    def __init__(
        self, name: str, queue: DiskQueue, send: Callable[[str, bytes], None], in_order: bool = False, held: bool = False
    ) -> None:
        """`send` gets the key and the content of an item; it raises NotSent, and msgspec.DecodeError for what it cannot read.

        `in_order`: no item is sent before an older one that the receiver has neither accepted nor refused for good. `held`: nothing is sent
        before `stop`, so that what is measured meanwhile has the machine for itself.
        """
        self._name = name
        self._queue = queue
        self._send = send
        self._in_order = in_order
        self._tries: Counter[str] = Counter()
        self._down = False
        self._dropped = 0
        self._changed = threading.Condition()
        self._fresh = True
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        if not held:
            self._thread.start()

    @property
    def waiting(self) -> int:
        """The number of runs that are not sent."""
        return len(self._queue)

    def put(self, key: str, content: bytes) -> None:
        """Adds an item; keys sort by time."""
        try:
            dropped = self._queue.put(key, content)
        except OSError as error:
            log.warning("%s: the run %s is not kept for sending: %s", self._name, key, error)
            return
        before, self._dropped = self._dropped, self._dropped + dropped
        # Said of the first, the second, the fourth …: during an outage each run may cost an older one.
        if self._dropped.bit_length() > before.bit_length():
            log.warning(
                "%s: no room for runs that wait; %d old %s dropped unsent so far (telemetry_queue_size bounds them)",
                self._name,
                self._dropped,
                "run was" if self._dropped == 1 else "runs were",
            )
        with self._changed:
            self._fresh = True
            self._changed.notify()

    def stop(self, timeout: float) -> int:
        """Sends what waits until the first failure, for at most `timeout` seconds; returns how many runs are left."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.ident is None:
            self._thread.start()
        self._thread.join(timeout)
        return len(self._queue)

    def _work(self) -> None:
        pause = FIRST_PAUSE
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._fresh or self._stopping)
                last = self._stopping
                self._fresh = False
            if self._try_to_drain():
                pause = FIRST_PAUSE
                if last:
                    return
                continue
            with self._changed:
                if last or self._stopping:
                    return
                self._fresh = True
                if self._changed.wait_for(lambda: self._stopping, pause):
                    return
            pause = min(pause * 2, LONGEST_PAUSE)

    def _try_to_drain(self) -> bool:
        try:
            return self._drain()
        except OSError as error:
            log.warning("%s: what waits cannot be read or noted as sent: %s", self._name, error)
            return False

    def _drain(self) -> bool:
        """Sends all that waits; False when something is left that is to be tried again."""
        if not self._queue.folder.is_dir():
            return True
        held = lock_file(self._queue.folder / LOCK)
        if held is None:
            # Another process sends, this one's runs too; it may end before it has sent them all.
            return len(self._queue) == 0
        try:
            return self._send_all()
        finally:
            os.close(held)

    def _send_all(self) -> bool:
        failed: list[str] = []
        for key, content in self._queue.items():
            try:
                self._send(key, content)
            except msgspec.DecodeError as error:
                log.warning("%s: the run %s cannot be read and is not sent: %s", self._name, key, error)
            except NotSent as error:
                if not error.final:
                    if not self._down:
                        log.warning("%s: %s; runs wait on the disk until it works again", self._name, error)
                    self._down = True
                    failed.append(key)
                    # Two in a row: nothing is accepted, so no more need to be tried now.
                    if len(failed) > 1 or self._stopping or self._in_order:
                        return False
                    continue
                log.warning("%s: the run %s is not sent: %s", self._name, key, error)
            except Exception as error:  # noqa: BLE001 (whatever a run makes an exporter raise, it must not hold up the others)
                log.warning("%s: the run %s is not sent: %s: %s", self._name, key, type(error).__name__, error)
            else:
                self._note_success(failed)
                failed.clear()
            self._queue.remove(key)
        return not failed

    def _note_success(self, failed_before: list[str]) -> None:
        if self._down:
            log.info("%s: the receiver works again", self._name)
            self._down = False
        for key in failed_before:
            self._tries[key] += 1
            if self._tries[key] >= TRIES:
                log.warning(
                    "%s: the run %s was rejected %d times while others were accepted; it is not sent", self._name, key, TRIES
                )
                self._queue.remove(key)
                del self._tries[key]
