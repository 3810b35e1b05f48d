"""Native histograms of latencies, in a real Prometheus that has them turned on, and in one that has not."""

import json
import math
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.telemetry.counters import Counters
from runner.telemetry.native_histogram import NativeHistogram, bucket_index
from runner.telemetry.run_samples import sample_run
from runner.telemetry.series import is_stale
from runner.telemetry.telemetry import Telemetry
from tests.runner.telemetry.test_remote_write import Address, ago, receiver, run, send, settings, value
from tests.support.services.servers import Prometheus, get

__all__ = ["receiver"]
NATIVE = "native-histograms"
LATENCIES = [0.011 * 1.13**number for number in range(40)]
"""From 11 ms to 1.3 s, so that each quantile is near one of them."""


def exemplars(prometheus: Prometheus, query: str) -> list[dict[str, str]]:
    answer = get(
        f"{prometheus.address}/api/v1/query_exemplars?query={quote(query)}&start={ago(60).timestamp()}&end={ago(0).timestamp()}"
    )
    return [one["labels"] for series in json.loads(answer or "")["data"] for one in series["exemplars"]]


def test_quantiles_and_exemplars_come_back_and_a_journey_that_is_gone_ends(receiver: Address, tmp_path: Path) -> None:
    known = settings(tmp_path, receiver.write, remote_write_histograms="both")
    results = [run(45 - number, latency=latency) for number, latency in enumerate(LATENCIES)]
    # While the receiver is away, all of them wait.
    assert send(known, *results) == len(results)
    prometheus = receiver.start("groups: []", NATIVE)
    assert send(known, run(3, latency=LATENCIES[-1])) == 0
    name = "synthetic_step_latency_seconds"
    assert value(prometheus, f"histogram_count({name})") == len(LATENCIES) + 1
    assert value(prometheus, f"histogram_sum({name})") == pytest.approx(sum(LATENCIES) + LATENCIES[-1])
    for quantile in (0.5, 0.9, 0.99):
        exact = sorted([*LATENCIES, LATENCIES[-1]])[math.ceil(quantile * (len(LATENCIES) + 1)) - 1]
        assert value(prometheus, f"histogram_quantile({quantile}, {name})") == pytest.approx(exact, rel=0.09)
    # The classic ones, which the rules of objectives read, count the same.
    assert value(prometheus, "last_over_time(synthetic_step_latency_seconds_count[1h])") == len(LATENCIES) + 1
    # It began with 0: what the first run adds is an increase.
    assert value(prometheus, "histogram_count(increase(synthetic_step_latency_seconds[1h]))") == pytest.approx(41, rel=0.1)
    found = exemplars(prometheus, "synthetic_step_latency_seconds")
    assert {"run_id": results[-1].id, "trace_id": "1" * 32} in found
    telemetry = Telemetry(known, "run")
    telemetry.forget("buy")
    assert telemetry.stop(30) == 0
    assert prometheus.query('{journey="buy"}') == []


def test_the_first_run_has_its_exemplar_too(receiver: Address, tmp_path: Path) -> None:
    prometheus = receiver.start("groups: []", NATIVE)
    result = run(2)
    assert send(settings(tmp_path, receiver.write, remote_write_histograms="native"), result) == 0
    assert value(prometheus, "histogram_count(synthetic_step_latency_seconds)") == 1
    assert prometheus.query("synthetic_step_latency_seconds_count") == []
    assert {"run_id": result.id, "trace_id": "1" * 32} in exemplars(prometheus, "synthetic_step_latency_seconds")


def test_a_receiver_without_native_histograms_gets_nothing_wrong_and_the_hint_says_what_to_do(
    receiver: Address, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    prometheus = receiver.start()
    assert send(settings(tmp_path, receiver.write, remote_write_histograms="both"), run(3)) == 1
    assert "--enable-feature=native-histograms" in caplog.text
    assert prometheus.query("synthetic_success") == []
    # The run has waited.
    assert send(settings(tmp_path, receiver.write), run(2)) == 0
    assert value(prometheus, 'synthetic_runs_total{status="passed"}') == 2


@pytest.mark.long
@given(st.floats(min_value=1e-6, max_value=1e6))
def test_each_value_is_in_the_bucket_whose_edges_are_around_it(latency: float) -> None:
    index = bucket_index(latency)
    assert 2.0 ** ((index - 1) / 8) < latency <= 2.0 ** (index / 8)


def test_a_latency_of_nothing_is_in_the_bucket_of_zero() -> None:
    histogram = NativeHistogram()
    for latency in (0.0, 1e-7, 1e-3):
        histogram.observe(latency)
    assert (histogram.count, histogram.zero, sum(histogram.buckets.values())) == (3, 2, 1)


def test_a_value_that_ends_a_series_is_no_other_nan() -> None:
    counters = Counters()
    sample_run(run(2, steps=("pay", "old")), counters, ())
    ended = [one for one in sample_run(run(1), counters, ()) if one.labels.get("step") == "old"]
    assert ended
    assert all(is_stale(one.samples[-1][1]) for one in ended)
    assert not is_stale(math.nan)
