"""Small drawings as SVG: only attributes, since a strict content policy forbids styles in a page."""

from collections.abc import Sequence

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


def spark(
    values: Sequence[tuple[float, float | None]],
    marks: Sequence[float] = (),
    limit: float | None = None,
    width: float = 160,
    height: float = 36,
) -> Spark:
    """A sparkline of values at places from 0 to 1; None is a gap.

    >>> spark([(0.0, 1.0), (0.5, None), (1.0, 2.0)]).dots
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
