"""What it costs a run to be sent: as spans, as metrics in each form, with all receivers away, and with `traceparent` on its requests.

The demo's journey `buy` runs in one warm worker; the settings take turns, so that the noise of the machine meets all alike. The reference is a
run that is not sent. "Wall" is the time until a run is saved and its listeners have returned; the sending itself goes on in a thread.
"Steps" is the sum of the latencies of the steps. Then what a run sends: series and bytes, as they are on the network.
Run: `python -m benchmarks.telemetry [--rounds N] [--only TEXT]`; the tables are in docs/opentelemetry.md.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from runner.archive.archive import Archive
from runner.browser.chromium import find
from runner.demo import journeys_folder, running_shop
from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.events import Listener
from runner.metrics.latency_histogram import judged_latencies
from runner.result import RunResult
from runner.settings.load_settings import load_settings
from runner.telemetry.counters import Counters
from runner.telemetry.run_samples import sample_run
from runner.telemetry.spans import build_spans
from runner.telemetry.telemetry import Telemetry
from runner.workers.pool import Workers
from runner.workers.run_plans import run_plans
from tests.support.services.http_server import serving_handler
from tests.support.services.servers import free_port

SECRETS = {"EMAIL": "tea@example.com", "PASSWORD": "oolong-and-milk", "CARD": "4242 4242 4242 4242"}


class Received:
    """How many bytes have come to each path."""

    def __init__(self) -> None:
        self.sizes: dict[str, list[int]] = defaultdict(list)


@contextmanager
def receiving() -> Iterator[tuple[str, Received]]:
    """A server that takes everything; its address, and what has come."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Takes it."""
            size = int(self.headers["Content-Length"])
            self.rfile.read(size)
            received.sizes[self.path].append(size)
            self.send_response(200)
            # Without this, remote write 2.0 falls back to 1.0.
            self.send_header("X-Prometheus-Remote-Write-Samples-Written", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving_handler(Handler) as address:
        yield address, received


Cases = dict[str, dict[str, object]]
Figures = dict[str, dict[str, list[float]]]


def list_cases(address: str, shop: str) -> Cases:
    """The settings of each case, by its name."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    every = {"otlp_endpoint": nowhere, "otlp_metrics_endpoint": nowhere, "remote_write": f"{nowhere}/write"}
    return {
        "not sent": {},
        "spans": {"otlp_endpoint": address},
        "OTLP metrics": {"otlp_metrics_endpoint": address},
        "remote write": {"remote_write": f"{address}/write"},
        "remote write, native histograms": {"remote_write": f"{address}/native", "remote_write_histograms": "native"},
        "remote write 2.0": {"remote_write": f"{address}/two", "remote_write_protocol": "2.0"},
        "all three, receivers away": {**every, "remote_write_histograms": "both"},
        "traceparent": {"trace_origins": [shop]},
        "traceparent, API requests only": {"trace_origins": [shop], "trace_requests": "api"},
    }


def measure(rounds: int, folder: Path, shop: str, cases: Cases) -> tuple[Figures, RunResult]:
    """Seconds of each case, and a run."""
    figures: Figures = defaultdict(lambda: defaultdict(list))
    newest: RunResult | None = None
    (buy,) = load_journeys(journeys_folder() / "buy.py")
    archive = Archive(folder / "runs")
    senders = {
        name: Telemetry(load_settings(folder, {"runs_dir": folder / name, **options}, {}), "run")
        for name, options in cases.items()
    }
    with Workers(1) as pool:
        for number in range(rounds + 1):
            for name, options in cases.items():
                settings = load_settings(folder, {"base_url": shop, **options}, {})
                listeners: list[Listener] = [senders[name]]
                started = time.perf_counter()
                (newest,) = run_plans(pool, [plan(buy, settings)], find(), settings, archive, listeners)
                wall = time.perf_counter() - started
                if newest.status != "passed":
                    raise SystemExit(f"{name}: {newest.failure}")
                if number:  # the first round warms everything up
                    figures[name]["wall"].append(wall)
                    figures[name]["steps"].append(sum(step.latency_seconds or 0.0 for step in newest.steps))
    for one in senders.values():
        one.stop(5)
    assert newest is not None
    return figures, newest


def print_costs(figures: Figures, rounds: int) -> None:
    """The table of ratios."""
    middle = {name: {what: statistics.median(values) for what, values in found.items()} for name, found in figures.items()}
    print("| a run | wall, s | ratio | steps, s | ratio |")
    print("| --- | --: | --: | --: | --: |")
    for name, row in middle.items():
        cells = [f"{row[what]:.3f} | **{row[what] / middle['not sent'][what]:.2f}**" for what in ("wall", "steps")]
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"\nMedians of {rounds} rounds.\n")


def print_sizes(newest: RunResult, received: Received) -> None:
    """The table of what a run sends: of the later runs, as the first begins each counter with a 0."""
    classic, native = (len(sample_run(newest, Counters(), (), form)) for form in ("classic", "native"))
    steps = sum(1 for _ in judged_latencies(newest))
    # The first value of a native histogram is a series of its own in the message.
    rows = {
        "spans": ("/v1/traces", f"{len(build_spans(newest))} spans"),
        "OTLP metrics": ("/v1/metrics", f"{native - steps} series"),
        "remote write": ("/write", f"{classic} series"),
        "remote write, native histograms": ("/native", f"{native - steps} series"),
        "remote write 2.0": ("/two", f"{classic} series"),
    }
    print("| a run as | parts | bytes sent |")
    print("| --- | --: | --: |")
    for name, (path, parts) in rows.items():
        print(f"| {name} | {parts} | {statistics.median(received.sizes[path]):,.0f} |")


def main() -> None:
    """Prints Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--only", metavar="TEXT", default="", help="only the cases whose name has this in it, beside a run that is not sent"
    )
    given = parser.parse_args()
    rounds = given.rounds
    os.environ.update({f"JOURNEY_SECRET_{name}": text for name, text in SECRETS.items()})
    with tempfile.TemporaryDirectory() as folder, running_shop() as shop, receiving() as (address, received):
        cases = {name: one for name, one in list_cases(address, shop).items() if name == "not sent" or given.only in name}
        figures, newest = measure(rounds, Path(folder), shop, cases)
    print_costs(figures, rounds)
    if not given.only:
        print_sizes(newest, received)


if __name__ == "__main__":
    main()
