"""An exception that is raised at each line of the journey's code, until that code has been left: `except:` ends only one of them.

An alarm cannot do that. Between two of them, the code is back in the innermost loop, whose `except:` catches what is raised there.
"""

import dis
import sys
from collections.abc import Callable
from functools import cache, partial
from threading import current_thread, main_thread
from types import CodeType, FrameType
from typing import Any

from greenlet import getcurrent  # type: ignore[import-untyped]  # Playwright depends on it; it has no types

NOT_THE_JOURNEYS = ("runner.", "playwright.")
"""Beginnings of the names of modules whose code is not disturbed."""
CALLER = "runner.execution.journey_call"
"""The module that calls the journey: nothing outside of it is the journey's."""


def raise_at_lines(error: BaseException, frame: FrameType | None, is_over: Callable[[], bool]) -> None:
    """Raises `error` at each line of the functions that have led to `frame`, until `is_over` or `stop_raising` is called.

    On Python 3.11, nothing where a debugger or the measuring of coverage traces.
    """
    frames = _find_frames(frame)
    if sys.version_info >= (3, 12):
        _monitor_lines(error, {one.f_code for one in frames}, is_over)
    elif sys.gettrace() is None:
        sys.settrace(_trace_nothing)
        for one in frames:
            one.f_trace = _LineTracer(_raise_in_trace, error, is_over)


def stop_raising() -> None:
    """Ends what `raise_at_lines` has begun."""
    if sys.version_info >= (3, 12):
        if sys.monitoring.get_tool(TOOL) == TOOL_NAME:
            for code in _monitored:
                sys.monitoring.set_local_events(TOOL, code, sys.monitoring.events.NO_EVENTS)
            _monitored.clear()
            sys.monitoring.register_callback(TOOL, sys.monitoring.events.LINE, None)
            sys.monitoring.free_tool_id(TOOL)
    elif sys.gettrace() is _trace_nothing:
        sys.settrace(None)


def _find_frames(frame: FrameType | None) -> list[FrameType]:
    """The calls of the journey's code that have led to `frame`."""
    one = getcurrent()
    while one.parent is not None:
        # Playwright's event loop is at work while the journey waits for it.
        one = one.parent
        frame = one.gr_frame
    found = []
    while frame is not None and frame.f_globals.get("__name__") != CALLER:
        if not frame.f_globals.get("__name__", "").startswith(NOT_THE_JOURNEYS):
            found.append(frame)
        frame = frame.f_back
    return found


TOOL, TOOL_NAME = 4, "journey's deadline"
"""For `sys.monitoring`: an id that debuggers, coverage and profilers do not use."""
_monitored: set[CodeType] = set()

if sys.version_info >= (3, 12):

    def _monitor_lines(error: BaseException, codes: set[CodeType], is_over: Callable[[], bool]) -> None:
        """What a trace function raises ends the tracing; what is raised here does not."""

        def raise_here(_code: CodeType, _line: int) -> None:
            frame = sys._getframe(1)
            if current_thread() is main_thread() and not is_over() and not _ends_with_block(frame):
                raise error.with_traceback(None)

        if sys.monitoring.get_tool(TOOL) not in {None, TOOL_NAME}:
            return
        if sys.monitoring.get_tool(TOOL) is None:
            sys.monitoring.use_tool_id(TOOL, TOOL_NAME)
        sys.monitoring.register_callback(TOOL, sys.monitoring.events.LINE, raise_here)
        for code in codes - _monitored:
            sys.monitoring.set_local_events(TOOL, code, sys.monitoring.events.LINE)
        _monitored.update(codes)


def _trace_nothing(*_: object) -> None:
    """Traces no frame that begins. Some trace function is needed for those of frames to be called."""


class _LineTracer(partial[Any]):
    """The trace function of one frame, on Python 3.11.

    Python drops all of them when one has raised, that of the frame last, and the end of that one sets them again. So it must be
    held by the frame alone: the traceback holds what a function is called with, which is why this is not a method or a closure.
    """

    def __del__(self) -> None:
        error, is_over = self.args
        if not is_over():
            raise_at_lines(error, sys._getframe().f_back, is_over)


def _raise_in_trace(error: BaseException, is_over: Callable[[], bool], frame: FrameType, event: str, _: object) -> Any:
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
