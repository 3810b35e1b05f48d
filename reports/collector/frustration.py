"""Signs of a visitor's frustration: rage clicks, error clicks, dead clicks and quick backs. docs/real-users.md defines them.

The agent reports dead clicks and steps back in single-page apps; everything else is found in what a page reports anyway.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, get_args

from msgspec import Struct

from reports.collector.beacon import SCRIPT_KINDS, Interaction, View

Kind = Literal["rage click", "error click", "dead click", "quick back"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SignCounts = tuple[int, int, int, int]
"""How many signs there are of each kind, in the order of KINDS."""
NO_SIGNS: SignCounts = (0, 0, 0, 0)

RAGE_CLICKS = 4
"""Clicks on the same thing …"""
RAGE_SECONDS = 1.0
"""… within so many seconds. Neither a double click nor a triple click that selects a paragraph counts."""
FOLLOWING_SECONDS = 1.0
"""A failure so soon after a click is taken to be of it."""
QUICK_BACK_SECONDS = 5.0
"""A page that was left by going back, so soon after its view began."""
BACK_TYPES = frozenset(("back_forward", "bfcache"))
"""Page views that begin because a visitor moved in the browser's history."""
_AT_ONCE = 0.5
"""Seconds in which the agent says that a route was gone back to."""


class Click(Struct, frozen=True, gc=False):
    """When something was clicked, and what; empty if it has neither a role nor a name."""

    at: float
    what: str


class FrustrationSign(Struct, frozen=True):
    """A sign of frustration."""

    at: float
    kind: Kind
    what: str


class Step(Struct, frozen=True, array_like=True):
    """A page view in the course of a session."""

    number: int
    series: int
    started_at: float
    page: str
    url: str


def came_back(kind: str, acts: Iterable[Interaction]) -> bool:
    """Whether a view of this type began by moving in the history, as far as it or its interactions say."""
    return kind in BACK_TYPES or any(one.type == "back" and one.at_seconds <= _AT_ONCE for one in acts)


def find_quick_back(steps: Sequence[Step], now: Step) -> Step | None:
    """The view that was left for `now`, to which its visitor went back, if that was soon; None if it was not.

    `steps` are the session's other views. Between two views of the same address there must be this one alone, so going forward does not count.

    >>> steps = [Step(1, 1, 10.0, "/", "/"), Step(2, 2, 30.0, "/item/:id", "/item/5")]
    >>> find_quick_back(steps, Step(3, 1, 33.0, "/", "/")).page
    '/item/:id'
    >>> find_quick_back(steps, Step(3, 1, 36.0, "/", "/"))
    """
    before = sorted((one for one in steps if one.started_at <= now.started_at), key=lambda one: one.started_at)[-2:]
    if len(before) < 2:
        return None
    origin, left = before
    soon = now.started_at - left.started_at <= QUICK_BACK_SECONDS
    return left if soon and origin.url == now.url != left.url else None


def find_frustration(clicks: Sequence[Click], failures: Sequence[float]) -> list[FrustrationSign]:
    """The signs in the clicks of a page view, and the times of its failures, in order. A burst of clicks is one rage click.

    >>> [one.kind for one in find_frustration([Click(0.2 * n, "button “Pay”") for n in range(6)], [1.5])]
    ['rage click', 'error click']
    >>> find_frustration([Click(0.5 * n, "button “+”") for n in range(6)], [])
    []
    """
    found = [*_rage_clicks(clicks), *_error_clicks(clicks, failures)]
    return sorted(found, key=lambda one: one.at)


def count_frustration(view: View) -> SignCounts:
    """The number of signs of each kind in what a beacon reports about a view. Quick backs are found in the course of a session."""
    if not view.interactions:
        return NO_SIGNS
    clicks = [
        Click(one.at_seconds, f"{one.role}/{one.name}/{one.test_id}" if one.role or one.name or one.test_id else "")
        for one in view.interactions
        if one.type == "click"
    ]
    failures = [one.at_seconds for one in view.errors if one.kind in SCRIPT_KINDS]
    failures += [one.at_seconds for one in view.requests if one.failure or one.status >= 400]
    found = [one.kind for one in find_frustration(clicks, failures)] if clicks else []
    dead = sum(one.type == "dead-click" for one in view.interactions)
    return found.count("rage click"), found.count("error click"), dead, 0


def _rage_clicks(clicks: Sequence[Click]) -> Iterator[FrustrationSign]:
    by_thing: dict[str, list[float]] = {}
    for one in clicks:
        if one.what:
            by_thing.setdefault(one.what, []).append(one.at)
    for what, times in by_thing.items():
        times.sort()
        ended = float("-inf")
        for first, last in zip(times, times[RAGE_CLICKS - 1 :], strict=False):
            if last - first > RAGE_SECONDS:
                continue
            # Overlapping groups of clicks are one burst.
            if first > ended:
                yield FrustrationSign(first, "rage click", what)
            ended = last


def _error_clicks(clicks: Sequence[Click], failures: Sequence[float]) -> Iterator[FrustrationSign]:
    """Of the clicks before a failure, the last one is taken to be its cause."""
    ordered = sorted(clicks, key=lambda one: one.at)
    times = [one.at for one in ordered]
    # By their places: a hostile beacon has hundreds of each.
    caused = {bisect_right(times, failure) - 1 for failure in failures}
    latest = sorted(failures)
    for place in sorted(caused - {-1}):
        failure = latest[bisect_left(latest, times[place])]
        if failure - times[place] <= FOLLOWING_SECONDS:
            yield FrustrationSign(times[place], "error click", ordered[place].what)
