"""One run of the demo's journey `buy` as a trace: its own spans and those of the shop's backend, as one receiver got them, as a page.

The shop is instrumented with OpenTelemetry's SDK (`tests/support/services/traced_shop.py`).
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from msgspec import Struct
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from runner.demo import journeys_folder
from tests.support.services.http_server import serving_handler
from tests.support.services.traced_shop import running_traced_shop

SECRETS = {"EMAIL": "tea@example.com", "PASSWORD": "oolong-and-milk", "CARD": "4242 4242 4242 4242"}
STEP = "pay"
"""The step whose spans are shown."""
STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; background: light-dark(#fff, #16181d);
        color: light-dark(#1c2024, #e6e8ec) }
body { margin: 2.2rem 2.4rem } h1 { font-size: 1.35rem; margin: 0 0 .2rem } p { margin: 0 0 1.3rem; color: light-dark(#5b6470, #9aa3b0) }
code { font: .86em ui-monospace, monospace } table { border-collapse: collapse; width: 100% }
th { text-align: left; font-weight: 600; color: light-dark(#5b6470, #9aa3b0); font-size: .85rem }
th, td { padding: .32rem .6rem .32rem 0; border-bottom: 1px solid light-dark(#e3e6ea, #2a2e36); white-space: nowrap }
td.chart { width: 36%; padding-right: 0 } .bar { height: 14px; border-radius: 3px; min-width: 3px; position: relative }
.journey { background: light-dark(#2f6fde, #6ea0ff) } .shop { background: light-dark(#c2590c, #f0975a) }
.name { font-weight: 600 } .shop-name { color: light-dark(#a44a08, #f0975a) } td.right, th.right { text-align: right; padding-right: 1.2rem }
"""


class Span(Struct, frozen=True):
    """A span of the trace."""

    service: str
    name: str
    path: str
    id: str
    parent: str
    trace: str
    begins: int
    ends: int
    """Nanoseconds."""


def write_page(folder: Path) -> Path:
    """Runs the journey, and writes what the receiver got of the step as a page; returns its file."""
    spans = _collect(folder)
    (step,) = (one for one in spans if one.name == STEP and one.service == "journey")
    below = list(_order(spans, step, 0))
    if not {"journey", "shop"} <= {one.service for one, _ in below[1:]}:
        raise SystemExit(f"the step {STEP!r} has no spans of both services below it")
    if {one.trace for one, _ in below} != {step.trace}:
        raise SystemExit("the spans are not of one trace")
    file = folder / "spans.html"
    file.write_text(_render(below, step))
    return file


def _collect(folder: Path) -> list[Span]:
    spans: list[Span] = []
    with _receiving(spans) as receiver, running_traced_shop(receiver) as shop:
        environment = {f"JOURNEY_SECRET_{name}": text for name, text in SECRETS.items()}
        environment |= {"JOURNEY_OTLP_ENDPOINT": receiver, "JOURNEY_TRACE_ORIGINS": shop, "JOURNEY_OTLP_TIMEOUT": "60s"}
        journey, runs = str(Path(sys.executable).with_name("journey")), str(folder / "traced-runs")
        command = [journey, "run", str(journeys_folder() / "buy.py"), "--base-url", shop, "--runs-dir", runs]
        subprocess.run(command, cwd=folder, env={**os.environ, **environment}, check=True)
    return spans


@contextmanager
def _receiving(spans: list[Span]) -> Iterator[str]:
    """A receiver of OTLP over HTTP; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Keeps the spans."""
            request = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
            for resource in request.resource_spans:
                service = _text(resource.resource.attributes, "service.name")
                spans.extend(_read(one, service) for scope in resource.scope_spans for one in scope.spans)
            self.send_response(200)
            self.end_headers()

    with serving_handler(Handler) as address:
        yield address


def _read(one: Any, service: str) -> Span:
    path = _text(one.attributes, "url.full")
    return Span(
        service=service,
        name=one.name,
        path="/" + path.split("/", 3)[3] if path.count("/") > 2 else "",
        id=one.span_id.hex(),
        parent=one.parent_span_id.hex(),
        trace=one.trace_id.hex(),
        begins=one.start_time_unix_nano,
        ends=one.end_time_unix_nano,
    )


def _text(attributes: Any, name: str) -> str:
    return next((one.value.string_value for one in attributes if one.key == name), "")


def _order(spans: Sequence[Span], span: Span, depth: int) -> Iterator[tuple[Span, int]]:
    """A span and all below it, each with its depth."""
    yield span, depth
    for one in sorted((one for one in spans if one.parent == span.id), key=lambda one: one.begins):
        yield from _order(spans, one, depth + 1)


def _render(below: Sequence[tuple[Span, int]], step: Span) -> str:
    first = min(one.begins for one, _ in below)
    whole = max(max(one.ends for one, _ in below) - first, 1)
    rows = []
    for one, depth in below:
        left, width = (one.begins - first) / whole * 100, (one.ends - one.begins) / whole * 100
        rows.append(
            f'<tr><td style="padding-left:{depth * 1.5}rem"><span class="name {one.service}-name">{one.service}</span> {escape(one.name)}'
            f' <code>{escape(one.path[:44])}</code></td><td class="right">{(one.ends - one.begins) / 1e6:.1f} ms</td>'
            f"<td><code>{one.id[:8]}</code></td><td><code>{one.parent[:8]}</code></td>"
            f'<td class="chart"><div class="bar {one.service}" style="left:{left:.2f}%;width:{width:.2f}%"></div></td></tr>'
        )
    return (
        f"<!doctype html><meta charset=utf-8><title>Spans</title><style>{STYLE}</style><h1>Step “{escape(step.name)}” of the journey “buy”</h1>"
        f"<p>trace <code>{step.trace}</code>: the spans of the journey, and those of the shop's backend, as one receiver got them</p>"
        f"<table><tr><th>span<th class=right>took<th>id<th>parent<th></tr>{''.join(rows)}</table>"
    )
