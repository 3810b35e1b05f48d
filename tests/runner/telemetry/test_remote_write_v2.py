"""Remote write 2.0, decoded with classes of the published messages: no Debian package has a receiver of it."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import cramjam
import pytest

from runner.errors import ConfigError
from runner.settings.load_settings import load_settings
from runner.telemetry.telemetry import Telemetry
from tests.runner.telemetry.test_remote_write import Address, receiver, run, send, settings, value
from tests.support.remote_write_messages import decode_request
from tests.support.services.http_server import serving_handler

__all__ = ["receiver"]
V2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"


class Receiver:
    """What a receiver has got: each request's headers and body."""

    def __init__(self) -> None:
        self.address = ""
        self.knows = "2.0"
        self.got: list[tuple[dict[str, str], bytes]] = []

    def types(self) -> list[str]:
        """The types of the messages."""
        return [headers["Content-Type"] for headers, _ in self.got]

    def series(self) -> list[tuple[dict[str, str], Any, tuple[int, str, str]]]:
        """Labels, series, and type, help and unit of each series of the newest request."""
        request = decode_request(self.got[-1][1])
        text = list(request.symbols)
        return [
            (
                named(one.labels_refs, text),
                one,
                (one.metadata.type, text[one.metadata.help_ref], text[one.metadata.unit_ref]),
            )
            for one in request.timeseries
        ]


def named(refs: Any, text: list[str]) -> dict[str, str]:
    names = [text[one] for one in refs]
    return dict(zip(names[::2], names[1::2], strict=True))


@pytest.fixture
def v2() -> Iterator[Receiver]:
    held = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Accepts version 2.0, or does what receivers of 1.0 do with it."""
            body = bytes(cramjam.snappy.decompress_raw(self.rfile.read(int(self.headers["Content-Length"]))))
            held.got.append((dict(self.headers.items()), body))
            wrong = self.headers["Content-Type"] == V2 and held.knows == "only 1.0, and says so"
            self.send_response(415 if wrong else 204)
            if self.headers["Content-Type"] == V2 and held.knows == "2.0":
                series = decode_request(body).timeseries
                for what in ("samples", "histograms", "exemplars"):
                    number = sum(len(getattr(one, what)) for one in series)
                    self.send_header(f"X-Prometheus-Remote-Write-{what.title()}-Written", str(number))
            self.end_headers()

    with serving_handler(Handler) as address:
        held.address = f"{address}/write"
        yield held


def test_a_run_is_one_message_with_each_text_once(v2: Receiver, tmp_path: Path) -> None:
    result = run(1, latency=0.3)
    known = settings(tmp_path, v2.address, remote_write_protocol="2.0", remote_write_histograms="both")
    assert send(known, result) == 0
    [(headers, body)] = v2.got
    assert (headers["Content-Type"], headers["X-Prometheus-Remote-Write-Version"]) == (V2, "2.0.0")
    assert headers["Content-Encoding"] == "snappy"
    request = decode_request(body)
    assert request.symbols[0] == ""
    assert len(set(request.symbols)) == len(request.symbols)
    series = v2.series()
    for labels, one, _ in series:
        assert list(labels) == sorted(labels)
        assert (len(one.samples) > 0) != (len(one.histograms) > 0)
    at = round(result.ended_at.timestamp() * 1000)
    latency = next(each for each in series if each[0]["__name__"] == "synthetic_latency_seconds")
    assert latency[0] == {
        "__name__": "synthetic_latency_seconds",
        "job": "synthetic_monitor",
        "journey": "buy",
        "location": "office",
        "step": "pay",
    }
    assert [(one.value, one.timestamp) for one in latency[1].samples] == [(0.3, at)]
    assert latency[2] == (2, "Latency of a passed step by the page clock.", "seconds")
    runs = next(each for each in series if each[0].get("status") == "passed")
    assert [one.value for one in runs[1].samples] == [0.0, 1.0]
    assert runs[2][0] == 1
    empty, one = [each[1] for each in series if each[0]["__name__"] == "synthetic_step_latency_seconds"]
    assert (empty.histograms[0].count_int, len(empty.histograms[0].positive_spans)) == (0, 0)
    [histogram] = one.histograms
    assert (histogram.count_int, histogram.sum, histogram.schema, histogram.zero_count_int) == (1, 0.3, 3, 0)
    # 0.3 is above 2 ** (-14 / 8) and at most 2 ** (-13 / 8).
    assert [(each.offset, each.length) for each in histogram.positive_spans] == [(-13, 1)]
    assert (list(histogram.positive_deltas), histogram.timestamp) == ([1], at)
    assert one.metadata.type == 3
    [exemplar] = one.exemplars
    text = list(request.symbols)
    assert (named(exemplar.labels_refs, text), exemplar.value) == ({"run_id": result.id, "trace_id": "1" * 32}, 0.3)


@pytest.mark.parametrize("knows", ["only 1.0, and says so", "only 1.0, and does not look"])
def test_a_receiver_of_version_1_gets_that(v2: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture, knows: str) -> None:
    v2.knows = knows
    assert send(settings(tmp_path, v2.address, remote_write_protocol="2.0"), run(2), run(1)) == 0
    assert v2.types() == [V2, "application/x-protobuf", "application/x-protobuf"]
    assert v2.got[1][0]["X-Prometheus-Remote-Write-Version"] == "0.1.0"
    assert caplog.text.count("does not speak version 2.0") == 1


def test_a_real_receiver_of_version_1_loses_nothing(receiver: Address, tmp_path: Path) -> None:
    prometheus = receiver.start()
    assert send(settings(tmp_path, receiver.write, remote_write_protocol="2.0"), run(3), run(2), run(1)) == 0
    assert value(prometheus, 'synthetic_runs_total{status="passed"}') == 3


def test_stale_markers_are_bits_that_survive(v2: Receiver, tmp_path: Path) -> None:
    known = settings(tmp_path, v2.address, remote_write_protocol="2.0", remote_write_histograms="native")
    send(known, run(1))
    telemetry = Telemetry(known, "run")
    telemetry.forget("buy")
    assert telemetry.stop(30) == 0
    body = v2.got[-1][1]
    series = v2.series()
    assert len(series) > 10
    points = sum(len(one.samples) + len(one.histograms) for _, one, _ in series)
    assert body.count((0x7FF0000000000002).to_bytes(8, "little")) == points


@pytest.mark.parametrize("given", ["3", "two", "1"])
def test_an_unknown_version_is_refused(given: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'.*' is not a version of remote write; choose one of 1\.0, 2\.0"):
        load_settings(tmp_path, {}, {"JOURNEY_REMOTE_WRITE_PROTOCOL": given})


def test_a_version_without_quotes_is_one_too(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text("remote_write_protocol = 2.0\n")
    assert load_settings(tmp_path, {}, {}).remote_write_protocol == "2.0"
