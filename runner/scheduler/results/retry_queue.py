"""A queue whose items are processed in a thread of its own, each tried again until it succeeds."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class RetryQueue(Generic[Item]):
    """Processes items in order; an item that fails goes to the end of the queue, so that it does not hold up the others.

    `process` gets a key and its item, and raises `error` when it is to be tried again. Between failures the thread pauses, first for
    `first_pause` seconds, doubled with each failure in a row up to `longest_pause`. `failed` and `done` are called in the thread too;
    `done` after the item has left the queue.
    """

    def __init__(
        self,
        name: str,
        process: Callable[[str, Item], None],
        *,
        error: type[Exception],
        failed: Callable[[str, Exception], None],
        done: Callable[[str, Item], None],
        first_pause: float,
        longest_pause: float,
    ) -> None:
        self._process = process
        self._error = error
        self._failed = failed
        self._done = done
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._waiting: dict[str, Item] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def put(self, key: str, item: Item) -> Item | None:
        """Adds an item at the end of the queue; returns the waiting item of the same key that it replaces, if any."""
        with self._changed:
            replaced = self._waiting.pop(key, None)
            self._waiting[key] = item
            self._changed.notify()
        return replaced

    @property
    def waiting(self) -> int:
        """The number of items that are not done."""
        return len(self._waiting)

    def left(self) -> list[Item]:
        """The items that are not done, in order."""
        with self._changed:
            return list(self._waiting.values())

    def stop(self, timeout: float) -> int:
        """Processes what waits until the first failure, for at most `timeout` seconds; returns how many items are left."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout)
        return len(self._waiting)

    def _work(self) -> None:
        pause = self._first_pause
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                if not self._waiting:
                    return
                key, item = next(iter(self._waiting.items()))
            try:
                self._process(key, item)
            except self._error as error:
                self._failed(key, error)
                with self._changed:
                    # Unless a newer item has taken its place meanwhile, which is at the end already.
                    if self._waiting.get(key) is item:
                        self._waiting[key] = self._waiting.pop(key)
                    if self._changed.wait_for(lambda: self._stopping, pause):
                        return
                pause = min(pause * 2, self._longest_pause)
                continue
            pause = self._first_pause
            with self._changed:
                if self._waiting.get(key) is item:
                    del self._waiting[key]
            self._done(key, item)
