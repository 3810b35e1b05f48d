"""A hundred thousand hostile messages against `journey serve`, mixed with good beacons: what is lost, and what it costs.

Every endpoint and protocol gets messages that are cut, changed, forged, oversized, nested, packed into bombs, in no encoding, or nothing of
the kind; from one network and from thousands (through a trusted proxy's header); some connections send a byte a second, some never read.
Meanwhile visitors send good beacons, page loads, interactions, messages of other agents, reports and pieces of recordings, each of which
must be acknowledged and then be on the disk. What is kept has small bounds, which are reached within the first third, so that the disk
must not grow after it. The program prints a table: `python -m benchmarks.hostile --messages 100000`.
"""

import argparse
import asyncio
import gzip
import json
import math
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from subprocess import STDOUT, Popen
from typing import Any

import psutil
from msgspec import Struct, field

from benchmarks.hostile_messages import GOOD, KINDS, good_chunk, good_view, make_chunk_bombs, make_costly
from benchmarks.loop_delay import describe, read_delays
from tests.support.raw_http import ORIGIN, head, post, send_message
from tests.support.services.servers import free_port

CONFIGURATION = f"""
trusted_proxies = ["127.0.0.1"]
keep_views_size = "4MB"
keep_rollups_size = "2MB"
keep_replays_size = "4MB"
keep_events_size = "200kB"
[[apps]]
name = "shop"
origins = ["{ORIGIN}"]
routes = ["/good/:number"]
rate = 1000000
burst = 1000000
[[apps]]
name = "slow"
origins = ["https://slow.example"]
rate = 20
burst = 40
"""
AT_A_TIME = 40
"""Messages on their way at a time."""
HELD = 200
"""Connections that send a byte a second, and as many that ask for much and never read."""


def measure_folder(folder: Path) -> Counter[str]:
    """Bytes that the disk gives to what is in it: to the database, to its log, and to recordings with their folders."""
    sizes: Counter[str] = Counter()
    # `rglob` would end at a folder that is removed meanwhile, as those of the oldest recordings are.
    for place, _, files in os.walk(folder):
        for one in (Path(place), *(Path(place, name) for name in files)):
            kind = {".db": "database", ".db-wal": "its log"}.get(one.suffix, "recordings")
            with suppress(FileNotFoundError):
                sizes[kind] += one.stat().st_blocks * 512
    return sizes


class Observed(Struct):
    """What was seen of the process and of its disk."""

    sizes: list[int] = field(default_factory=list)
    disks: list[Counter[str]] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)


class Crowd:
    """All who send to one collector."""

    def __init__(self, port: int, messages: int, seconds: float, process: psutil.Process, folder: Path) -> None:
        self._port = port
        self._messages = messages
        self._until = time.monotonic() + seconds
        self._process = process
        self._folder = folder
        self.statuses: dict[str, Counter[str]] = {kind.__name__: Counter() for kind in KINDS}
        self.good: dict[str, Counter[str]] = {kind.__name__: Counter() for kind in GOOD}
        self.acknowledged: list[str] = []
        self.stored: set[str] = set()
        self._last_stored = 0
        self.seen = Observed()
        self.sent = 0
        self._done = asyncio.Event()

    async def run(self) -> None:
        """Sends everything; returns when the last hostile message is answered."""
        # A group, so that nothing that ends early is missed until the end.
        async with asyncio.TaskGroup() as group:
            for one in (self._behave(0), self._behave(1), self._watch(), self._linger(), self._stare()):
                group.create_task(one)
            await self._harm()
            self._done.set()

    async def _harm(self) -> None:
        numbers = iter(range(self._messages))

        async def some(seed: int) -> None:
            dice = random.Random(seed)
            for number in numbers:
                if time.monotonic() > self._until:
                    return
                kind = KINDS[number % len(KINDS)]
                message = kind(dice)
                half = number % 50 == 0
                status = await send_message(self._port, message[: len(message) // 2] if half else message, half)
                self.statuses[kind.__name__][status] += 1
                self.sent += 1

        await asyncio.gather(*(some(seed) for seed in range(AT_A_TIME)))

    async def _behave(self, seed: int) -> None:
        """Sends good messages of every protocol, one after the other."""
        dice = random.Random(1000 + seed)
        number = 0
        while not self._done.is_set():
            for kind in GOOD:
                number += 1
                path, document = kind(dice, number)
                packed = kind is good_chunk
                body = json.dumps(document).encode()
                began = time.perf_counter()
                status = await send_message(
                    self._port, post(gzip.compress(body) if packed else body, path, x_forwarded_for=f"198.51.{seed}.7")
                )
                self.seen.delays.append(time.perf_counter() - began)
                self.good[kind.__name__][status] += 1
                if kind is good_view and status == "202":
                    self.acknowledged.append(document["id"])
            await asyncio.sleep(0.02)

    async def _linger(self) -> None:
        """Connections that send a byte a second, opened again when they are ended."""
        made: list[asyncio.StreamWriter] = []
        while not self._done.is_set():
            made = [one for one in made if not one.is_closing()]
            while len(made) < HELD:
                _, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.write(head(content_length="1000") + b"{" if len(made) % 2 else b"POST /v1/vi")
                made.append(writer)
            for writer in made:
                writer.write(b" ")
            await asyncio.sleep(1)
        for writer in made:
            writer.transport.abort()

    async def _stare(self) -> None:
        """Connections that ask again and again and never read."""
        made: list[asyncio.StreamWriter] = []
        while not self._done.is_set():
            made = [one for one in made if not one.is_closing()]
            while len(made) < HELD // 4:
                _, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1)
                writer.write(head("/agent.js", "GET", connection="keep-alive") * 100)
                made.append(writer)
            await asyncio.sleep(1)
        for writer in made:
            writer.transport.abort()

    async def _watch(self) -> None:
        while not self._done.is_set():
            self.seen.sizes.append(self._process.memory_info().rss)
            self.seen.disks.append(measure_folder(self._folder))
            self.note_stored()
            print(f"\r{self.sent:,} of {self._messages:,}", end="", file=sys.stderr, flush=True)
            await asyncio.sleep(1)

    def note_stored(self) -> None:
        """Which beacons are on the disk now: the ids of the oldest are removed when all of them take too much."""
        with closing(sqlite3.connect(self._folder / "journeys.db", timeout=60)) as database:
            for number, id_ in database.execute("SELECT number, id FROM beacons WHERE number > ?", (self._last_stored,)):
                self.stored.add(id_)
                self._last_stored = max(self._last_stored, number)


def start(folder: Path, *command: str) -> Popen[bytes]:
    """A program whose event loop is watched, `journey …` or one that does nothing; what it sees is in `serve.json` or `idle.json`."""
    file = folder / f"{command[0] if command else 'idle'}.json"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with (folder / "log").open("ab") as log:
        words = [sys.executable, "-P", "-m", "benchmarks.loop_delay", str(file), *command]
        return Popen(words, cwd=folder, stdout=log, stderr=STDOUT, env=environment)


async def wait_ready(port: int) -> None:
    """Returns when it answers."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head("/readyz", "GET"))
            ready = b" 200 " in await reader.readline()
            writer.close()
        except OSError:
            ready = False
        if ready:
            return
        await asyncio.sleep(0.1)


def measure(folder: Path, messages: int, seconds: float = math.inf) -> dict[str, Any]:
    """Sends everything to a new collector, or as much as can be sent in so many seconds; what was found."""
    (folder / "journey.toml").write_text(CONFIGURATION)
    port = free_port()
    idle, process = start(folder), start(folder, "serve", "--listen", f"127.0.0.1:{port}")
    try:
        make_costly(), make_chunk_bombs()
        asyncio.run(wait_ready(port))
        watched = psutil.Process(process.pid)
        crowd = Crowd(port, messages, seconds, watched, folder / "runs")
        began, cpu = time.monotonic(), sum(watched.cpu_times()[:2])
        asyncio.run(crowd.run())
        seconds, cpu = time.monotonic() - began, sum(watched.cpu_times()[:2]) - cpu
        alive = process.poll() is None
        process.terminate()
        code = process.wait(60)
    finally:
        for one in (process, idle):
            if one.poll() is None:
                one.kill()
                one.wait()
    crowd.note_stored()
    with closing(sqlite3.connect(folder / "runs" / "journeys.db")) as database:
        (whole,) = database.execute("PRAGMA integrity_check").fetchone()
    return {
        "crowd": crowd,
        "seconds": seconds,
        "cpu": cpu,
        "alive": alive,
        "code": code,
        "missing": len(set(crowd.acknowledged) - crowd.stored),
        "whole": whole,
        "tracebacks": (folder / "log").read_bytes().count(b"Traceback"),
        "loop": read_delays(folder / "serve.json"),
        "idle": read_delays(folder / "idle.json"),
    }


def show(found: dict[str, Any]) -> None:
    """Prints the tables."""
    crowd: Crowd = found["crowd"]
    print(
        "\n| hostile | sent | accepted | refused | closed | 500 | no answer in 40 s |\n| --- | --: | --: | --: | --: | --: | --: |"
    )
    for kind, statuses in crowd.statuses.items():
        accepted = sum(count for status, count in statuses.items() if status.startswith("2"))
        refused = sum(count for status, count in statuses.items() if status.startswith("4") or status == "503")
        slow = statuses["TimeoutError"]
        closed = statuses.total() - accepted - refused - statuses["500"] - slow
        print(f"| {kind} | {statuses.total():,} | {accepted:,} | {refused:,} | {closed:,} | {statuses['500']} | {slow} |")
    print("\n| good | sent | acknowledged |\n| --- | --: | --: |")
    for kind, statuses in crowd.good.items():
        print(f"| {kind} | {statuses.total():,} | {statuses['202'] + statuses['200']:,} |")
    sizes, disks, delays = crowd.seen.sizes, crowd.seen.disks, sorted(crowd.seen.delays)
    third = max(len(sizes) // 3, 1)
    thirds = [sizes[:third], sizes[third : 2 * third] or sizes, sizes[2 * third :] or sizes]
    most = ", ".join(f"{max(part) / 1e6:.0f}" for part in thirds)
    ends = [disks[min(at, len(disks)) - 1] for at in (third, 2 * third, len(disks))]
    taken = {kind: ", ".join(f"{one[kind] / 1e6:.1f}" for one in ends) for kind in ("database", "its log", "recordings")}
    whole = ", ".join(f"{one.total() / 1e6:.1f}" for one in ends)
    median, high = (delays[int(len(delays) * share)] * 1000 for share in (0.5, 0.99))
    loop, idle = found["loop"], found["idle"]
    print(
        f"\nThe event loop was late by: {describe(loop.late)}; one that has nothing to do: {describe(idle.late)}.\n"
        f"CPU between two of its calls, 10 ms apart: {describe(loop.cpu)}."
    )
    print(
        f"\n{crowd.sent:,} hostile messages in {found['seconds']:.0f} s ({found['cpu'] / found['seconds']:.2f} of a core). "
        f"Of {len(crowd.acknowledged):,} acknowledged beacons {found['missing']} are missing.\n"
        f"Answer to a good message: median {median:.0f} ms, p99 {high:.0f} ms, longest {delays[-1] * 1000:.0f} ms.\n"
        f"Memory: {sizes[0] / 1e6:.0f} MB at first, at most {most} MB in the thirds of the time. Disk at their ends: {whole} MB\n"
        f"({'; '.join(f'{kind} {sizes}' for kind, sizes in taken.items())}).\n"
        f"The process {'runs' if found['alive'] else 'HAS ENDED'}, ended with {found['code']}, its log has {found['tracebacks']} "
        f"tracebacks, its database is {found['whole']}."
    )


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=math.inf, help="end after so long, whatever was sent")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        show(measure(Path(name), given.messages, given.minutes * 60))


if __name__ == "__main__":
    main()
