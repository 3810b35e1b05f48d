"""What each kind of artifact costs, and what redaction adds: in wall time, CPU time and bytes of a run, and in its steps.

The demo's journey `buy` runs in one warm worker with one kind of artifact on at a time, with all of them, and with all of them
unredacted; the settings take turns, so that the noise of the machine meets all alike. The reference is a run without artifacts.
The e-mail address, the password and the card number are secrets of the run. "Steps" is the sum of the latencies of the steps.
Then what redaction takes for a large trace, made by repeating the lines and bodies of a recorded one: against reading and packing
the same archive again, unredacted.
Run: `python -m benchmarks.artifacts [--rounds N]`; the tables are in docs/artifacts.md.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import psutil

from runner.archive.archive import Archive
from runner.artifacts import trace
from runner.browser.chromium import find
from runner.demo import journeys_folder, running_shop
from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.redaction import Redactor
from runner.settings.artifact_kinds import ARTIFACT_KINDS
from runner.settings.load_settings import load_settings
from runner.workers.pool import Workers
from runner.workers.run_plans import run_plans

SECRETS = {"EMAIL": "tea@example.com", "PASSWORD": "oolong-and-milk", "CARD": "4242 4242 4242 4242"}


class CpuMeter:
    """CPU seconds of all that this process has started, while a block runs; read often, as a renderer ends with its page."""

    def __enter__(self) -> "CpuMeter":
        self._used: dict[tuple[int, float], float] = {}
        self._first: dict[tuple[int, float], float] = {}
        self._read()
        self._first = dict(self._used)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._read()
        self.seconds = sum(used - self._first.get(name, 0.0) for name, used in self._used.items())

    def _follow(self) -> None:
        while not self._stop.wait(0.03):
            self._read()

    def _read(self) -> None:
        for one in psutil.Process().children(recursive=True):
            try:
                times = one.cpu_times()
                self._used[one.pid, one.create_time()] = times.user + times.system
            except psutil.NoSuchProcess:
                continue


def settings_of(kinds: tuple[str, ...], redaction: bool = True) -> dict[str, object]:
    """The settings under which exactly these kinds are kept."""
    return {**{kind: "on" if kind in kinds else "off" for kind in ARTIFACT_KINDS}, "redaction": redaction}


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    os.environ.update({f"JOURNEY_SECRET_{name}": text for name, text in SECRETS.items()})
    kinds = tuple(kind for kind in ARTIFACT_KINDS if kind != "video")
    cases = {"none": settings_of(())} | {kind: settings_of((kind,)) for kind in kinds}
    cases["trace, not redacted"] = settings_of(("trace",), redaction=False)
    cases["all"] = settings_of(kinds)
    cases["all, not redacted"] = settings_of(kinds, redaction=False)
    recorded: dict[str, bytes] = {}
    figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with tempfile.TemporaryDirectory() as folder, running_shop() as shop, Workers(1) as pool:
        (buy,) = load_journeys(journeys_folder() / "buy.py")
        archive = Archive(Path(folder) / "runs")
        for number in range(rounds + 1):
            for name, options in cases.items():
                settings = load_settings(Path(folder), {"base_url": shop, **options}, {})
                with CpuMeter() as meter:
                    started = time.perf_counter()
                    (result,) = run_plans(pool, [plan(buy, settings)], find(), settings, archive, [])
                    wall = time.perf_counter() - started
                if result.status != "passed":
                    raise SystemExit(f"{name}: {result.failure}")
                if name == "trace, not redacted":
                    with ZipFile(archive.find("last").folder / "trace.zip") as raw:
                        recorded = {one: raw.read(one) for one in raw.namelist()}
                if number:  # the first round warms everything up
                    found = figures[name]
                    found["wall"].append(wall)
                    found["cpu"].append(meter.seconds)
                    found["steps"].append(sum(step.latency_seconds or 0.0 for step in result.steps))
                    found["bytes"].append(sum(one.bytes for one in result.artifacts))
    middle = {name: {what: statistics.median(values) for what, values in found.items()} for name, found in figures.items()}
    print("| artifacts | wall, s | ratio | CPU, s | ratio | steps, s | ratio | kB |")
    print("| --- | --: | --: | --: | --: | --: | --: | --: |")
    for name, row in middle.items():
        cells = [f"{row[what]:.3f} | **{row[what] / middle['none'][what]:.2f}**" for what in ("wall", "cpu", "steps")]
        print(f"| {name} | {' | '.join(cells)} | {row['bytes'] / 1000:.0f} |")
    print(f"\nMedians of {rounds} rounds.")
    print("\n| trace, MB unpacked | packed again, s | redacted, s | ratio |")
    print("| --: | --: | --: | --: |")
    for line in of_large_traces(recorded):
        print(line)


def of_large_traces(recorded: dict[str, bytes]) -> Iterator[str]:
    """A row for each size: the recorded trace as it is, and ten, fifty and two hundred times as much."""
    redactor = Redactor(SECRETS.values())
    for times in (1, 10, 50, 200):
        with tempfile.TemporaryDirectory() as folder:
            large, clean, again = (Path(folder) / f"{name}.zip" for name in ("large", "clean", "again"))
            unpacked = 0
            with ZipFile(large, "w", ZIP_DEFLATED, compresslevel=1) as archive:
                for name, content in recorded.items():
                    if name.endswith(trace.LINES):
                        contents = {name: content * times}
                    else:
                        # Another body each time, as a longer walk would have.
                        bodies = [content + b"%d" % number for number in range(times)]
                        contents = {f"{Path(name).parent}/{sha1(body).hexdigest()}{Path(name).suffix}": body for body in bodies}
                    for inner, text in contents.items():
                        archive.writestr(inner, text)
                        unpacked += len(text)
            started = time.perf_counter()
            with ZipFile(large) as source, ZipFile(again, "w", ZIP_DEFLATED, compresslevel=trace.LEVEL) as target:
                for name in source.namelist():
                    target.writestr(name, source.read(name))
            packed = time.perf_counter() - started
            started = time.perf_counter()
            trace.redact_trace(large, clean, redactor)
            redacted = time.perf_counter() - started
            yield f"| {unpacked / 1e6:.0f} | {packed:.2f} | {redacted:.2f} | **{redacted / packed:.2f}** |"


if __name__ == "__main__":
    main()
