"""Celery's pool of a worker: tasks wait in threads for their runs, and what follows a task's end happens in Celery's own thread.

Celery's pool of threads acknowledges a message in the thread of its task, through a connection that is not made for that.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from celery.concurrency.base import BasePool


class TaskPool(BasePool):  # type: ignore[misc]  # Celery has no types
    """As many tasks at a time as Celery's `concurrency`."""

    body_can_be_buffer = True
    signal_safe = False

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._threads = ThreadPoolExecutor(self.limit, thread_name_prefix="task")
        self._done: SimpleQueue[tuple[Callable[[Any], None], Future[Any]]] = SimpleQueue()
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._soon: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.open_tasks = 0
        """Tasks that have begun and whose messages are not acknowledged yet."""

    def register_with_event_loop(self, hub: Any) -> None:
        """Has the loop handle tasks that have ended; called again after each connection."""
        hub.add_reader(self._read, self._handle_ended)

    def call_soon(self, function: Callable[[], None]) -> None:
        """Has Celery's own thread call a function. From any thread."""
        self._soon.put(function)
        self._wake()

    def on_apply(
        self,
        target: Callable[..., Any],
        args: Any = None,
        kwargs: Any = None,
        callback: Callable[[Any], None] = lambda _: None,
        accept_callback: Callable[[int, float], None] | None = None,
        **_: Any,
    ) -> Any:
        """Begins a task."""
        if accept_callback is not None:
            accept_callback(os.getpid(), time.monotonic())
        self.open_tasks += 1
        ended = self._threads.submit(target, *(args or ()), **(kwargs or {}))
        ended.add_done_callback(lambda future: self._note_ended(callback, future))
        return ended

    def on_stop(self) -> None:
        """Waits for the tasks."""
        self._threads.shutdown(cancel_futures=True)
        self._handle_ended()

    def _note_ended(self, callback: Callable[[Any], None], future: Future[Any]) -> None:
        self._done.put((callback, future))
        self._wake()

    def _wake(self) -> None:
        with suppress(BlockingIOError):
            os.write(self._write, b"!")

    def _handle_ended(self, *_: Any) -> None:
        with suppress(BlockingIOError):
            os.read(self._read, 4096)
        while True:
            try:
                function = self._soon.get_nowait()
            except Empty:
                break
            function()
        while True:
            try:
                callback, future = self._done.get_nowait()
            except Empty:
                return
            self.open_tasks -= 1
            if not future.cancelled():
                callback(future.result())

    def _get_info(self) -> dict[str, Any]:
        return {"max-concurrency": self.limit}
