"""Counters, gauges and histograms that are cheap to write: the text of /metrics, in Prometheus' and in the OpenMetrics format.

prometheus-client writes 1,000 histogram children in about 170 ms, and holds the interpreter meanwhile, so that beacons wait. Here a
child knows its labels as text, and writing it is joining numbers. See docs/decisions/0006-collector.md.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from reports.collector.labels import OTHER

Labels = tuple[str, ...]
CHILDREN = 2_000
"""The maximum per family; further ones are counted with `__other__` as the last label."""
Child = TypeVar("Child")


class Exemplar(Struct, frozen=True):
    """One observation of a bucket, with the session in which it was made, so that it can be found."""

    session: str
    value: float
    at: float


class Family(Protocol):
    """Something that /metrics shows under one name."""

    def lines(self, openmetrics: bool) -> Iterable[str]:
        """Its lines, each with its end."""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "+Inf" if value > 0 else "-Inf" if value < 0 else "NaN"
    return repr(float(value))


def _head(name: str, kind: str, text: str) -> str:
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n"


class _Children(Generic[Child]):
    """The children of a family by the values of their labels, each made when it is first asked for."""

    def __init__(self, names: tuple[str, ...], make: Callable[[str], Child], limit: int) -> None:
        self._names = names
        self._make = make
        self._limit = limit
        self._made: dict[Labels, Child] = {}

    def of(self, labels: Labels) -> Child:
        child = self._made.get(labels)
        if child is None:
            if len(self._made) >= self._limit:
                labels = (*labels[:-1], OTHER)
                if labels in self._made:
                    return self._made[labels]
            pairs = zip(self._names, labels, strict=True)
            child = self._make(",".join(f'{name}="{_escaped(value)}"' for name, value in pairs))
            self._made[labels] = child
        return child

    def all(self) -> list[Child]:
        # Another thread reads while the event loop writes: list() of a view is one step of the interpreter.
        return list(self._made.values())

    def get(self, labels: Labels) -> Child | None:
        return self._made.get(labels)


class _Value:
    def __init__(self, labels: str) -> None:
        self.labels = f"{{{labels}}}" if labels else ""
        self.value = 0.0


class Counter:
    """Counts; `name` without the `_total` that is shown.

    >>> beacons = Counter("beacons", "Beacons.", "outcome")
    >>> beacons.add(("accepted",))
    >>> print("".join(beacons.lines(openmetrics=True)), end="")
    # HELP beacons Beacons.
    # TYPE beacons counter
    beacons_total{outcome="accepted"} 1.0
    """

    def __init__(self, name: str, text: str, *labels: str, limit: int = CHILDREN) -> None:
        self.name = name
        self._text = text
        self._children = _Children(labels, _Value, limit)

    def add(self, labels: Labels = (), amount: float = 1) -> None:
        """Counts `amount` more."""
        self._children.of(labels).value += amount

    def value(self, *labels: str) -> float:
        """How much was counted so far."""
        child = self._children.get(labels)
        return child.value if child else 0.0

    def lines(self, openmetrics: bool) -> Iterable[str]:
        """The text of the family."""
        yield _head(self.name if openmetrics else f"{self.name}_total", "counter", self._text)
        for child in self._children.all():
            yield f"{self.name}_total{child.labels} {_number(child.value)}\n"


class Gauge:
    """A value that is asked for when it is shown."""

    def __init__(self, name: str, text: str, value: Callable[[], float]) -> None:
        self.name = name
        self._text = text
        self._value = value

    def lines(self, openmetrics: bool) -> Iterable[str]:  # noqa: ARG002 (the protocol's)
        """The text of the family."""
        yield f"{_head(self.name, 'gauge', self._text)}{self.name} {_number(self._value())}\n"


class Total:
    """A count that somebody else keeps, asked for when it is shown; `name` without the `_total`."""

    def __init__(self, name: str, text: str, value: Callable[[], float]) -> None:
        self.name = name
        self._text = text
        self._value = value

    def lines(self, openmetrics: bool) -> Iterable[str]:
        """The text of the family."""
        head = _head(self.name if openmetrics else f"{self.name}_total", "counter", self._text)
        yield f"{head}{self.name}_total {_number(self._value())}\n"


class _Buckets:
    def __init__(self, labels: str, size: int) -> None:
        self.labels = labels
        self.counts = [0] * size
        self.sum = 0.0
        self.exemplars: list[Exemplar | None] = [None] * size


class Histogram:
    """Observations in buckets with the upper edges `edges`; another above them all is made."""

    def __init__(self, name: str, text: str, edges: tuple[float, ...], *labels: str, limit: int = CHILDREN) -> None:
        self.name = name
        self._text = text
        self.edges = edges
        self._shown = [*(_number(edge) for edge in edges), "+Inf"]
        self._children = _Children(labels, lambda text: _Buckets(text, len(edges) + 1), limit)

    def observe(self, labels: Labels, value: float, exemplar: Exemplar | None = None) -> None:
        """Counts one observation; the exemplar takes the place of the bucket's last."""
        child = self._children.of(labels)
        index = bisect_left(self.edges, value)
        child.counts[index] += 1
        child.sum += value
        if exemplar is not None:
            child.exemplars[index] = exemplar

    def count(self, *labels: str) -> int:
        """How many observations there are."""
        child = self._children.get(labels)
        return sum(child.counts) if child else 0

    def lines(self, openmetrics: bool) -> Iterable[str]:
        """The text of the family; exemplars are in OpenMetrics alone."""
        yield _head(self.name, "histogram", self._text)
        for child in self._children.all():
            comma = "," if child.labels else ""
            head = f'{self.name}_bucket{{{child.labels}{comma}le="'
            total = 0
            parts = []
            for edge, count, exemplar in zip(self._shown, tuple(child.counts), tuple(child.exemplars), strict=True):
                total += count
                suffix = _shown(exemplar) if openmetrics and exemplar is not None else ""
                parts.append(f'{head}{edge}"}} {total}.0{suffix}\n')
            braces = f"{{{child.labels}}}" if child.labels else ""
            parts.append(f"{self.name}_count{braces} {total}.0\n{self.name}_sum{braces} {_number(child.sum)}\n")
            yield "".join(parts)


def _shown(exemplar: Exemplar) -> str:
    return f' # {{session_id="{_escaped(exemplar.session)}"}} {_number(exemplar.value)} {exemplar.at:.3f}'


def format_families(families: Iterable[Family], openmetrics: bool) -> bytes:
    """The whole document."""
    parts = [line for family in families for line in family.lines(openmetrics)]
    return "".join([*parts, "# EOF\n"] if openmetrics else parts).encode()
