"""Figures about many page views, read from the roll-ups, so their cost does not grow with the number of views.

A range of six hours or less begins and ends with a minute, as long as minutes are kept, another with an hour; bounds are moved outward.
What lies between the first and the last whole hour (or day) is read from the next longer step. A query reads the rows of all series in
the range and of one metric, at most some ten thousand, and adds up the selected ones: docs/views.md has the times.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import Connection, text

from runner.store.queries.time_range import Grain, Range, cut_range
from runner.store.tables.histogram import Distribution, merged
from runner.store.tables.page_views import BUCKETS, Metric

MINUTE, HOUR, DAY = 60, 3600, 86_400
MINUTES_UP_TO = 6 * HOUR
HOURS_UP_TO = 8 * DAY
Dimension = Literal["page", "traffic", "environment", "release", "device", "browser"]
DIMENSIONS: tuple[Dimension, ...] = ("page", "traffic", "environment", "release", "device", "browser")

Piece = tuple[int, int, int]
"""A step, and from when to when its rows are read."""


class Filter(Struct, frozen=True, kw_only=True):
    """Which page views; None matches all."""

    app: str
    page: str | None = None
    """None: all pages together."""
    traffic: str | None = "real"
    environment: str | None = None
    release: str | None = None
    device: str | None = None
    browser: str | None = None
    """Without its version."""

    def series(self, each_page: bool = False) -> tuple[str, dict[str, str]]:
        """SQL for which series to add up, and its parameters; of all pages there is one of their own, unless each is wanted."""
        given = {name: value for name in ("app", *DIMENSIONS) if (value := getattr(self, name)) is not None}
        condition = " AND ".join(f"series.{name} = :{name}" for name in given)
        if self.page is None:
            condition += f" AND series.page {'<>' if each_page else '='} ''"
        return condition, given


class Tally(Struct, frozen=True, kw_only=True):
    """How much there was. `requests` failed or were slow.

    `failed` views met an error of the page's scripts, or a page that the server answered with a 5xx.
    """

    views: int = 0
    sessions: int = 0
    """Sessions that began there."""
    failed: int = 0
    errors: int = 0
    interactions: int = 0
    requests: int = 0
    rage_clicks: int = 0
    error_clicks: int = 0
    dead_clicks: int = 0
    quick_backs: int = 0

    @property
    def frustrations(self) -> int:
        """Signs of frustration of every kind."""
        return self.rage_clicks + self.error_clicks + self.dead_clicks + self.quick_backs


class Group(Struct, frozen=True):
    """The page views of one page, device, browser …"""

    value: str
    tally: Tally
    distributions: dict[Metric, Distribution]


class Point(Struct, frozen=True):
    """The page views that began in the minute, hour or day from `at`."""

    at: datetime
    tally: Tally
    distributions: dict[Metric, Distribution]


def read_total(connection: Connection, which: Filter, when: Range, metrics: Sequence[Metric]) -> Group:
    """All of the range in one: percentiles, shares, counts. For the tiles of the overview, and for distributions."""
    groups = _groups(connection, which, cut_into_steps(when, _minutes_from(connection)), metrics, ":app")
    return groups[which.app]


def read_groups(
    connection: Connection, dimension: Dimension, which: Filter, when: Range, metrics: Sequence[Metric]
) -> list[Group]:
    """One for each value of a label, those with most views first. As `read_total`; with `page` it is the table of pages."""
    groups = _groups(connection, which, cut_into_steps(when, _minutes_from(connection)), metrics, f"series.{dimension}")
    return sorted(groups.values(), key=lambda one: (-one.tally.views, one.value))


def read_splits(
    connection: Connection, dimensions: Sequence[Dimension], which: Filter, when: Range, metrics: Sequence[Metric]
) -> tuple[Group, dict[Dimension, list[Group]]]:
    """`read_total`, and `read_groups` of several labels except the page, at the cost of one of them."""
    groups = _groups(connection, which, cut_into_steps(when, _minutes_from(connection)), metrics, "series.id")
    names = ", ".join(dimensions)
    rows = connection.execute(text(f"SELECT id, {names} FROM series WHERE app = :app"), {"app": which.app})
    values = {row[0]: row[1:] for row in rows if row[0] in groups}
    found: dict[Dimension, list[Group]] = {}
    for place, dimension in enumerate(dimensions):
        parts: dict[str, list[Group]] = defaultdict(list)
        for series, one in groups.items():
            parts[values[series][place]].append(one)
        made = [Group(value, _tallied(some), _spread(some, metrics)) for value, some in parts.items()]
        found[dimension] = sorted(made, key=lambda one: (-one.tally.views, one.value))
    every = list(groups.values())
    return Group(which.app, _tallied(every), _spread(every, metrics)), found


def read_points(connection: Connection, which: Filter, when: Range, metrics: Sequence[Metric]) -> list[Point]:
    """One for each minute, hour or day of the range in which there was a view, oldest first. As `read_total`."""
    groups = _groups(connection, which, [choose_step(connection, when)], metrics, "{table}.at")
    points = sorted((int(at), one) for at, one in groups.items())
    return [Point(datetime.fromtimestamp(at, UTC), one.tally, one.distributions) for at, one in points]


def widen_points(points: Sequence[Point], seconds: int) -> list[Point]:
    """The same in steps of so many seconds, which is a whole number of those that the points have; costs no query."""
    found: dict[int, list[Point]] = {}
    for point in points:
        found.setdefault(int(point.at.timestamp()) // seconds * seconds, []).append(point)
    metrics = list(points[0].distributions) if points else []
    return [
        Point(datetime.fromtimestamp(at, UTC), _tallied(some), _spread(some, metrics)) for at, some in sorted(found.items())
    ]


def choose_step(connection: Connection, when: Range) -> Piece:
    """The step that a range is shown in, and its bounds moved outward to whole ones."""
    return _even(when, _minutes_from(connection))


def read_step_seconds(connection: Connection, when: Range) -> int:
    """The seconds of a step in which `read_points` returns a range."""
    return choose_step(connection, when)[0]


def read_labels(connection: Connection, app: str) -> dict[Dimension, list[str]]:
    """Every value of every label that an app has roll-ups of. Reads its series: some thousand rows."""
    names = ", ".join(DIMENSIONS)
    rows = connection.execute(text(f"SELECT {names} FROM series WHERE app = :app AND page <> ''"), {"app": app}).all()
    return {name: sorted({row[place] for row in rows}) for place, name in enumerate(DIMENSIONS)}


def read_apps(connection: Connection) -> list[str]:
    """Every app that has sent something. Reads all series."""
    return list(connection.execute(text("SELECT DISTINCT app FROM series ORDER BY app")).scalars())


def cut_into_steps(when: Range, minutes_from: int | None) -> list[Piece]:
    """What to read for a range, in as few rows as can be.

    >>> cut_into_steps(Range(datetime(2026, 6, 1, 22, 30, tzinfo=UTC), datetime(2026, 6, 3, 1, tzinfo=UTC)), None)
    [(3600, 1780351200, 1780358400), (86400, 1780358400, 1780444800), (3600, 1780444800, 1780448400)]
    """
    fine, coarse = (MINUTE, HOUR) if _even(when, minutes_from)[0] == MINUTE else (HOUR, DAY)
    start, end = _outward(when, fine)
    steps: dict[Grain, int] = {"fine": fine, "coarse": coarse}
    parts = cut_range(start, -(-start // coarse) * coarse, end // coarse * coarse, end)
    return [(steps[grain], first, last) for grain, first, last in parts]


def _even(when: Range, minutes_from: int | None) -> Piece:
    """The whole range in one step."""
    seconds = (when.end - when.start).total_seconds()
    if seconds <= MINUTES_UP_TO and minutes_from is not None and when.start.timestamp() >= minutes_from:
        return (MINUTE, *_outward(when, MINUTE))
    step = HOUR if seconds <= HOURS_UP_TO else DAY
    return (step, *_outward(when, step))


def _tallied(parts: Sequence[Group | Point]) -> Tally:
    return Tally(**{name: sum(getattr(one.tally, name) for one in parts) for name in Tally.__struct_fields__})


def _spread(parts: Sequence[Group | Point], metrics: Sequence[Metric]) -> dict[Metric, Distribution]:
    def of(metric: Metric) -> list[tuple[Sequence[int], float]]:
        return [(one.distributions[metric].buckets, one.distributions[metric].sum) for one in parts]

    return {metric: merged(metric, of(metric)) for metric in metrics}


def _outward(when: Range, step: int) -> tuple[int, int]:
    return int(when.start.timestamp() // step) * step, int(-(-when.end.timestamp() // step)) * step


def _minutes_from(connection: Connection) -> int | None:
    """Since when there are minutes for all that there are hours for."""
    first = text("SELECT min(at) FROM tallies WHERE step = :step")
    minute, hour = (connection.execute(first, {"step": step}).scalar() for step in (MINUTE, HOUR))
    if minute is None or hour is None:
        return None
    return 0 if hour >= minute // HOUR * HOUR else minute


def _groups(
    connection: Connection, which: Filter, wanted: Iterable[Piece], metrics: Sequence[Metric], key: str
) -> dict[Any, Group]:
    wanted = list(wanted)
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * len(Tally.__struct_fields__))
    for value, *row in _rows(connection, "tallies", Tally.__struct_fields__, which, wanted, key, {}):
        counts[value] = [a + int(b) for a, b in zip(counts[value], row, strict=True)]
    found: dict[str, dict[Metric, list[tuple[list[int], float]]]] = {value: {} for value in counts}
    for metric in metrics:
        for value, total_, *row in _rows(connection, "histograms", ("sum", *BUCKETS), which, wanted, key, {"metric": metric}):
            found.setdefault(value, {}).setdefault(metric, []).append(([int(one) for one in row], total_))
    return {
        value: Group(
            str(value),
            Tally(**dict(zip(Tally.__struct_fields__, counts[value], strict=True))),
            {metric: merged(metric, parts.get(metric, [])) for metric in metrics},
        )
        for value, parts in found.items()
    }


def _rows(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    which: Filter,
    wanted: Sequence[Piece],
    key: str,
    equal: dict[str, str],
) -> Iterator[Any]:
    condition, parameters = which.series(each_page=key == "series.page")
    condition += "".join(f" AND {table}.{name} = :{name}" for name in equal)
    key = key.format(table=table)
    sums = ", ".join(f'coalesce(sum({table}."{column}"), 0)' for column in columns)
    # CROSS JOIN makes SQLite read the range first, once, and not once for each series.
    sql = text(
        f"SELECT {key}, {sums} FROM {table} CROSS JOIN series "
        f"WHERE {table}.step = :step AND {table}.at >= :start AND {table}.at < :end AND series.id = {table}.series AND {condition}"
        + (f" GROUP BY {key}" if key != ":app" else "")
    )
    for step, start, end in wanted:
        yield from connection.execute(sql, {**parameters, **equal, "step": step, "start": start, "end": end})
