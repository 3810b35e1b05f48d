"""Work that a background thread repeats: what fails is logged once, and tried again the next time."""

import logging
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


class Attempts:
    """Remembers which pieces of work fail at present; `expected` are the exceptions of a database or a disk that is away."""

    def __init__(self, log: logging.Logger, *expected: type[Exception]) -> None:
        self._log = log
        self._expected = expected
        self._failing: set[str] = set()

    def make(self, name: str, work: Callable[[], Result]) -> Result | None:
        """Does one piece and returns its result, None if it failed; its failure stops no other piece, and raises nothing."""
        try:
            result = work()
        except self._expected as error:
            if name not in self._failing:
                self._log.error("%s; %s: tried again until it works", error, name)
            self._failing.add(name)
        except Exception:  # noqa: BLE001 (it is logged with its traceback)
            # Strangers send what is read here; a value that nobody foresaw must not be the end of it.
            if name not in self._failing:
                self._log.exception("%s: a fault of the program; it is tried again", name)
            self._failing.add(name)
        else:
            self._failing.discard(name)
            return result
        return None
