"""An exception that is raised at each line of the journey's code, until that code has been left: `except:` ends only one of them.

An alarm cannot do that. Between two of them, the code is back in the innermost loop, whose `except:` catches what is raised there.
"""

import dis
import sys
from collections.abc import Callable
from functools import cache, partial
from types import CodeType, FrameType
from typing import Any

from greenlet import getcurrent  # type: ignore[import-untyped]  # Playwright depends on it; it has no types

NOT_THE_JOURNEYS = ("runner.", "playwright.")
"""Beginnings of the names of modules whose code is not disturbed."""
CALLER = "runner.execution.journey_call"
"""The module that calls the journey: nothing outside of it is the journey's."""


def raise_at_lines(error: BaseException, frame: FrameType | None, is_over: Callable[[], bool]) -> None:
    """Raises `error` at each line of the functions that have led to `frame`, until `is_over`.

    Nothing where a debugger or the measuring of coverage traces.
    """
    if sys.gettrace() is not None:
        return
    one = getcurrent()
    while one.parent is not None:
        # Playwright's event loop is at work while the journey waits for it.
        one = one.parent
        frame = one.gr_frame
    sys.settrace(_trace_nothing)
    while frame is not None and frame.f_globals.get("__name__") != CALLER:
        if not frame.f_globals.get("__name__", "").startswith(NOT_THE_JOURNEYS):
            frame.f_trace = _LineTracer(_raise_here, error, is_over)
        frame = frame.f_back


def stop_raising() -> None:
    """Ends what `raise_at_lines` has begun."""
    if sys.gettrace() is _trace_nothing:
        sys.settrace(None)


def _trace_nothing(*_: object) -> None:
    """Traces no frame that begins. Some trace function is needed for those of frames to be called."""


class _LineTracer(partial[Any]):
    """The trace function of one frame.

    Python drops all of them when one has raised, that of the frame last, and the end of that one sets them again. So it must be
    held by the frame alone: the traceback holds what a function is called with, which is why this is not a method or a closure.
    """

    def __del__(self) -> None:
        error, is_over = self.args
        if not is_over():
            raise_at_lines(error, sys._getframe().f_back, is_over)


def _raise_here(error: BaseException, is_over: Callable[[], bool], frame: FrameType, event: str, _: object) -> Any:
    if is_over():
        return None
    if event == "line" and not _ends_with_block(frame):
        raise error.with_traceback(None)
    return frame.f_trace


def _ends_with_block(frame: FrameType) -> bool:
    """Whether a `with` block is about to end, such as a step, which is to hear of it: an exception here would prevent that."""
    begins = _with_lines(frame.f_code).get(frame.f_lineno)
    return begins is not None and frame.f_lasti != begins


@cache
def _with_lines(code: CodeType) -> dict[int, int]:
    """The lines with `with` of a function, each with the offset of its first instruction. The block's end has the same line."""
    ends = {
        one.positions.lineno
        for one in dis.get_instructions(code)
        if one.opname == "WITH_EXCEPT_START" and one.positions is not None
    }
    first: dict[int, int] = {}
    for start, _, line in code.co_lines():
        if line in ends and line is not None:
            first.setdefault(line, start)
    return first
