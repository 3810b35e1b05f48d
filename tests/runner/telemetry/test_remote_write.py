"""Remote write to a real Prometheus: counters that lose nothing while it is away, at the runs' own times."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest
from msgspec.structs import replace

from runner.archive.run_id import run_id
from runner.errors import ConfigError
from runner.events import RunEnded
from runner.result import Failure, RunResult, Status, StepResult
from runner.settings.load_settings import load_settings
from runner.settings.settings import Settings
from runner.telemetry.counters import OLD_FILE, Counters, list_places, place_of, read_counters
from runner.telemetry.run_samples import sample_run
from runner.telemetry.telemetry import FOLDER, Telemetry
from tests.support.services.daemon import Daemon, tick
from tests.support.services.http_server import serving_handler
from tests.support.services.otlp import SpanReceiver
from tests.support.services.servers import Prometheus, free_port, get, running
from tests.support.wait import wait_until


class Address:
    """Where a Prometheus will listen, and how to start it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.write = f"http://{self.address}/api/v1/write"
        self._folder = folder
        self._stack = stack

    def start(self, rules: str = "groups: []", *features: str) -> Prometheus:
        """Starts it; it takes what is written to it, and evaluates the rules each second."""
        config = self._folder / "prometheus.yml"
        config.write_text("global: {evaluation_interval: 1s}\nrule_files: [rules.yml]\n")
        (self._folder / "rules.yml").write_text(rules)
        command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self._folder / 'tsdb'}"]
        command += ["--web.enable-remote-write-receiver", f"--enable-feature={','.join(['exemplar-storage', *features])}"]
        self._stack.enter_context(running([*command, f"--web.listen-address={self.address}"], f"http://{self.address}/-/ready"))
        return Prometheus(f"http://{self.address}")


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Address]:
    with ExitStack() as stack:
        yield Address(tmp_path, stack)


def ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def run(minutes: float, status: Status = "passed", latency: float = 0.3, steps: tuple[str, ...] = ("pay",)) -> RunResult:
    at = ago(minutes)
    failure = Failure(kind="timeout", message="waited") if status == "failed" else None
    return RunResult(
        id=run_id(),
        journey="buy",
        status=status,
        started_at=at - timedelta(seconds=2),
        ended_at=at,
        duration_seconds=2.0,
        location="office",
        failure=failure,
        trace_id="1" * 32,
        steps=tuple(
            StepResult(name=name, index=index, status=status, latency_seconds=latency, wall_seconds=latency)
            for index, name in enumerate(steps)
        ),
    )


def settings(folder: Path, address: str, **given: str) -> Settings:
    environ = {f"JOURNEY_{name.upper()}": value for name, value in given.items()}
    return load_settings(folder, {"runs_dir": folder / "runs", "remote_write": address, "location": "office"}, environ)


def send(known: Settings, *results: RunResult) -> int:
    telemetry = Telemetry(known, "run")
    for one in results:
        telemetry(RunEnded(result=one))
    return telemetry.stop(30)


def value(prometheus: Prometheus, query: str) -> float | None:
    found = prometheus.query(query)
    return float(found[0]["value"][1]) if found else None


def test_an_outage_loses_no_run_and_each_has_its_own_time(receiver: Address, tmp_path: Path) -> None:
    known = settings(tmp_path, receiver.write)
    results = [run(50 - 5 * number, "failed" if number in {3, 7} else "passed") for number in range(10)]
    assert send(known, *results[:5]) == 5
    assert send(known, *results[5:]) == 10
    prometheus = receiver.start()
    assert send(known) == 0
    assert value(prometheus, 'last_over_time(synthetic_runs_total{status="passed"}[2h])') == 8
    assert value(prometheus, 'last_over_time(synthetic_runs_total{status="failed"}[2h])') == 2
    # Two zeros more than runs: where each series begins.
    assert value(prometheus, 'count_over_time(synthetic_runs_total{status="failed"}[2h])') == 11
    assert value(prometheus, 'count_over_time(synthetic_success{journey="buy",location="office"}[2h])') == 10
    newest = value(prometheus, "timestamp(last_over_time(synthetic_success[2h]))")
    assert newest is not None
    at = (results[3].ended_at + timedelta(seconds=1)).timestamp()
    answer = get(f"{prometheus.address}/api/v1/query?query={quote('synthetic_success')}&time={at}")
    assert json.loads(answer or "")["data"]["result"][0]["value"][1] == "0"


def test_counters_and_histograms_go_on_over_restarts_with_the_run_as_exemplar(receiver: Address, tmp_path: Path) -> None:
    prometheus = receiver.start()
    (tmp_path / "journey.toml").write_text('[slo.fast]\njourneys = ["buy"]\nobjective = "95%"\nstep = "pay"\nunder = "650ms"')
    known = settings(tmp_path, receiver.write)
    results = [run(4, latency=0.3), run(3, latency=0.7), run(2, "failed")]
    for one in results:
        assert send(known, one) == 0
    assert value(prometheus, 'synthetic_step_latency_seconds_bucket{step="pay",le="0.65"}') == 1
    assert value(prometheus, 'synthetic_step_latency_seconds_bucket{step="pay",le="+Inf"}') == 2
    assert value(prometheus, "synthetic_step_latency_seconds_count") == 2
    assert value(prometheus, "synthetic_step_latency_seconds_sum") == pytest.approx(1.0)
    assert value(prometheus, 'increase(synthetic_runs_total{status="failed"}[10m])') == pytest.approx(1, abs=0.6)
    query = quote("synthetic_step_latency_seconds_bucket")
    answer = get(
        f"{prometheus.address}/api/v1/query_exemplars?query={query}&start={ago(10).timestamp()}&end={ago(0).timestamp()}"
    )
    exemplars = [one["labels"] for series in json.loads(answer or "")["data"] for one in series["exemplars"]]
    assert {"run_id": results[0].id, "trace_id": "1" * 32} in exemplars


def test_what_a_run_no_longer_has_ends_and_so_does_a_journey_that_is_gone(receiver: Address, tmp_path: Path) -> None:
    prometheus = receiver.start()
    known = settings(tmp_path, receiver.write)
    send(known, run(2, steps=("pay", "old")), run(1))
    assert value(prometheus, 'synthetic_latency_seconds{step="pay"}') == 0.3
    assert value(prometheus, 'synthetic_latency_seconds{step="old"}') is None
    telemetry = Telemetry(known, "run")
    telemetry.forget("buy")
    assert telemetry.stop(30) == 0
    assert prometheus.query('{journey="buy"}') == []
    # It comes back, and its counters go on.
    send(known, run(0.5))
    assert value(prometheus, 'synthetic_runs_total{status="passed"}') == 3


def test_a_journey_that_left_the_schedule_unnoticed_ends_at_the_next_start(receiver: Address, tmp_path: Path) -> None:
    prometheus = receiver.start()
    known = settings(tmp_path, receiver.write)
    send(known, run(1))
    telemetry = Telemetry(known, "run")
    telemetry.keep({"buy"})
    assert telemetry.stop(30) == 0
    assert prometheus.query("synthetic_success") != []
    telemetry = Telemetry(known, "run")
    telemetry.keep({"look"})
    assert telemetry.stop(30) == 0
    assert prometheus.query("synthetic_success") == []


def test_samples_that_are_too_old_are_given_up_but_counted(receiver: Address, tmp_path: Path) -> None:
    prometheus = receiver.start()
    known = settings(tmp_path, receiver.write)
    assert send(known, run(3)) == 0
    old = run(300)
    assert send(known, RunResult(**{name: getattr(old, name) for name in old.__struct_fields__} | {"journey": "look"})) == 0
    assert prometheus.query('last_over_time(synthetic_success{journey="look"}[12h])') == []
    again = run(1)
    send(known, RunResult(**{name: getattr(again, name) for name in again.__struct_fields__} | {"journey": "look"}))
    assert value(prometheus, 'synthetic_runs_total{journey="look",status="passed"}') == 2


class Recorded:
    """What a receiver that answers as the test wants has got."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.headers: list[dict[str, str]] = []
        self.address = ""
        self.words = b""


@pytest.fixture
def stub() -> Iterator[Recorded]:
    recorded = Recorded()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answers with the next status, 204 after the last."""
            self.rfile.read(int(self.headers["Content-Length"]))
            recorded.headers.append(dict(self.headers.items()))
            self.send_response(recorded.answers.pop(0) if recorded.answers else 204)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.end_headers()
            self.wfile.write(recorded.words)

    with serving_handler(Handler) as address:
        recorded.address = f"{address}/write"
        yield recorded


def test_a_run_that_ended_before_a_newer_one_counts_and_does_not_replace_its_state() -> None:
    counters = Counters()
    sample_run(run(1), counters, ())
    late = sample_run(run(5, "failed"), counters, ())
    assert {one.labels["__name__"] for one in late} == {"synthetic_runs_total"}
    assert [one.samples[-1][1] for one in late if one.labels["status"] in {"passed", "failed"}] == [1.0, 1.0]


@pytest.mark.parametrize(("status", "left"), [(503, 1), (429, 1), (302, 1), (401, 1), (404, 1), (400, 0), (204, 0)])
def test_only_what_is_refused_for_good_is_given_up(stub: Recorded, tmp_path: Path, status: int, left: int) -> None:
    stub.answers = [status]
    assert send(settings(tmp_path, stub.address), run(1)) == left


def test_what_a_receiver_says_is_one_line_without_escapes(
    stub: Recorded, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stub.answers, stub.words = [503], b"<h1>\n  no room\n</h1>\x1b[31m" + b"x" * 5_000
    assert send(settings(tmp_path, stub.address), run(1)) == 1
    [line] = [record.getMessage() for record in caplog.records]
    assert "<h1> no room </h1>" in line
    assert "\x1b" not in line
    assert len(line) < 800


def test_a_run_that_is_sent_again_after_a_crash_counts_once(stub: Recorded, tmp_path: Path) -> None:
    known = settings(tmp_path, stub.address)
    result = run(1)
    send(known, result)
    send(known, result)
    assert passed(tmp_path) == [1.0]
    assert len(stub.headers) == 1


def passed(folder: Path, journey: str = "buy") -> list[float]:
    """The counters of a journey's runs that passed."""
    counters = read_counters(folder / "runs" / FOLDER / "remote-write", place_of(journey, "office"))
    return [number for key, number in counters.values.items() if '"passed"' in key]


def test_counters_of_an_older_version_go_on(stub: Recorded, tmp_path: Path) -> None:
    """It kept those of all journeys in one file."""
    folder = tmp_path / "runs" / FOLDER / "remote-write"
    old, sent = Counters(), run(3)
    for one in (sent, replace(run(2), journey="look"), replace(run(1), journey="look")):
        sample_run(one, old, ())
    old.note(sent.id)
    folder.mkdir(parents=True)
    (folder / OLD_FILE).write_bytes(msgspec.json.encode(old))
    known = settings(tmp_path, stub.address)
    assert set(list_places(folder)) == {("buy", "office"), ("look", "office")}
    # The first was sent before and is known.
    assert send(known, sent, replace(run(0.5), journey="look")) == 0
    assert (passed(tmp_path), passed(tmp_path, "look")) == ([1.0], [3.0])
    assert len(stub.headers) == 1
    assert not (folder / OLD_FILE).exists()
    assert set(list_places(folder)) == {("buy", "office"), ("look", "office")}


@pytest.mark.parametrize(
    ("given", "header"),
    [
        ({"remote_write_username": "ada", "remote_write_password": "tea"}, "Basic YWRhOnRlYQ=="),
        ({"remote_write_bearer_token": "oolong"}, "Bearer oolong"),
    ],
)
def test_the_protocol_and_the_credentials_are_in_the_headers(
    stub: Recorded, tmp_path: Path, given: dict[str, str], header: str
) -> None:
    send(settings(tmp_path, stub.address, **given), run(1))
    [headers] = stub.headers
    assert headers["Authorization"] == header
    assert headers["X-Prometheus-Remote-Write-Version"] == "0.1.0"
    assert (headers["Content-Encoding"], headers["Content-Type"]) == ("snappy", "application/x-protobuf")


def test_secrets_are_refused_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text('remote_write_bearer_token = "oolong"')
    with pytest.raises(ConfigError, match="remote_write_bearer_token must not be in a file that others can read"):
        load_settings(tmp_path, {}, {})


@pytest.mark.thorough
def test_a_scheduler_sends_spans_and_samples_and_ends_the_series_of_a_journey_that_leaves(
    daemon: Daemon, receiver: Address, span_receiver: SpanReceiver
) -> None:
    prometheus = receiver.start()
    file = daemon.write(tick("1s", "look"))
    daemon.write(tick("1s", "stay"), "stay.py")
    address = span_receiver.http
    daemon.start(JOURNEY_REMOTE_WRITE=receiver.write, JOURNEY_OTLP_ENDPOINT=address, JOURNEY_OTLP_METRICS_ENDPOINT=address)
    wait_until(lambda: prometheus.query('synthetic_success{journey="look"}') and prometheus.query('{journey="stay"}'))
    wait_until(lambda: any(span.name == "journey look" for span in span_receiver.spans))
    file.unlink()
    wait_until(lambda: not prometheus.query('{journey="look"}'))
    assert prometheus.query('synthetic_success{journey="stay"}')
    wait_until(lambda: any(point.flags for _, point in span_receiver.points("synthetic_runs_total", journey="look")))
    assert daemon.stop() == 0
    assert not any(point.flags for _, point in span_receiver.points("synthetic_runs_total", journey="stay"))
    assert span_receiver.resource["journey.source"] == "schedule"
    assert list((daemon.folder / "runs" / FOLDER).glob("*/*.json")) == []
