"""Signs of a visitor's frustration, from what a page reports anyway: rage clicks, and clicks that are followed by a failure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from reports.collector.beacon import SCRIPT_KINDS, View

RAGE_CLICKS = 4
"""Clicks on the same thing …"""
RAGE_SECONDS = 1.0
"""… within so many seconds. Neither a double click nor a triple click that selects a paragraph counts."""
FOLLOWING_SECONDS = 1.0
"""A failure so soon after a click is taken to be of it."""


class Click(Struct, frozen=True, gc=False):
    """When something was clicked, and what; empty if it has neither a role nor a name."""

    at: float
    what: str


class FrustrationSign(Struct, frozen=True):
    """A sign of frustration."""

    at: float
    kind: Literal["rage click", "error click"]
    what: str


def find_frustration(clicks: Sequence[Click], failures: Sequence[float]) -> list[FrustrationSign]:
    """The signs in the clicks of a page view, and the times of its failures, in order. A burst of clicks is one rage click.

    >>> [one.kind for one in find_frustration([Click(0.2 * n, "button “Pay”") for n in range(6)], [1.5])]
    ['rage click', 'error click']
    >>> find_frustration([Click(0.5 * n, "button “+”") for n in range(6)], [])
    []
    """
    found = [*_rage_clicks(clicks), *_error_clicks(clicks, failures)]
    return sorted(found, key=lambda one: one.at)


def count_frustration(view: View) -> int:
    """The number of signs in what a beacon reports about a view."""
    if not view.interactions:
        return 0
    clicks = [
        Click(one.at_seconds, f"{one.role}/{one.name}/{one.test_id}" if one.role or one.name or one.test_id else "")
        for one in view.interactions
        if one.type == "click"
    ]
    failures = [one.at_seconds for one in view.errors if one.kind in SCRIPT_KINDS]
    failures += [one.at_seconds for one in view.requests if one.failure or one.status >= 400]
    return len(find_frustration(clicks, failures)) if clicks else 0


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
