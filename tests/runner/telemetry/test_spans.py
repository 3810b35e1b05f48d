"""Runs as spans, in a receiver built from OpenTelemetry's published protobuf."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from runner.archive.run_id import run_id
from runner.codec import encode
from runner.errors import ConfigError
from runner.events import RunEnded
from runner.result import (
    Attempt,
    Environment,
    Failure,
    Navigation,
    PageError,
    Request,
    Requests,
    RunResult,
    StepResult,
    UserTiming,
    Vitals,
)
from runner.settings.load_settings import load_settings
from runner.settings.settings import Settings
from runner.telemetry.disk_queue import DiskQueue
from runner.telemetry.sender import NotSent, Sender
from runner.telemetry.spans import build_spans
from runner.telemetry.telemetry import FOLDER, Telemetry
from runner.telemetry.trace_ids import step_span_id, trace_id
from tests.support.services.otlp import SpanReceiver, attributes
from tests.support.services.servers import free_port
from tests.support.wait import wait_until

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


OPEN = StepResult(
    name="open",
    index=0,
    status="passed",
    started_at=NOON,
    latency_seconds=0.6,
    wall_seconds=0.9,
    clock="page",
    cause="navigation",
    cause_at_seconds=0.1,
    ended_by="load",
    navigations=(
        Navigation(
            url="http://shop.example/", type="navigate", started_at=after(0.1), status=200, phases={"ttfb": 0.2, "total": 0.5}
        ),
    ),
    vitals=Vitals(ttfb=0.2, lcp=0.4, cls=0.01),
    requests=Requests(
        ok=2,
        failed=1,
        entries=(
            Request(
                url="http://shop.example/", method="GET", kind="document", at_seconds=0.1, duration_seconds=0.3, status=200
            ),
            Request(
                url="http://shop.example:81/a.js", method="GET", kind="script", at_seconds=0.3, duration_seconds=0.1, status=404
            ),
            Request(
                url="http://ads.example/x",
                method="POST",
                kind="fetch",
                at_seconds=0.8,
                duration_seconds=0.05,
                failure="net::ERR",
            ),
        ),
    ),
    user_timing=(UserTiming(name="hero", kind="mark", at_seconds=0.35),),
    page_errors=(PageError(message="x is not defined", url="http://shop.example/"),),
)
PAY = StepResult(
    name="pay",
    index=1,
    status="failed",
    started_at=after(1),
    latency_seconds=2.0,
    wall_seconds=2.0,
    failure=Failure(kind="timeout", message="waited for the button\nand for more", step="pay"),
)


def run(status: Any = "failed", kind: Any = "timeout", **more: Any) -> RunResult:
    failure = Failure(kind=kind, message="waited for the button\nand for more", step="pay") if status != "passed" else None
    return RunResult(
        id=run_id(),
        journey="buy",
        status=status,
        started_at=NOON,
        ended_at=after(4),
        duration_seconds=4.0,
        location="office",
        release="7",
        steps=(OPEN, replace(PAY, status=status, failure=failure)),
        failure=failure,
        environment=Environment(browser="chromium 156", base_url="http://shop.example"),
        **more,
    )


def settings(folder: Path, **given: str) -> Settings:
    return load_settings(
        folder, {"runs_dir": folder / "runs"}, {f"JOURNEY_{name.upper()}": value for name, value in given.items()}
    )


def send(known: Settings, *results: RunResult) -> int:
    telemetry = Telemetry(known, "run")
    for one in results:
        telemetry(RunEnded(result=one))
    return telemetry.stop(30)


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_run_arrives_with_the_ids_that_are_known_before(span_receiver: SpanReceiver, tmp_path: Path, protocol: str) -> None:
    result = run()
    address = span_receiver.grpc if protocol == "grpc" else span_receiver.http
    known = settings(tmp_path, otlp_endpoint=address, otlp_protocol=protocol, otlp_headers="api-key=a%20b,x=1")
    assert send(known, result) == 0
    spans = {span.name if span.name != "GET" else attributes(span)["url.full"]: span for span in span_receiver.spans}
    assert {span.trace_id.hex() for span in spans.values()} == {trace_id(result.id)}
    root, attempt, step, page = (spans[name] for name in ("journey buy", "attempt 1", "open", "navigation"))
    assert step.span_id.hex() == step_span_id(result.id, 1, 0)
    assert (root.parent_span_id, attempt.parent_span_id, step.parent_span_id) == (b"", root.span_id, attempt.span_id)
    assert page.parent_span_id == step.span_id
    # A request belongs to the document that was loading when it began, a later one to the step.
    assert spans["http://shop.example:81/a.js"].parent_span_id == page.span_id
    assert spans["POST"].parent_span_id == step.span_id
    headers = span_receiver.headers[0]
    assert (headers["api-key"], headers["x"]) == ("a b", "1")
    assert {
        name: span_receiver.resource[name] for name in ("service.name", "journey.name", "journey.location", "journey.release")
    } == {
        "service.name": "journey",
        "journey.name": "buy",
        "journey.location": "office",
        "journey.release": "7",
    }


def test_steps_are_stamped_by_the_page_clock(span_receiver: SpanReceiver, tmp_path: Path) -> None:
    send(settings(tmp_path, otlp_endpoint=span_receiver.http), run())
    step = next(span for span in span_receiver.spans if span.name == "open")
    start = int(NOON.timestamp()) * 10**9
    assert (step.start_time_unix_nano - start, step.end_time_unix_nano - start) == (100_000_000, 700_000_000)
    events = {(event.name, attributes(event).get("name")): event for event in step.events}
    assert events["browser.web_vital", "lcp"].time_unix_nano - start == 500_000_000
    assert attributes(events["browser.web_vital", "cls"])["value"] == 0.01
    assert events["mark", "hero"].time_unix_nano - start == 350_000_000
    assert attributes(events["exception", None])["exception.message"] == "x is not defined"


def test_http_follows_the_semantic_conventions(span_receiver: SpanReceiver, tmp_path: Path) -> None:
    send(settings(tmp_path, otlp_endpoint=span_receiver.http), run())
    script, refused = (
        next(one for one in span_receiver.spans if attributes(one).get("journey.resource_type") == kind)
        for kind in ("script", "fetch")
    )
    found = attributes(script)
    assert (script.kind, script.status.code, found["http.response.status_code"], found["error.type"]) == (3, 2, 404, "404")
    assert (found["http.request.method"], found["server.address"], found["server.port"]) == ("GET", "shop.example", 81)
    assert (refused.status.code, refused.status.message, attributes(refused)["error.type"]) == (2, "net::ERR", "net::ERR")


@pytest.mark.parametrize(("status", "kind", "fault"), [("failed", "timeout", "site"), ("error", "browser", "monitor")])
def test_an_error_says_whose_fault_it_is(
    span_receiver: SpanReceiver, tmp_path: Path, status: str, kind: str, fault: str
) -> None:
    send(settings(tmp_path, otlp_endpoint=span_receiver.http), run(status, kind))
    for name in ("journey buy", "attempt 1", "pay"):
        span = next(one for one in span_receiver.spans if one.name == name)
        assert (span.status.code, span.status.message) == (2, "waited for the button")
        assert (attributes(span)["journey.fault"], attributes(span)["error.type"]) == (fault, kind)
    assert next(one for one in span_receiver.spans if one.name == "open").status.code == 0


def test_a_retry_is_linked_to_the_first_attempt() -> None:
    first = Attempt(number=1, status="failed", started_at=NOON, duration_seconds=1.0, steps=(PAY,), failure=PAY.failure)
    spans = {one.name: one for one in build_spans(run("passed", attempts=2, earlier_attempts=(first,)))}
    assert spans["attempt 2"].links == (spans["attempt 1"].id,)
    assert spans["attempt 1"].links == ()
    assert len({one.id for one in build_spans(run("passed", attempts=2, earlier_attempts=(first,)))}) == 10


def test_the_second_look_does_not_count() -> None:
    look = Attempt(number=2, status="failed", started_at=after(2), duration_seconds=1.0, steps=(PAY,), failure=PAY.failure)
    spans = {one.name: one for one in build_spans(run(second_look=look))}
    assert (spans["second look"].attributes["journey.counts"], spans["attempt 1"].attributes["journey.counts"]) == (False, True)
    assert spans["attempt 1"].ended_at == after(2)


def test_parts_that_did_not_run_have_no_span() -> None:
    result = replace(run(), steps=(replace(OPEN, status="skipped", started_at=None),))
    assert [one.name for one in build_spans(result)] == ["journey buy", "attempt 1"]


def test_runs_wait_on_the_disk_while_the_receiver_is_away_and_for_the_next_process(
    span_receiver: SpanReceiver, tmp_path: Path
) -> None:
    results = [run("passed") for _ in range(3)]
    away = settings(tmp_path, otlp_endpoint=f"http://127.0.0.1:{free_port()}", otlp_timeout="100ms")
    assert send(away, *results) == 3
    span_receiver.status = 503
    refused = settings(tmp_path, otlp_endpoint=span_receiver.http, otlp_timeout="100ms")
    assert send(refused) == 3
    span_receiver.status = 200
    assert send(settings(tmp_path, otlp_endpoint=span_receiver.http)) == 0
    arrived = [span.trace_id.hex() for span in span_receiver.spans if span.name == "journey buy"]
    assert arrived == [trace_id(one.id) for one in results]


@pytest.mark.real_time
def test_a_receiver_that_comes_back_gets_what_waits(span_receiver: SpanReceiver, tmp_path: Path) -> None:
    span_receiver.status = 503
    telemetry = Telemetry(settings(tmp_path, otlp_endpoint=span_receiver.http, otlp_timeout="2s"), "run")
    telemetry(RunEnded(result=run()))
    wait_until(lambda: span_receiver.paths)
    span_receiver.status = 200
    wait_until(lambda: telemetry.waiting == 0)
    assert span_receiver.spans
    telemetry.stop(1)


def test_the_queue_is_bounded_and_the_oldest_goes(tmp_path: Path) -> None:
    queue = DiskQueue(tmp_path, 25)
    assert [queue.put(f"{number}", b"x" * 10) for number in range(4)] == [0, 0, 1, 1]
    assert [key for key, _ in queue.items()] == ["2", "3"]


def test_what_cannot_be_read_holds_up_nothing(span_receiver: SpanReceiver, tmp_path: Path) -> None:
    queue = DiskQueue(tmp_path / "runs" / FOLDER / "otlp", 1_000_000)
    queue.put("0", b"{half")
    assert send(settings(tmp_path, otlp_endpoint=span_receiver.http), run()) == 0
    assert span_receiver.spans


def test_what_an_older_version_has_put_into_the_queue_is_sent(span_receiver: SpanReceiver, tmp_path: Path) -> None:
    old, result = run(), run()
    DiskQueue(tmp_path / "runs" / FOLDER / "otlp", 1_000_000).put(old.id, encode(old))
    assert send(settings(tmp_path, otlp_endpoint=span_receiver.http), result) == 0
    sources = [attributes(one.resource_spans[0].resource).get("journey.source") for one in span_receiver.requests]
    assert sources == [None, "run"]


def test_runs_of_tests_are_sent_at_the_end(span_receiver: SpanReceiver, tmp_path: Path) -> None:
    telemetry = Telemetry(settings(tmp_path, otlp_endpoint=span_receiver.http), "smoke")
    for _ in range(3):
        telemetry(RunEnded(result=run()))
    assert telemetry.waiting == 3
    assert telemetry.stop(30) == 0
    assert len(span_receiver.requests) == 3


def test_what_an_exporter_chokes_on_holds_up_nothing(tmp_path: Path) -> None:
    sent: list[str] = []

    def send(key: str, content: bytes) -> None:
        if content == b"odd":
            raise ValueError("a number that no float can hold")
        sent.append(key)

    sender = Sender("test", DiskQueue(tmp_path, 1_000), send)
    sender.put("1", b"odd")
    sender.put("2", b"even")
    assert sender.stop(10) == 0
    assert sent == ["2"]


def test_where_the_order_counts_no_run_overtakes_an_older_one(tmp_path: Path) -> None:
    tried: list[str] = []

    def send(key: str, _: bytes) -> None:
        tried.append(key)
        raise NotSent("away")

    sender = Sender("test", DiskQueue(tmp_path, 1_000), send, in_order=True)
    sender.put("1", b"old")
    sender.put("2", b"new")
    wait_until(lambda: tried)
    assert sender.stop(10) == 2
    assert set(tried) == {"1"}


@pytest.mark.real_time
def test_a_run_that_is_rejected_while_others_are_accepted_is_given_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def send(key: str, content: bytes) -> None:
        if content == b"odd":
            raise NotSent("too large")

    sender = Sender("test", DiskQueue(tmp_path, 1_000), send)
    sender.put("1", b"odd")
    for number in range(2, 9):
        sender.put(f"{number}", b"even")
        wait_until(lambda: sender.waiting <= 1)
    wait_until(lambda: sender.waiting == 0)
    assert sender.stop(10) == 0
    assert "the run 1 was rejected 3 times while others were accepted" in caplog.text


@pytest.mark.long
def test_many_spans_go_in_several_messages(span_receiver: SpanReceiver, tmp_path: Path) -> None:
    entries = OPEN.requests.entries[:1] * 1500
    result = replace(run(), steps=(replace(OPEN, requests=Requests(ok=1500, entries=entries)),))
    assert send(settings(tmp_path, otlp_endpoint=span_receiver.http), result) == 0
    assert len(span_receiver.requests) == 2
    assert len({span.span_id for span in span_receiver.spans}) == len(build_spans(result))


def test_variables_of_opentelemetry_are_honoured(
    span_receiver: SpanReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "key=of-otel")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop-monitor")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging")
    known = load_settings(tmp_path, {}, {"OTEL_EXPORTER_OTLP_ENDPOINT": span_receiver.http})
    assert send(known, run()) == 0
    assert span_receiver.headers[0]["key"] == "of-otel"
    assert span_receiver.resource["service.name"] == "shop-monitor"
    assert span_receiver.resource["deployment.environment.name"] == "staging"


def test_the_programs_own_settings_win_over_those_of_the_machine(tmp_path: Path) -> None:
    machine = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    (tmp_path / "journey.toml").write_text('otlp_endpoint = "http://b"')
    known = load_settings(tmp_path, {}, machine)
    assert (known.otlp_endpoint, known.otlp_protocol) == ("http://b", "grpc")
    assert (
        load_settings(Path("/"), {}, {**machine, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c"}).otlp_endpoint == "http://c"
    )
    for off in ({"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}):
        assert load_settings(Path("/"), {}, machine | off).otlp_endpoint is None


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("JOURNEY_OTLP_ENDPOINT", "collector:4318", "JOURNEY_OTLP_ENDPOINT: 'collector:4318' is not an address"),
        ("JOURNEY_OTLP_PROTOCOL", "http/json", "'http/json' is not a protocol; choose one of http/protobuf, grpc"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' is not a protocol"),
        ("JOURNEY_OTLP_HEADERS", "key", "is not a list of headers; write name=value"),
        ("JOURNEY_TRACE_ORIGINS", "https://shop.example/path", "is not an origin; write scheme, host and port without a path"),
        ("JOURNEY_TRACE_URL", "https://tempo.example/", "has no {trace_id}; write one such as"),
    ],
)
def test_what_is_wrong_is_said(variable: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_settings(Path("/"), {}, {variable: value})
    assert message in str(raised.value)


def test_the_default_port_of_an_origin_is_that_without_one() -> None:
    known = load_settings(
        Path("/"), {}, {"JOURNEY_TRACE_ORIGINS": "https://a.example:443 http://b.example:80,http://c.example:443"}
    )
    assert known.trace_origins == ("https://a.example", "http://b.example", "http://c.example:443")


def test_headers_are_secret(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text('otlp_headers = "key=value"')
    with pytest.raises(ConfigError, match="otlp_headers must not be in a file that others can read"):
        load_settings(tmp_path, {}, {})
