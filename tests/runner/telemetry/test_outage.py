"""An hour without a receiver: nothing is lost that it accepts afterwards, what waits is bounded, and no run waits for it."""

import gc
import json
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from msgspec.structs import replace

from runner.events import RunEnded
from runner.result import RunResult
from runner.telemetry.disk_queue import LOOK_AFTER, DiskQueue
from runner.telemetry.telemetry import FOLDER, Telemetry
from tests.runner.telemetry import test_otlp_metrics as otlp
from tests.runner.telemetry.test_remote_write import Address, receiver, run, send, settings, value
from tests.runner.telemetry.test_remote_write_v2 import Receiver, v2
from tests.support.services.http_server import serving_handler
from tests.support.services.otlp import SpanReceiver
from tests.support.services.servers import free_port, get
from tests.support.wait import wait_until

__all__ = ["receiver", "v2"]
NOWHERE = "http://127.0.0.1:9"
"""Where nobody listens."""


@pytest.fixture
def hour() -> list[RunResult]:
    """A run every four minutes; the fourth has failed."""
    return [run(59 - 4 * number, "failed" if number == 3 else "passed") for number in range(15)]


def times(results: list[RunResult]) -> list[int]:
    """When they ended: milliseconds since the epoch."""
    return [round(one.ended_at.timestamp() * 1000) for one in results]


def test_prometheus_accepts_what_its_window_takes(receiver: Address, tmp_path: Path, hour: list[RunResult]) -> None:
    """It was up all the time, and has newer samples of others."""
    prometheus = receiver.start("groups: []", "native-histograms")
    assert send(settings(tmp_path / "other", receiver.write), replace(run(0), journey="other")) == 0
    away = settings(tmp_path, f"http://127.0.0.1:{free_port()}/api/v1/write", remote_write_histograms="both")
    assert send(away, *hour) == len(hour)
    assert send(settings(tmp_path, receiver.write, remote_write_histograms="both")) == 0
    query = 'synthetic_success{journey="buy"}[2h]'
    answer = get(f"{prometheus.address}/api/v1/query?query={quote(query)}")
    [series] = json.loads(answer or "")["data"]["result"]
    assert [round(at * 1000) for at, _ in series["values"]] == times(hour)
    assert [text for _, text in series["values"]].count("0") == 1
    assert value(prometheus, 'last_over_time(synthetic_runs_total{journey="buy",status="passed"}[2h])') == len(hour) - 1
    at = hour[-1].ended_at.timestamp()
    counted = 'histogram_count(synthetic_step_latency_seconds{journey="buy"})'
    found = json.loads(get(f"{prometheus.address}/api/v1/query?query={quote(counted)}&time={at}") or "")
    assert [one["value"][1] for one in found["data"]["result"]] == [str(len(hour) - 1)]


def test_a_receiver_of_version_2_gets_the_whole_hour(v2: Receiver, tmp_path: Path, hour: list[RunResult]) -> None:
    assert send(settings(tmp_path, NOWHERE, remote_write_protocol="2.0"), *hour) == len(hour)
    assert send(settings(tmp_path, v2.address, remote_write_protocol="2.0")) == 0
    arrived = []
    for one in v2.got:
        v2.got = [one]
        arrived += [series.samples[-1].timestamp for labels, series, _ in v2.series() if labels.get("status") == "passed"]
    assert arrived == times(hour)


@pytest.mark.long
@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_receiver_of_otlp_gets_the_whole_hour(
    span_receiver: SpanReceiver, tmp_path: Path, hour: list[RunResult], protocol: str
) -> None:
    spans = {"http/protobuf": span_receiver.http, "grpc": span_receiver.grpc}[protocol]
    away = otlp.settings(tmp_path, NOWHERE, otlp_protocol=protocol, otlp_endpoint=NOWHERE, otlp_timeout="200ms")
    assert send(away, *hour) == len(hour)
    back = otlp.settings(tmp_path, spans, otlp_protocol=protocol, otlp_endpoint=spans)
    assert send(back) == 0
    points = [point for _, point in span_receiver.points("synthetic_runs_total", status="passed")]
    assert [point.time_unix_nano // 1_000_000 for point in points] == times(hour)
    assert points[-1].as_int == len(hour) - 1
    assert len([span for span in span_receiver.spans if not span.parent_span_id]) == len(hour)


@pytest.fixture
def hanging() -> Iterator[tuple[str, list[str]]]:
    """A receiver that takes messages and never answers; its address, and the paths that were asked for."""
    asked: list[str] = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Waits until the test has ended."""
            asked.append(self.path)
            over.wait()

    with serving_handler(Handler) as address:
        yield address, asked
        over.set()


def test_no_run_waits_for_a_receiver_that_never_answers(hanging: tuple[str, list[str]], tmp_path: Path) -> None:
    address, asked = hanging
    known = otlp.settings(tmp_path, address, remote_write=f"{address}/write", otlp_endpoint=address, otlp_timeout="60s")
    telemetry = Telemetry(known, "run")
    telemetry(RunEnded(result=run(9)))
    wait_until(lambda: len(asked) == 3)
    for number in range(8):
        telemetry(RunEnded(result=run(8 - number)))
    # All are on the disk, and the first is still being sent: nobody has answered anybody.
    assert telemetry.waiting == 3 * 9
    assert len(asked) == 3
    assert telemetry.stop(0.1) == 9


@pytest.mark.long
def test_what_waits_takes_neither_memory_nor_more_of_the_disk_than_it_may(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limit = 1_000_000
    given = {"remote_write": f"{NOWHERE}/write", "telemetry_queue_size": str(limit)}
    telemetry = Telemetry(otlp.settings(tmp_path, NOWHERE, **given), "run")
    long = ("x" * 100_000,)

    def put(number: int) -> None:
        for _ in range(number):
            telemetry(RunEnded(result=replace(run(1), notes=long)))
        for folder in (tmp_path / "runs" / FOLDER).iterdir():
            assert limit / 2 < size(folder) <= limit

    put(20)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    put(60)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert 0 < telemetry.stop(30) < 20
    # The runs themselves would take 12 megabytes; one is being sent to each receiver perhaps.
    assert grown < 3_000_000
    # More than 60 were dropped of each; seven lines say so.
    assert 0 < caplog.text.count("dropped unsent so far") <= 2 * 7


def size(folder: Path) -> int:
    return sum(one.stat().st_size for one in folder.glob("*.json"))


def test_the_queue_is_bounded_where_several_processes_add_to_it(tmp_path: Path) -> None:
    limit = 1_000
    queues = [DiskQueue(tmp_path, limit) for _ in range(3)]
    for number in range(200):
        queues[number % 3].put(f"{number:04}", b"x" * 10)
        # Each may have added some that the others have not seen yet.
        if number % 20 == 0:
            assert size(tmp_path) <= limit + 3 * LOOK_AFTER * 10
    assert max(one.name for one in tmp_path.glob("*.json")) == "0199.json"


def test_many_files_are_not_looked_at_for_each_item(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = DiskQueue(tmp_path, 1_000_000)
    looks: list[str] = []
    monkeypatch.setattr(Path, "glob", count_calls(Path.glob, looks))
    for number in range(2 * LOOK_AFTER):
        queue.put(f"{number:04}", b"x")
    assert len(looks) == 2


def count_calls(function: Callable[..., Any], calls: list[str]) -> Callable[..., Any]:
    def counted(*given: Any, **named: Any) -> Any:
        calls.append(str(given))
        return function(*given, **named)

    return counted
