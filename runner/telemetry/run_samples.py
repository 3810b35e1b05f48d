"""The samples of a run for remote write: its gauges, counters of runs, and histograms of its steps' latencies, at the run's own time."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from prometheus_client.utils import floatToGoString

from runner.metrics.latency_histogram import judged_latencies, latency_edges
from runner.metrics.pushgateway import JOB
from runner.metrics.run_metrics import build_registry
from runner.result import RunResult
from runner.telemetry.counters import Counters, series_key
from runner.telemetry.write_request import STALE, Exemplar, Series

STATUSES = ("passed", "failed", "error", "cancelled")
RUNS, LATENCY = "synthetic_runs_total", "synthetic_step_latency_seconds"


def sample_run(result: RunResult, counters: Counters, bounds: Iterable[float]) -> list[Series]:
    """The series of a run, with `counters` increased by it; `bounds` are latencies that objectives ask for."""
    place = _place(result.journey, result.location)
    last, ended_at = counters.last_at.get(place, 0), _milliseconds(result.ended_at)
    # Two runs that end in the same millisecond, or while the clock is set back, still follow each other.
    at = max(ended_at, last + 1)
    began = min(_milliseconds(result.started_at), at - 1)
    base = {"job": JOB, "journey": result.journey, "location": result.location}
    if ended_at < last:
        # A run beside a newer one, which its gauges must not replace.
        counters.last_at[place] = at
        return _count(result, counters, base, bounds, began, at)
    gauges = [
        Series({**base, **sample.labels, "__name__": sample.name}, ((at, sample.value),))
        for family in build_registry(result).collect()
        for sample in family.samples
    ]
    current = [series_key(one.labels) for one in gauges]
    gone = set(counters.gauges.get(place, ())) - set(current)
    counters.gauges[place], counters.last_at[place] = current, at
    ended = [Series(_labels(key), ((at, STALE),)) for key in sorted(gone)]
    return [*gauges, *ended, *_count(result, counters, base, bounds, began, at)]


def end_journey(journey: str, location: str, at: datetime, counters: Counters) -> list[Series]:
    """The series that end since a journey is no longer on the schedule; its counters end too, and go on if it comes back."""
    place = _place(journey, location)
    moment = max(_milliseconds(at), counters.last_at.get(place, 0) + 1)
    counters.last_at[place] = moment
    keys = counters.gauges.pop(place, [])
    keys += [key for key in counters.values if _place(_labels(key)["journey"], _labels(key)["location"]) == place]
    return [Series(_labels(key), ((moment, STALE),)) for key in keys]


def _count(
    result: RunResult, counters: Counters, base: Mapping[str, str], bounds: Iterable[float], began: int, at: int
) -> list[Series]:
    found = []

    def add(labels: Mapping[str, str], amount: float, exemplar: Exemplar | None = None) -> None:
        key = series_key(labels)
        before = counters.values.get(key)
        counters.values[key] = (before or 0.0) + amount
        # A counter that begins with its first increase would lose it to `increase`.
        first = ((began, 0.0),) if before is None else ()
        found.append(Series(labels, (*first, (at, counters.values[key])), exemplar))

    for status in STATUSES:
        add({**base, "__name__": RUNS, "status": status}, float(status == result.status))
    edges = [*latency_edges(bounds), float("inf")]
    origin = {"run_id": result.id, **({"trace_id": result.trace_id} if result.trace_id else {})}
    for step, seconds in judged_latencies(result):
        labels = {**base, "step": step}
        first = next(edge for edge in edges if seconds <= edge)
        for edge in edges:
            le = str(floatToGoString(edge))  # type: ignore[no-untyped-call]
            exemplar = Exemplar(origin, seconds, at) if edge == first else None
            add({**labels, "__name__": f"{LATENCY}_bucket", "le": le}, float(seconds <= edge), exemplar)
        add({**labels, "__name__": f"{LATENCY}_sum"}, seconds)
        add({**labels, "__name__": f"{LATENCY}_count"}, 1.0)
    return found


def _labels(key: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(key)
    return found


def _place(journey: str, location: str) -> str:
    return f"{journey} {location}"


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
