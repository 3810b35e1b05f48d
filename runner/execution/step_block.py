"""The block of one step, and what is wrong with one that cannot be timed."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ContextDecorator
from types import TracebackType
from typing import Self

from runner.errors import JourneyError


class StepError(JourneyError):
    """A step cannot be timed: it is inside another step, or its name was used before."""


class StepBlock(ContextDecorator):
    """One step, to be entered once; as a decorator, at each call of the function, under a name that can run once."""

    def __init__(self, name: str, open_block: Callable[[], AbstractContextManager[None]]) -> None:
        self._name = name
        self._open_block = open_block
        self._block: AbstractContextManager[None] | None = None

    def _recreate_cm(self) -> Self:
        return type(self)(self._name, self._open_block)

    def __enter__(self) -> None:
        if self._block is not None:
            raise StepError(
                f"step {self._name!r} was begun a second time; write `with step(…):` for each step, with a name of its own"
            )
        self._block = self._open_block()
        self._block.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if self._block is None:
            raise StepError(f"step {self._name!r} was ended before it began; write `with step({self._name!r}):`")
        return self._block.__exit__(kind, error, trace)
