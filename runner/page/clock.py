"""The page clock: how long a step took, by what happened in its pages and not by when the script looked.

A step's latency runs from its first cause (the start of a navigation, the first trusted input event, or an API request) to
the last effect before the step ended. All stamps are seconds since the epoch, as `performance.timeOrigin +
performance.now()` gives them, so they hold across documents, tabs and frames.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from runner.result import Clock

LONGEST_POLL = 1.2
"""Playwright's `expect` looks again after 1.0 s at the latest; with the look itself, an effect is found within this."""


class Window(Struct, frozen=True):
    """From the start of a step's code to its end, in seconds since the epoch."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """The length of the window."""
        return self.end - self.start

    def __contains__(self, at: float) -> bool:
        return self.start <= at <= self.end


class Stamp(Struct, frozen=True):
    """Something at a moment: a cause (`navigation input request move`) or an effect (`load dom response paint input`)."""

    what: str
    at: float


class Reading(Struct, frozen=True):
    """What the page clock shows for one step; `seconds` is never above the stopwatch it was given."""

    seconds: float
    clock: Clock
    cause: str = ""
    ended_by: str = ""
    at: float = 0.0
    """Seconds from the start of the step to the cause."""


def measure(window: Window, wall: float, causes: Iterable[Stamp], effects: Sequence[Stamp]) -> Reading:
    """Reads the page clock for a step of `wall` seconds by the stopwatch.

    Mouse moves count as a cause only where there is nothing stronger, because Playwright moves the mouse before it clicks.
    A step without any cause of its own only waited, for something that an earlier step began: its clock starts with the
    step. If its last effect then lies further back than a poll can explain, the time went elsewhere (a mailbox, a sleep),
    and the stopwatch is the honest answer. So it is for a step that only makes API requests.

    >>> measure(Window(10.0, 11.0), 1.0, [Stamp("input", 10.1)], [Stamp("dom", 10.4), Stamp("dom", 10.3)])
    Reading(seconds=0.3, clock='page', cause='input', ended_by='dom', at=0.1)
    """
    found = sorted((stamp for stamp in causes if stamp.at in window), key=lambda stamp: stamp.at)
    strong = [stamp for stamp in found if stamp.what != "move"]
    stopwatch = Reading(seconds=wall, clock="stopwatch")
    if strong and all(stamp.what == "request" for stamp in strong):
        return stopwatch
    first = (strong or found or [Stamp("step", window.start)])[0]
    after = [stamp for stamp in effects if first.at <= stamp.at <= window.end]
    if not after:
        return stopwatch
    last = max(after, key=lambda stamp: stamp.at)
    if first.what == "step" and window.end - last.at > LONGEST_POLL:
        return stopwatch
    cause = "input" if first.what == "move" else first.what
    seconds = round(last.at - first.at, 6)
    at = round(first.at - window.start, 6)
    return Reading(seconds=min(seconds, wall), clock="page", cause=cause, ended_by=last.what, at=at)
