"""Checks under pytest, in the files of journeys."""

import json

import pytest

from tests.runner.checks.servers import http_server
from tests.support.needs import needs
from tests.support.services.otlp import SpanReceiver

pytest_plugins = ["pytester"]
CHECKS = """
from runner import check

@check(tags=["edge"])
def answers(http):
    http.get("/health", status=200, contains="ok")

@check
def broken(http):
    http.get("/health")
    http.get("/broken")

@check(timeout=0.5)
def endless(http):
    http.get("/health")
    while True:
        pass
"""


@pytest.mark.thorough
@needs("real_time")
def test_checks_are_collected_run_without_a_browser_and_are_spans_on_request(
    pytester: pytest.Pytester, span_receiver: SpanReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNEY_OTLP_ENDPOINT", span_receiver.http)
    monkeypatch.setenv("JOURNEY_OTLP_METRICS_ENDPOINT", span_receiver.http)
    monkeypatch.setenv("JOURNEY_TRACE_TESTS", "true")
    folder = pytester.mkdir("journeys")
    (folder / "shop.py").write_text(CHECKS)
    with http_server() as port:
        done = pytester.runpytest_subprocess(
            f"--base-url=http://127.0.0.1:{port}", "--journey-json=runs.json", "-W", "ignore:Session-scoped fixtures",
            "-p", "no:schemathesis", "-p", "no:hypothesispytest", "-p", "no:anyio", timeout=120,
        )  # fmt: skip
    done.assert_outcomes(passed=1, failed=1, errors=1)
    runs = {one["journey"]: one for one in json.loads((pytester.path / "runs.json").read_text())["runs"]}
    assert {name: (one["kind"], one["status"]) for name, one in runs.items()} == {
        "answers": ("check", "passed"),
        "broken": ("check", "failed"),
        "endless": ("check", "error"),
    }
    assert runs["broken"]["failure"]["message"].startswith("HTTP 500 from http://127.0.0.1:")
    assert [one["status"] for one in runs["broken"]["steps"]] == ["passed", "failed"]
    assert "connect" in runs["answers"]["steps"][0]["phases"]
    done.stdout.fnmatch_lines(["*HTTP 500 from*"])
    # One trace for each, by the id that the run has; no metrics.
    sent = {span.name: span.trace_id.hex() for span in span_receiver.spans if not span.parent_span_id}
    assert sent == {f"journey {name}": one["trace_id"] for name, one in runs.items()}
    assert span_receiver.resource["journey.source"] == "pytest"
    assert span_receiver.metrics == []
