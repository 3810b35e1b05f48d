"""The latencies of steps that count for objectives, and the edges of their buckets."""

from collections.abc import Iterable, Iterator

from runner.result import RunResult
from runner.untrusted_text import LONGEST_NAME, bounded

EDGES = (0.1, 0.2, 0.5, 0.8, 1.0, 1.8, 2.5, 4.0, 10.0, 30.0)


def latency_edges(bounds: Iterable[float]) -> tuple[float, ...]:
    """The edges of the buckets, those that objectives ask for among them.

    >>> latency_edges([0.65])[:5]
    (0.1, 0.2, 0.5, 0.65, 0.8)
    """
    return tuple(sorted({*EDGES, *bounds}))


def judged_latencies(result: RunResult) -> Iterator[tuple[str, float]]:
    """Each step that passed with its latency, unless the monitor failed or the run was ended: then they say nothing about the site."""
    if result.status not in {"passed", "failed"}:
        return
    for step in result.steps:
        if step.status == "passed" and step.latency_seconds is not None:
            yield bounded(step.name, LONGEST_NAME), step.latency_seconds
