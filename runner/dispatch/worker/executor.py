"""Makes the runs of a worker in its own pool of processes; asked from other threads, which wait for the results."""

import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from runner.archive.archive import Archive
from runner.browser.chromium import Browser
from runner.dsl.plan import Plan
from runner.errors import ConfigError
from runner.events import Moment, RunEnded
from runner.result import RunResult
from runner.settings.settings import Settings
from runner.workers.pool import Workers
from runner.workers.run_state import Slot


class _Asked(Struct, frozen=True):
    """A run that is to be made, and where its result is put."""

    plan: Plan
    slot: Slot
    answer: "Future[Made]"


class Made(Struct, frozen=True):
    """A result, and the folder in which it is saved; None where it could not be."""

    result: RunResult
    folder: Path | None


class RunExecutor:
    """Owns the pool of processes; `work` is called again and again by the thread that has started them, with which they end."""

    def __init__(self, pool: Workers, browser: Browser | None, settings: Settings, archive: Archive) -> None:
        self._pool = pool
        self._waiting: deque[_Asked] = deque()
        self._answers: dict[str, Future[Made]] = {}
        self._followers: dict[str, Callable[[Moment], None]] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        pool.open(browser, settings, archive, [self._listen])
        pool.recycle_after(settings.worker_runs, settings.worker_memory)

    def make_run(self, plan: Plan, slot: Slot, follow: Callable[[Moment], None] | None = None) -> "Future[Made]":
        """Has a run made as soon as there is room; `follow` hears what happens in it, in the thread of `work`. From any thread.

        The answer is cancelled when the run is not going to be made here.
        """
        answer: Future[Made] = Future()
        with self._lock:
            if self._closed:
                answer.cancel()
                return answer
            if follow is not None:
                self._followers[slot.run] = follow
            self._waiting.append(_Asked(plan, slot, answer))
            self._answers[slot.run] = answer
        self.wake()
        return answer

    def wake(self) -> None:
        """Ends the current wait of `work`. From any thread or signal handler."""
        with suppress(BlockingIOError):
            os.write(self._wake_write, b"!")

    @property
    def busy(self) -> bool:
        """Whether a run waits or is under way."""
        return bool(self._answers)

    def work(self, timeout: float) -> None:
        """Starts what waits and handles what the processes report, for about so many seconds."""
        with self._lock:
            startable = [one for one in self._waiting if self._pool.can_start(one.plan)]
        for one in startable:
            if not self._pool.can_start(one.plan):
                break
            with self._lock:
                self._waiting.remove(one)
            try:
                self._pool.start_run(one.plan, one.slot)
            except ConfigError as error:
                self._followers.pop(one.slot.run, None)
                self._answers.pop(one.slot.run).set_exception(error)
        if self._pool.poll(timeout, [self._wake_read]):
            os.read(self._wake_read, 4096)

    def cancel_runs(self, why: str) -> None:
        """Ends the runs under way; those that wait get no result, and their answers are cancelled."""
        with self._lock:
            waiting, self._waiting = list(self._waiting), deque()
        for one in waiting:
            self._followers.pop(one.slot.run, None)
            self._answers.pop(one.slot.run).cancel()
        self._pool.cancel_runs(why)

    def close(self) -> None:
        """Nothing more is made: `work` is not called again."""
        with self._lock:
            self._closed = True
            left, self._answers = self._answers, {}
        for answer in left.values():
            answer.cancel()

    def _listen(self, moment: Moment) -> None:
        if not isinstance(moment, RunEnded):
            follow = self._followers.get(moment.run)
            if follow is not None:
                follow(moment)
        else:
            self._followers.pop(moment.result.id, None)
            answer = self._answers.pop(moment.result.id, None)
            if answer is not None:
                answer.set_result(Made(moment.result, moment.folder))
