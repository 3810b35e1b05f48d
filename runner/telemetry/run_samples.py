"""The samples of a run: its gauges, counters of runs, and histograms of its steps' latencies, at the run's own time."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal

from prometheus_client.utils import floatToGoString

from runner.metrics.latency_histogram import judged_latencies, latency_edges
from runner.metrics.pushgateway import JOB
from runner.metrics.run_metrics import build_registry
from runner.result import RunResult
from runner.settings.parsers.telemetry import Histograms
from runner.telemetry.counters import Counters, place_of, series_key
from runner.telemetry.native_histogram import NativeHistogram
from runner.telemetry.series import NAME, STALE, Exemplar, Series

STATUSES = ("passed", "failed", "error", "cancelled")
RUNS, LATENCY = "synthetic_runs_total", "synthetic_step_latency_seconds"
HELP = {RUNS: "Runs that have ended.", LATENCY: "Latency of passed steps by the page clock."}


def sample_run(
    result: RunResult, counters: Counters, bounds: Iterable[float], histograms: Histograms = "classic"
) -> list[Series]:
    """The series of a run, with `counters` increased by it; `bounds` are latencies that objectives ask for."""
    place = place_of(result.journey, result.location)
    last, ended_at = counters.last_at.get(place, 0), _milliseconds(result.ended_at)
    # Two runs that end in the same millisecond, or while the clock is set back, still follow each other.
    at = max(ended_at, last + 1)
    began = min(_milliseconds(result.started_at), at - 1)
    counting = _Counting(result, counters, began, at)
    if ended_at < last and (result.assumed or counters.assumed != result.id):
        # A run beside a newer one, which its gauges must not replace.
        counters.last_at[place] = at
        return counting.count(bounds, histograms)
    gauges = [
        Series({**counting.base, **sample.labels, NAME: sample.name}, ((at, sample.value),), help=family.documentation)
        for family in build_registry(result).collect()
        for sample in family.samples
    ]
    current = [series_key(one.labels) for one in gauges]
    gone = set(counters.gauges.get(place, ())) - set(current)
    counters.gauges[place], counters.last_at[place] = current, at
    counters.assumed = result.id if result.assumed else ""
    ended = [Series(_labels(key), ((at, STALE),)) for key in sorted(gone)]
    return [*gauges, *ended, *counting.count(bounds, histograms)]


def end_journey(journey: str, location: str, at: datetime, counters: Counters) -> list[Series]:
    """The series that end since a journey is no longer on the schedule; its counters end too, and go on if it comes back."""
    place = place_of(journey, location)
    moment = max(_milliseconds(at), counters.last_at.get(place, 0) + 1)
    counters.last_at[place] = moment

    def belongs(key: str) -> bool:
        labels = _labels(key)
        return place_of(labels["journey"], labels["location"]) == place

    ended = [Series(_labels(key), ((moment, STALE),)) for key in counters.gauges.pop(place, [])]
    ended += [
        Series(_labels(key), ((moment, STALE),), kind=_counter_kind(_labels(key)), began=counters.began.get(key, 0))
        for key in filter(belongs, counters.values)
    ]
    ended += [
        Series(
            _labels(key),
            (),
            histograms=((moment, NativeHistogram(sum=STALE)),),
            kind="histogram",
            began=counters.began.get(key, 0),
        )
        for key in filter(belongs, counters.histograms)
    ]
    return ended


class _Counting:
    """Adds a run to the counters, each of which is a series."""

    def __init__(self, result: RunResult, counters: Counters, began: int, at: int) -> None:
        self.base = {"job": JOB, "journey": result.journey, "location": result.location}
        self._result = result
        self._counters = counters
        self._began = began
        self._at = at
        self._origin = {"run_id": result.id, **({"trace_id": result.trace_id} if result.trace_id else {})}

    def count(self, bounds: Iterable[float], histograms: Histograms) -> list[Series]:
        """The counters of runs, and the histograms in the forms that are wanted."""
        found = [
            self._add({**self.base, NAME: RUNS, "status": status}, float(status == self._result.status)) for status in STATUSES
        ]
        edges = [*latency_edges(bounds), float("inf")]
        for step, seconds in judged_latencies(self._result):
            labels = {**self.base, "step": step}
            exemplar = Exemplar(self._origin, seconds, self._at)
            if histograms != "native":
                found += self._observe_classic(labels, seconds, edges, exemplar)
            if histograms != "classic":
                found += self._observe_native({**labels, NAME: LATENCY}, seconds, exemplar)
        return found

    def _observe_classic(
        self, labels: Mapping[str, str], seconds: float, edges: Iterable[float], exemplar: Exemplar
    ) -> Iterator[Series]:
        first = next(edge for edge in edges if seconds <= edge)
        for edge in edges:
            le = str(floatToGoString(edge))  # type: ignore[no-untyped-call]
            bucket = {**labels, NAME: f"{LATENCY}_bucket", "le": le}
            yield self._add(bucket, float(seconds <= edge), exemplar if edge == first else None)
        yield self._add({**labels, NAME: f"{LATENCY}_sum"}, seconds)
        yield self._add({**labels, NAME: f"{LATENCY}_count"}, 1.0)

    def _observe_native(self, labels: Mapping[str, str], seconds: float, exemplar: Exemplar) -> Iterator[Series]:
        key = series_key(labels)
        histogram = self._counters.histograms.get(key)
        if histogram is None:
            histogram = self._counters.histograms[key] = NativeHistogram()
            self._counters.began[key] = self._began
            # Apart from its first value: Prometheus refuses an exemplar that comes with the first histogram of a series.
            yield self._native_series(key, labels, (self._began, histogram.copy()))
        histogram.observe(seconds)
        yield self._native_series(key, labels, (self._at, histogram.copy()), exemplar)

    def _native_series(
        self, key: str, labels: Mapping[str, str], value: tuple[int, NativeHistogram], exemplar: Exemplar | None = None
    ) -> Series:
        return Series(labels, (), exemplar, (value,), "histogram", HELP[LATENCY], self._counters.began.get(key, 0))

    def _add(self, labels: Mapping[str, str], amount: float, exemplar: Exemplar | None = None) -> Series:
        key = series_key(labels)
        kind = _counter_kind(labels)
        before = self._counters.values.get(key)
        if before is None and kind == "counter":
            # Classic histograms, of which there are many series, go to remote write only, which does not ask since when they count.
            self._counters.began[key] = self._began
        self._counters.values[key] = (before or 0.0) + amount
        # A counter that begins with its first increase would lose it to `increase`.
        first = ((self._began, 0.0),) if before is None else ()
        samples = (*first, (self._at, self._counters.values[key]))
        since = self._counters.began.get(key, 0)
        return Series(labels, samples, exemplar, kind=kind, help=HELP[RUNS if kind == "counter" else LATENCY], began=since)


def _counter_kind(labels: Mapping[str, str]) -> Literal["counter", "histogram"]:
    return "counter" if labels[NAME] == RUNS else "histogram"


def _labels(key: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(key)
    return found


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
