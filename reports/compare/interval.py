"""The interval in which the ratio of the medians lies, by resampling: to be shown, never to be decided by.

B. Efron: Better bootstrap confidence intervals. Journal of the American Statistical Association 82 (1987), 171-185, corrects the
percentiles by how fast the figure's spread changes, which is taken from leaving out one value at a time. A median does not
move smoothly when one value is left out (Efron, Tibshirani: An introduction to the bootstrap, 1993, 11.6), so for medians the
correction is noise; the plain percentiles are used.
"""

from collections.abc import Sequence
from functools import lru_cache
from random import Random

RESAMPLES = 1999
"""The ends of a 95 % interval are then the 50th from below and from above."""

Plan = tuple[tuple[int, ...], ...]
"""For each resample, which of the values it has."""


def ratio(baseline: Sequence[float], candidate: Sequence[float], confidence: float, paired: bool) -> tuple[float, float]:
    """The percentile interval of candidate's to baseline's median. In pairs, both of a pair are drawn together.

    Which values are drawn depends on nothing but their number: the same data give the same interval, swapped sides its inverse,
    and a small change of the data a small change of the interval. All values must be above zero.
    """
    both = _resample(baseline, candidate, paired)
    return _cut([above / below for below, above in both], confidence)


def difference(baseline: Sequence[float], candidate: Sequence[float], confidence: float, paired: bool) -> tuple[float, float]:
    """The same of the candidate's median less the baseline's, which may be zero."""
    return _cut([above - below for below, above in _resample(baseline, candidate, paired)], confidence)


def _resample(baseline: Sequence[float], candidate: Sequence[float], paired: bool) -> list[tuple[float, float]]:
    """The medians of both sides in each resample."""
    if paired:
        plan = _plan(len(baseline), False)
        return [(_middle(baseline, drawn), _middle(candidate, drawn)) for drawn in plan]
    # Two sides of one size need a plan each, and swapping them must not swap the plans.
    later = sorted(baseline) > sorted(candidate)
    sides = _plan(len(baseline), later), _plan(len(candidate), not later)
    return [(_middle(baseline, one), _middle(candidate, other)) for one, other in zip(*sides, strict=True)]


def _cut(values: Sequence[float], confidence: float) -> tuple[float, float]:
    ordered = sorted(values)
    cut = round((1 - confidence) / 2 * (RESAMPLES + 1))
    return ordered[max(cut - 1, 0)], ordered[-max(cut, 1)]


def _middle(values: Sequence[float], drawn: tuple[int, ...]) -> float:
    """The median of those that were drawn; statistics.median would take most of the time."""
    ordered = sorted([values[at] for at in drawn])
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


@lru_cache(maxsize=16)
def _plan(size: int, second: bool) -> Plan:
    draw = Random(f"{size} {second:d}").choices  # noqa: S311 (no secret)
    return tuple(tuple(draw(range(size), k=size)) for _ in range(RESAMPLES))
