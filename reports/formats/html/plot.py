"""Drawings of a smoke check's page: where each run's value lies, and how sure the change is; plain numbers for a template."""

import math
from collections.abc import Iterable, Sequence
from statistics import median

from msgspec import Struct

from reports.compare import Rule
from reports.smoke.result import StepCheck
from reports.text import smoke_text
from reports.text.formatting import format_figure

WIDTH = 420.0
"""Of a drawing, in its own units."""
LEFT = 74.0
"""Where the axis begins, right of the rows' names."""
RIGHT = 18.0
ROW = 44.0
"""Height of a row of dots."""
DOT = 2.6
LANES = (0, 1, -1, 2, -2, 3, -3)
"""Rows of dots above and below the middle, in the order in which they are filled where values lie close together."""


class Tick(Struct, frozen=True):
    """A mark of the axis."""

    x: float
    label: str


class Dot(Struct, frozen=True):
    """One run's value."""

    x: float
    y: float
    title: str


class Series(Struct, frozen=True):
    """One side's values."""

    name: str
    kind: str
    """`before` or `after`."""
    middle: float
    dots: tuple[Dot, ...]
    median: float
    label: str


class Strip(Struct, frozen=True):
    """Every run's value, each side in a row, over one axis."""

    height: float
    series: tuple[Series, ...]
    ticks: tuple[Tick, ...]
    band: tuple[float, float] | None
    """From where to where the candidate's median is the same as the baseline's."""
    budgets: tuple[Tick, ...]
    title: str


class Ratio(Struct, frozen=True):
    """The interval of the medians' ratio, on a logarithmic axis around one."""

    low: float
    high: float
    ratio: float
    one: float
    band: tuple[float, float]
    ticks: tuple[Tick, ...]
    title: str


class _Axis(Struct, frozen=True):
    low: float
    high: float

    def __call__(self, value: float) -> float:
        """Where the value lies."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def draw_strip(step: StepCheck, rule: Rule) -> Strip | None:
    """The values of the step's main figure; None when it has none."""
    name = smoke_text.find_main_figure(step)
    after = _finite(step.figures.get(name, ()))
    before = _finite(step.baseline_figures.get(name, ()))
    if not after:
        return None
    bounds = [one for one in step.budgets if one.figure == name and math.isfinite(one.bound)]
    margin = smoke_text.tolerance_seconds(step.comparison, rule) if step.comparison and name == "latency" else 0.0
    base = step.comparison.baseline_seconds if step.comparison else 0.0
    # No time is below zero, however wide the tolerance of a fast step.
    band = (max(base - margin, 0.0), base + margin)
    shown = [*after, *before, *(band if margin else ())]
    # A bound that is far off would press all values into a corner; the text beside the drawing tells it anyhow.
    near = [one for one in bounds if one.bound <= 2 * max(shown)]
    axis = _axis([*shown, *(one.bound for one in near)])
    rows = [("baseline", "before", before)] if before else []
    rows.append(("candidate" if before else "runs", "after", after))
    series = tuple(_series(*row, index, name, axis) for index, row in enumerate(rows))
    return Strip(
        height=ROW * len(series) + 24,
        series=series,
        ticks=_ticks(axis),
        band=(axis(band[0]), axis(band[1])) if margin else None,
        budgets=tuple(
            Tick(axis(one.bound), f"{smoke_text.name_measure(one)}: {format_figure(name, one.bound)}") for one in near
        ),
        title=f"{name}: " + ", ".join(f"{one.name} median {one.label} of {len(one.dots)} runs" for one in series),
    )


def draw_ratio(step: StepCheck, rule: Rule) -> Ratio | None:
    """The interval of the change; None without a comparison, or where there is no ratio."""
    comparison = step.comparison
    if comparison is None or not all(0 < one < math.inf for one in (comparison.ratio, *comparison.interval)):
        return None
    share = (
        smoke_text.tolerance_seconds(comparison, rule) / comparison.baseline_seconds
        if comparison.baseline_seconds > 0
        else rule.tolerance
    )
    edges = (max(1 - share, 0.01), 1 + share)
    reach = max(abs(math.log(one)) for one in (comparison.ratio, *comparison.interval, *edges)) * 1.15
    axis = _Axis(-reach, reach)
    marks = (math.exp(-reach / 1.15), edges[0], 1.0, edges[1], math.exp(reach / 1.15))
    ticks: list[Tick] = []
    for one in sorted(set(marks), key=lambda mark: abs(math.log(mark))):
        at = axis(math.log(one))
        # Labels need room beside each other.
        if all(abs(at - tick.x) >= 46 for tick in ticks):
            ticks.append(Tick(at, smoke_text.format_ratio(one)))
    return Ratio(
        low=axis(math.log(comparison.interval[0])),
        high=axis(math.log(comparison.interval[1])),
        ratio=axis(math.log(comparison.ratio)),
        one=axis(0.0),
        band=(axis(math.log(edges[0])), axis(math.log(edges[1]))),
        ticks=tuple(ticks),
        title=f"change of the median {smoke_text.format_change(comparison)}, "
        f"tolerated {smoke_text.format_ratio(edges[0])} to {smoke_text.format_ratio(edges[1])}",
    )


def _finite(values: Iterable[float]) -> list[float]:
    return [one for one in values if math.isfinite(one)]


def _axis(values: Sequence[float]) -> _Axis:
    low, high = min(values), max(values)
    margin = max((high - low) * 0.06, abs(high) * 0.02, 1e-4)
    return _Axis(max(low - margin, 0.0) if low >= 0 else low - margin, high + margin)


def _ticks(axis: _Axis) -> tuple[Tick, ...]:
    step = 10 ** math.floor(math.log10(axis.high - axis.low))
    while (axis.high - axis.low) / step < 3:
        step /= 2
    while (axis.high - axis.low) / step > 5:
        step *= 2
    first = math.ceil(axis.low / step)
    count = math.floor(axis.high / step) - first + 1
    decimals = max(0, min(4, math.ceil(-math.log10(step)) + 1))
    values = [(first + index) * step for index in range(count)]
    return tuple(Tick(axis(one), f"{round(one, decimals):g} s") for one in values)


def _series(name: str, kind: str, values: Sequence[float], index: int, figure: str, axis: _Axis) -> Series:
    middle = ROW * index + ROW / 2 + 6
    ends = dict.fromkeys(LANES, -math.inf)
    dots = []
    for run, value in sorted(enumerate(values, 1), key=lambda one: one[1]):
        x = axis(value)
        free = [lane for lane in LANES if ends[lane] + 2 * DOT <= x]
        lane = free[0] if free else min(LANES, key=lambda one: ends[one])
        ends[lane] = x
        dots.append(Dot(x, round(middle + lane * 2 * DOT, 1), f"{format_figure(figure, value)}, the {run}. of {len(values)}"))
    return Series(name, kind, middle, tuple(dots), axis(median(values)), format_figure(figure, median(values)))
