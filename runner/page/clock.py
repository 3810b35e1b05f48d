"""The page clock: how long a step took, by what happened in its pages and not by when the script looked.

A step's latency runs from its first cause (the start of a navigation, the first trusted input event, an API request, or the start of
the step where the script had to wait before its first input) to the moment at which the element that it waited for last came to be as
it was awaited, else to the last effect before the step ended. All stamps are seconds since the epoch, as `performance.timeOrigin +
performance.now()` gives them, so they hold across documents, tabs and frames.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from runner.result import Clock

LONGEST_POLL = 1.2
"""Playwright's `expect` looks again after 1.0 s at the latest; with the look itself, an effect is found within this."""


LATEST_CHECK = 0.5
"""Seconds from the last check of an element to the end of the step, at most, for the check to be what the step waited for last.

The answer of a page whose main thread is busy takes that long to arrive.
"""


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
    """Something at a moment: a cause (`navigation input request move`) or an effect (`awaited load dom response paint input`)."""

    what: str
    at: float


class Checks(Struct, frozen=True):
    """The checks of elements in one document after the script's last input; stamps are seconds since the epoch."""

    at: float
    """Of the newest check."""
    changed: float | None
    """When the elements that were found had last changed by then; None where that is not known."""
    failed: float
    """Of the newest check that failed; before the epoch if none did."""
    drawn: float | None = None
    """When the frame with that newest change was drawn, where it took so long that a visitor waits for it."""


class Reading(Struct, frozen=True):
    """What the page clock shows for one step; `seconds` is never above the stopwatch it was given."""

    seconds: float
    clock: Clock
    cause: str = ""
    ended_by: str = ""
    at: float = 0.0
    """Seconds from the start of the step to the cause."""
    waited: float = 0.0
    """Seconds of the latency that went by before the first input."""


def measure(
    window: Window,
    wall: float,
    causes: Iterable[Stamp],
    effects: Sequence[Stamp],
    waiting: Iterable[float] = (),
    checks: Iterable[Checks] = (),
) -> Reading:
    """Reads the page clock for a step of `wall` seconds by the stopwatch.

    Mouse moves count as a cause only where there is nothing stronger, because Playwright moves the mouse before it clicks.
    A step without any cause of its own only waited, for something that an earlier step began: its clock starts with the
    step. If its last effect then lies further back than a poll can explain, the time went elsewhere (a mailbox, a sleep),
    and the stopwatch is the honest answer. So it is for a step that only makes API requests, and for one whose last input had no
    effect that a page shows (a download, a drawing on a canvas), unless what was waited for is known.

    `waiting` holds when checks began to fail before an input: the clock of a step that had to wait for its first input starts with the
    step. `checks` say what was waited for after the last input.

    >>> measure(Window(10.0, 11.0), 1.0, [Stamp("input", 10.1)], [Stamp("dom", 10.4), Stamp("dom", 10.3)])
    Reading(seconds=0.3, clock='page', cause='input', ended_by='dom', at=0.1, waited=0.0)
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
    waited = 0.0
    if first.what in {"input", "move"} and any(window.start <= at <= first.at for at in waiting):
        waited = first.at - window.start
        first = Stamp("step", window.start)
    last = max(after, key=lambda stamp: stamp.at)
    last = _awaited(window, first, strong, checks) or last
    if last.what == "input":
        return stopwatch
    if first.what == "step" and not waited and window.end - last.at > LONGEST_POLL:
        return stopwatch
    cause = "input" if first.what == "move" else first.what
    seconds = round(last.at - first.at, 6)
    at = round(first.at - window.start, 6)
    return Reading(seconds=min(seconds, wall), clock="page", cause=cause, ended_by=last.what, at=at, waited=round(waited, 6))


def _awaited(window: Window, first: Stamp, strong: Sequence[Stamp], checks: Iterable[Checks]) -> Stamp | None:
    """The moment at which what the step waited for last was there; None where that was no element, or nothing tells."""
    within = [one for one in checks if one.at in window]
    if not within:
        return None
    checked = max(one.at for one in within)
    failed = max(one.failed for one in within)
    newest = max(within, key=lambda one: one.at if one.changed is None else one.changed)
    changed = newest.at if newest.changed is None else newest.changed
    if failed >= checked:
        # The check that passed announced nothing, as those of `expect(page)` do.
        return None
    if window.end - checked > LATEST_CHECK or any(stamp.at > checked for stamp in strong):
        return None
    if max(first.at, failed) <= changed < checked:
        drawn = newest.drawn
        return Stamp("awaited", changed) if drawn is None or drawn > window.end else Stamp("paint", drawn)
    # The last check to fail came after all changes of the element: it has gone, or something without a mutation was waited for.
    return Stamp("awaited", checked) if failed >= first.at else None
