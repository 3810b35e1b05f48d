"""The spans of a site's backend are in the run's trace, below the step that asked for them."""

from runner.telemetry.trace_ids import step_span_id
from tests.conftest import Monitor
from tests.support.services.otlp import SpanReceiver
from tests.support.wait import wait_until

CODE = """
@journey
def walk(page, step):
    with step("open"):
        page.goto("/")
    with step("ask"):
        with page.expect_event("requestfinished", lambda one: "/api/wait" in one.url):
            page.evaluate("fetch('/api/wait?delay=1').then((answer) => answer.text())")
"""


def test_the_spans_of_an_instrumented_shop_are_below_the_steps(monitor: Monitor, span_receiver: SpanReceiver) -> None:
    # Every process of the tests imports this file; OpenTelemetry's SDK takes longer than most files.
    from tests.support.services.traced_shop import running_traced_shop

    with running_traced_shop(span_receiver.http) as shop:
        result = monitor.run(CODE, base_url=shop, trace_origins=[shop])
        assert result.status == "passed", result.failure
        wait_until(lambda: {"GET /", "GET /api/wait"} <= {one.name for one in span_receiver.spans})
    of = {one.name: one for one in span_receiver.spans}
    for name, index in (("GET /", 0), ("GET /api/wait", 1)):
        ids = (of[name].trace_id.hex(), of[name].parent_span_id.hex())
        assert ids == (result.trace_id, step_span_id(result.id, 1, index))


def test_in_the_page_they_are_below_the_request_itself(monitor: Monitor, span_receiver: SpanReceiver) -> None:
    from tests.support.services.traced_shop import running_traced_shop

    with running_traced_shop(span_receiver.http) as shop:
        result = monitor.run(CODE, base_url=shop, trace_origins=[shop], trace_requests="api")
        assert result.status == "passed", result.failure
        wait_until(lambda: any(one.name == "GET /api/wait" for one in span_receiver.spans))
    (asked,) = (one for one in result.steps[1].requests.entries if "/api/wait" in one.url)
    (backend,) = (one for one in span_receiver.spans if one.name == "GET /api/wait")
    assert (backend.trace_id.hex(), backend.parent_span_id.hex()) == (result.trace_id, asked.span_id)
