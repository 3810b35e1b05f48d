"""Small drawings as SVG: only attributes, since a strict content policy forbids styles in a page."""

from collections.abc import Sequence
from math import inf, log

from msgspec import Struct


class Spark(Struct, frozen=True):
    """A line over time, in a box of `width` by `height`."""

    width: float
    height: float
    path: str
    """Of the values; empty when there are fewer than two."""
    dots: tuple[tuple[float, float], ...]
    """Values that stand alone."""
    marks: tuple[float, ...]
    """Where something went wrong."""
    limit: float | None
    """The height of the budget's line."""
    highest: float
    """The value at the top."""


def draw_sparkline(
    values: Sequence[tuple[float, float | None]],
    marks: Sequence[float] = (),
    limit: float | None = None,
    width: float = 160,
    height: float = 36,
) -> Spark:
    """A sparkline of values at places from 0 to 1; None is a gap.

    >>> draw_sparkline([(0.0, 1.0), (0.5, None), (1.0, 2.0)]).dots
    ((0.0, 19.0), (160.0, 2.0))
    """
    known = [value for _, value in values if value is not None]
    highest = max([*known, limit or 0.0], default=0.0) or 1.0

    def y(value: float) -> float:
        return round(height - (height - 2) * value / highest, 1) if highest else height

    pieces: list[list[tuple[float, float]]] = [[]]
    for at, value in values:
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((round(at * width, 1), y(value)))
    path = " ".join("M" + " L".join(f"{x:g} {height_:g}" for x, height_ in piece) for piece in pieces if len(piece) > 1)
    return Spark(
        width=width,
        height=height,
        path=path,
        dots=tuple(piece[0] for piece in pieces if len(piece) == 1),
        marks=tuple(round(at * width, 1) for at in marks),
        limit=y(limit) if limit else None,
        highest=highest,
    )


class Column(Struct, frozen=True):
    """A bar of a histogram."""

    x: float
    y: float
    width: float
    height: float
    title: str
    kind: str


class DrawnHistogram(Struct, frozen=True):
    """Bars of equal width, in a box of `width` by `height`, with what is written below their edges."""

    width: float
    height: float
    columns: tuple[Column, ...]
    labels: tuple[tuple[float, str], ...]
    """Places from left to right, and the values there."""
    marks: tuple[tuple[float, str], ...]
    """Places of values that are pointed out."""


def draw_histogram(
    columns: Sequence[tuple[float, str, str]],
    labels: Sequence[str],
    marks: Sequence[tuple[float, str]] = (),
    width: float = 720,
    height: float = 160,
) -> DrawnHistogram:
    """Bars of a size, title and kind each; a label for each edge; marks at places in units of bars.

    >>> drawn = draw_histogram([(1, "one", "good"), (2, "two", "poor")], ["0", "1 s", ""], width=200, height=100)
    >>> [(one.x, one.y, one.height) for one in drawn.columns], drawn.labels
    ([(0.0, 50.0, 50.0), (100.0, 0.0, 100.0)], ((0.0, '0'), (100.0, '1 s'), (200.0, '')))
    """
    each = width / (len(columns) or 1)
    highest = max((size for size, _, _ in columns), default=0) or 1
    drawn = []
    for place, (size, title, kind) in enumerate(columns):
        tall = round(height * size / highest, 1)
        drawn.append(Column(round(place * each, 1), round(height - tall, 1), round(each - 2, 1), tall, title, kind))
    return DrawnHistogram(
        width=width,
        height=height,
        columns=tuple(drawn),
        labels=tuple((round(place * each, 1), label) for place, label in enumerate(labels)),
        marks=tuple((round(place * each, 1), label) for place, label in marks),
    )


class Interval(Struct, frozen=True):
    """How sure a ratio is: from `low` to `high`, on a logarithmic axis with one in its middle."""

    low: float
    at: float
    high: float
    middle: float
    width: float


def draw_intervals(ratios: Sequence[tuple[float, float, float]], width: float = 240) -> tuple[Interval | None, ...]:
    """Each ratio between its bounds (low, ratio, high), all over one axis; None for invalid ratios.

    >>> [(one.low, one.at, one.high) for one in draw_intervals([(0.5, 1.0, 2.0)], width=100) if one]
    [(4.0, 50.0, 96.0)]
    """
    known = [one if all(0 < part < inf for part in one) else None for one in ratios]
    reach = max([log(1.25), *(abs(log(part)) for one in known if one for part in one)])

    def x(value: float) -> float:
        return round(width / 2 + log(value) / reach * (width / 2 - 4), 1)

    return tuple(Interval(x(one[0]), x(one[1]), x(one[2]), width / 2, width) if one else None for one in known)
