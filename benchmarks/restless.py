"""Pages that never rest, and how far the page clock is from their own stamps.

Each page notes on its own clock (`performance.now()`) when the trusted click came and when it has made the change that the step waits
for: that span is the truth, so the network adds no error. Around it the pages do what real ones do: clocks tick, lists are polled, feeds
arrive, advertisements load late. A late control is counted
from the start of the step, since the visitor waits for it too.
Run: `python -m benchmarks.restless [--rounds N] [--quick]`; the table is in docs/fidelity.md.
"""

import argparse
import asyncio
import json
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from benchmarks.fidelity import percentile
from benchmarks.restless_journey import DELAYS
from benchmarks.sites.serving import serving
from runner.archive.archive import Archive
from runner.browser.chromium import find
from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.settings.load_settings import load_settings
from runner.workers.pool import Workers
from runner.workers.run_plans import run_plans

MODES: dict[str, dict[str, str]] = {
    "defaults": {},
    "tracing": {"trace": "on"},
    "`wait_for` instead of `expect`": {"wait": "wait_for"},
    "polling waits": {"waits": "polling"},
}
"""Settings, and how the journey waits."""
TARGETS = {"at rest": 10.0, "request": 10.0}
"""The largest p95 that is aimed at, in ms; REST for all other pages."""
RESTLESS = 15.0
BASE = """<!doctype html><meta charset=utf-8><title>{name}</title>
<button id=go>Go</button> <p id=out>before</p> <div id=more></div>
<script>
const delay = Number(new URLSearchParams(location.search).get("delay"));
const at = () => performance.timeOrigin + performance.now();
const show = () => {{ out.textContent = "done"; window.changed = at(); }};
let answer = () => setTimeout(show, delay);
go.addEventListener("click", (event) => {{ window.clicked ??= performance.timeOrigin + event.timeStamp; answer(); }});
addEventListener("pointerdown", (event) => {{ window.clicked = performance.timeOrigin + event.timeStamp; }}, true);
{script}
</script>"""
PAGES = {
    "at rest": "",
    "request": "answer = () => fetch(`/wait?delay=${delay}`).then(show);",
    "ticking": "setInterval(() => { more.textContent = Date.now(); }, 100);",
    "polling": """setInterval(async () => {
        const answer = await fetch("/wait?delay=20");
        more.textContent = await answer.text() + Date.now();
    }, 370);""",
    "animated": "(function frame() { more.style.transform = `rotate(${performance.now() / 10}deg)`; requestAnimationFrame(frame); })();",
    "live list": """setInterval(() => {
        const item = document.createElement("li");
        item.textContent = Date.now();
        more.prepend(item);
        if (more.children.length > 30) more.lastChild.remove();
    }, 50);""",
    "feed": "new EventSource('/feed').onmessage = ({ data }) => { more.textContent = data; };",
    "WebSocket feed": "new WebSocket(`ws://${location.host}/socket`).onmessage = ({ data }) => { more.textContent = data; };",
    "late advertisement": """answer = () => {
        setTimeout(show, delay);
        for (const later of [60, 200, 500]) setTimeout(() => { more.innerHTML = `<iframe src="/wait?delay=100"></iframe>`; }, delay + later);
    };""",
    "skeleton": """answer = () => {
        more.innerHTML = "<div class=skeleton></div>".repeat(20);
        setTimeout(() => { more.textContent = ""; show(); }, delay);
    };""",
    "virtualised list": """let newest = 0;
        const rows = () => { more.innerHTML = Array.from({ length: 30 }, (_, n) => `<div>row ${newest + n}</div>`).join(""); };
        rows();
        setInterval(rows, 200);
        answer = () => setTimeout(() => { newest = 500; rows(); show(); }, delay);""",
    "late control": """const control = go;
        control.remove();
        setTimeout(() => { document.body.append(control); }, delay);
        answer = show;
        setInterval(() => { more.textContent = Date.now(); }, 100);""",
    "canvas": """const canvas = document.createElement("canvas");
        document.body.append(canvas);
        answer = () => setTimeout(() => { canvas.getContext("2d").fillRect(0, 0, 50, 50); window.changed = at(); }, delay);""",
}
"""What each page does beside answering a click after the delay."""


async def _page(request: Request) -> Response:
    name = request.query_params["name"]
    return HTMLResponse(BASE.format(name=name, script=PAGES[name]))


async def _wait(request: Request) -> Response:
    await asyncio.sleep(float(request.query_params["delay"]) / 1000)
    return PlainTextResponse("waited")


async def _feed(_: Request) -> Response:
    async def messages() -> AsyncIterator[str]:
        for number in range(3000):
            yield f"data: {number}\n\n"
            await asyncio.sleep(0.08)

    return StreamingResponse(messages(), media_type="text/event-stream")


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    with suppress(WebSocketDisconnect):
        for number in range(3000):
            await socket.send_text(str(number))
            await asyncio.sleep(0.08)


SITE = Starlette(
    routes=[Route("/page", _page), Route("/wait", _wait), Route("/feed", _feed), WebSocketRoute("/socket", _socket)]
)


def measure(rounds: int, delays: list[int]) -> tuple[dict[tuple[str, str], list[tuple[float, float]]], int]:
    """Signed errors of page clock and stopwatch in ms by page and mode; and how often a latency was above its stopwatch."""
    (journey,) = load_journeys(Path(__file__).with_name("restless_journey.py"))
    program, above = find(), 0
    errors: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, serving(SITE) as site, Workers(1) as pool:
        told = Path(folder) / "truth.json"
        params = {"delays": ",".join(map(str, delays)), "truth": str(told), "pages": ",".join(PAGES)}
        for _ in range(rounds):
            for mode, options in MODES.items():
                given = {name: value for name, value in options.items() if name != "wait"}
                asked = {**params, "wait": options.get("wait", "expect")}
                settings = load_settings(Path(folder), {"base_url": site, "params": asked, **given}, {})
                (result,) = run_plans(pool, [plan(journey, settings)], program, settings, Archive(Path(folder) / "runs"), [])
                if result.status != "passed":
                    raise SystemExit(f"the journey did not pass: {result.failure}")
                truth = json.loads(told.read_text())
                for step in result.steps:
                    latency, wall = (step.latency_seconds or 0.0) * 1000, (step.wall_seconds or 0.0) * 1000
                    above += latency > wall
                    errors[step.name.rpartition(" ")[0], mode].append((latency - truth[step.name], wall - truth[step.name]))
    return errors, above


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="two delays, one round")
    options = parser.parse_args()
    errors, above = measure(1 if options.quick else options.rounds, [120, 700] if options.quick else list(DELAYS))
    print("| page | settings | n | page clock: median | p95 | max | stopwatch: median | p95 | target p95 |")
    print("| --- | --- | --: | --: | --: | --: | --: | --: | --: |")
    for mode in MODES:
        for name in PAGES:
            clock, stopwatch = ([abs(value) for value in values] for values in zip(*errors[name, mode], strict=True))
            figures = [percentile(clock, 0.5), percentile(clock, 0.95), max(clock), percentile(stopwatch, 0.5)]
            figures += [percentile(stopwatch, 0.95), TARGETS.get(name, RESTLESS)]
            print(f"| {name} | {mode} | {len(clock)} | {' | '.join(f'{one:.1f}' for one in figures)} |")
    print(f"\nMilliseconds. Steps with a latency above the stopwatch: {above} (target 0).")


if __name__ == "__main__":
    main()
