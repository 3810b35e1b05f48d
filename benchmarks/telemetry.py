"""What it costs a run to be sent: as spans, by remote write, both while their receivers are away, and with `traceparent` on its requests.

The demo's journey `buy` runs in one warm worker; the settings take turns, so that the noise of the machine meets all alike. The reference is a
run that is not sent. "Wall" is the time until a run is saved and its listeners have returned; the sending itself goes on in a thread.
"Steps" is the sum of the latencies of the steps. Then what a run sends: series and bytes, as they are on the network.
Run: `python -m benchmarks.telemetry [--rounds N]`; the tables are in docs/opentelemetry.md.
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
from runner.result import RunResult
from runner.settings.settings import load_settings
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
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving_handler(Handler) as address:
        yield address, received


def main() -> None:
    """Prints Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    os.environ.update({f"JOURNEY_SECRET_{name}": text for name, text in SECRETS.items()})
    figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    newest: RunResult | None = None
    with (
        tempfile.TemporaryDirectory() as folder,
        running_shop() as shop,
        receiving() as (address, received),
        Workers(1) as pool,
    ):
        nowhere = f"http://127.0.0.1:{free_port()}"
        cases: dict[str, dict[str, object]] = {
            "not sent": {},
            "spans": {"otlp_endpoint": address},
            "remote write": {"remote_write": f"{address}/write"},
            "both, receivers away": {"otlp_endpoint": nowhere, "remote_write": f"{nowhere}/write"},
            "traceparent": {"trace_origins": [shop]},
        }
        (buy,) = load_journeys(journeys_folder() / "buy.py")
        archive = Archive(Path(folder) / "runs")
        senders: dict[str, Telemetry] = {}
        for name, options in cases.items():
            known = load_settings(Path(folder), {"runs_dir": Path(folder) / name, **options}, {})
            senders[name] = Telemetry(known, "run")
        for number in range(rounds + 1):
            for name, options in cases.items():
                settings = load_settings(Path(folder), {"base_url": shop, **options}, {})
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
    middle = {name: {what: statistics.median(values) for what, values in found.items()} for name, found in figures.items()}
    print("| a run | wall, s | ratio | steps, s | ratio |")
    print("| --- | --: | --: | --: | --: |")
    for name, row in middle.items():
        cells = [f"{row[what]:.3f} | **{row[what] / middle['not sent'][what]:.2f}**" for what in ("wall", "steps")]
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"\nMedians of {rounds} rounds.\n")
    assert newest is not None
    print("| a run as | parts | bytes sent |")
    print("| --- | --: | --: |")
    print(f"| spans | {len(build_spans(newest))} spans | {statistics.median(received.sizes['/v1/traces']):,.0f} |")
    series = len(sample_run(newest, Counters(), ()))
    print(f"| remote write | {series} series | {statistics.median(received.sizes['/write']):,.0f} |")


if __name__ == "__main__":
    main()
