"""A hundred thousand hostile messages against `journey serve`, mixed with good beacons: what is lost, and what it costs.

Every endpoint and protocol gets messages that are cut, changed, forged, oversized, nested, packed into bombs, in no encoding, or nothing of
the kind; from one network and from thousands (through a trusted proxy's header); some connections send a byte a second, some never read.
Meanwhile visitors send good beacons, page loads, interactions, messages of other agents, reports and pieces of recordings, each of which
must be acknowledged and be on the disk at the end. The program prints a table: `python -m benchmarks.hostile --messages 100000`.
"""

import argparse
import asyncio
import gzip
import json
import math
import random
import re
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from subprocess import STDOUT, Popen
from typing import Any
from uuid import UUID
from zlib import compress

import psutil
from msgspec import Struct, field

from tests.support.servers import free_port

ORIGIN = "https://shop.example"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
CONFIGURATION = f"""
trusted_proxies = ["127.0.0.1"]
keep_views_size = "200MB"
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
EVIL_TEXTS = (
    "<script>alert(1)</script>", '"}\n# TYPE x counter\nx 1\n', "'; DROP TABLE page_views; --", "\u202e\u2066\u2028\0\x1b[2J\x9b31m",
    "%00%0d%0aset-cookie:a=b", "../../../../etc/passwd", "a@b.c" * 300, "blob: " * 300, "-eyJ" * 300, "1 " * 500, "\\" * 900, "{{7*7}}",
)  # fmt: skip
BOMB = gzip.compress(b" " * 60_000_000)
BOMBS = (BOMB, gzip.compress(BOMB), compress(b"[" * 5_000_000), BOMB[:100], gzip.compress(b"{}") + BOMB)
PADDED = 25
"""Messages of a kind that is slow to make that are made beforehand: the sender shares its machine with what it measures."""
Make = Callable[[random.Random], bytes]


def head(path: str = "/v1/views", method: str = "POST", **headers: str) -> bytes:
    """The head of a request; a header is left out by an empty text."""
    given = {"host": "x", "origin": ORIGIN, "user-agent": CHROME, "connection": "close", **headers}
    lines = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in given.items() if text)
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("utf-8", "surrogateescape")


def post(body: bytes, path: str = "/v1/views", **headers: str) -> bytes:
    """A whole request."""
    return head(path, content_length=str(len(body)), **headers) + body


def identity(dice: random.Random) -> str:
    """A UUID."""
    return str(UUID(int=dice.getrandbits(128), version=4))


def somewhere(dice: random.Random) -> str:
    """The address of one of many networks, as a proxy reports it."""
    return ".".join(str(dice.randrange(1, 255)) for _ in range(4))


def word(dice: random.Random, length: int = 12) -> str:
    """Letters."""
    return "".join(dice.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(length))


# What is good: for each protocol a path and a body


def good_view(dice: random.Random, number: int = 0) -> tuple[str, dict[str, Any]]:
    """A beacon of our agent."""
    view = {"id": identity(dice), "url": f"{ORIGIN}/good/{number}", "started_at": time.time() - 2, "phases": {"total": 0.5}}
    view |= {"vitals": [{"name": "lcp", "id": "v1", "value": 1.2}], "interactions": [{"type": "click"}]}
    return "/v1/views", {
        "id": identity(dice),
        "app": "shop",
        "session": identity(dice),
        "sent_at": time.time(),
        "views": [view],
    }


def good_load(_: random.Random, __: int = 0) -> tuple[str, dict[str, Any]]:
    """A page load of the small protocol."""
    return "/log-page-load?app=shop", {"load_time": 812}


def good_interaction(_: random.Random, __: int = 0) -> tuple[str, dict[str, Any]]:
    """An interaction of it."""
    return "/log-interaction?app=shop", {"type": "click"}


def good_faro(dice: random.Random, number: int = 0) -> tuple[str, dict[str, Any]]:
    """A message of Grafana Faro's SDK."""
    meta = {"app": {"name": "shop"}, "session": {"id": identity(dice)}, "page": {"url": f"{ORIGIN}/good/{number}"}}
    return "/faro/collect", {"meta": meta, "exceptions": [{"type": "Error", "value": "boom"}]}


def good_report(_: random.Random, number: int = 0) -> tuple[str, list[dict[str, Any]]]:
    """What a browser reports by itself."""
    report = {"type": "deprecation", "age": 10, "url": f"{ORIGIN}/good/{number}", "body": {"id": "x", "message": "old"}}
    return "/reports?app=shop", [report]


def good_chunk(dice: random.Random, number: int = 0) -> tuple[str, dict[str, Any]]:
    """A piece of a recording."""
    now = time.time() * 1000
    events = [{"type": 4, "timestamp": now, "data": {"href": f"{ORIGIN}/good/{number}", "width": 800, "height": 600}}]
    events.append({"type": 2, "timestamp": now + 1, "data": {"node": {"type": 0, "childNodes": [], "id": 1}}})
    ids = {"session": identity(dice), "tab": identity(dice), "sequence": 0}
    return "/v1/replay", {"version": 1, "app": "shop", **ids, "first": True, "events": events}


def good_event(dice: random.Random, _: int = 0) -> tuple[str, dict[str, Any]]:
    """A single event of a session."""
    return "/log-session-event?app=shop", {"type": "click", "target": "#pay", "session": identity(dice)}


GOOD: tuple[Callable[..., Any], ...] = (good_view, good_load, good_interaction, good_faro, good_report, good_chunk, good_event)


def some_good(dice: random.Random) -> tuple[str, bytes]:
    """Any of them, as path and JSON."""
    path, document = dice.choice(GOOD)(dice, dice.randrange(1000))
    return path, json.dumps(document).encode()


# What is not


def cut(dice: random.Random) -> bytes:
    """A message that ends too early."""
    path, body = some_good(dice)
    return post(body[: dice.randrange(len(body))], path, x_forwarded_for=somewhere(dice))


def changed(dice: random.Random) -> bytes:
    """A message of which some bytes are others."""
    path, body = some_good(dice)
    raw = bytearray(body)
    for _ in range(dice.randrange(1, 8)):
        raw[dice.randrange(len(raw))] = dice.randrange(256)
    return post(bytes(raw), path)


def other_values(dice: random.Random) -> bytes:
    """Somewhere in a message there is a value of another kind or size."""
    path, body = some_good(dice)
    document = json.loads(body)
    place = document
    while isinstance(place, dict | list) and place:
        key = dice.choice(list(place)) if isinstance(place, dict) else dice.randrange(len(place))
        if not isinstance(place[key], dict | list) or not place[key] or dice.random() < 0.3:
            place[key] = dice.choice(
                [None, [], {}, "x", -1, 1e308, -1e308, 10**400, 2**63, -(2**63) - 1, 1e-320, True, [[]], "\ud800", "9" * 5_000, "1e999",
                 "0001-01-01", "9999-12-31T23:59:59-23:59", dice.choice(EVIL_TEXTS)]
            )  # fmt: skip
            break
        place = place[key]
    return post(json.dumps(document).encode(), path)


def evil_texts(dice: random.Random) -> bytes:
    """All texts of a message are hostile."""
    path, body = some_good(dice)
    evil = dice.choice(EVIL_TEXTS)
    document = re.sub(rb'"(?:https://shop[^"]*|click|boom|old|#pay|v1)"', lambda _: json.dumps(evil).encode(), body)
    return post(document, path)


def noise(dice: random.Random) -> bytes:
    """Bytes."""
    return post(dice.randbytes(dice.randrange(4_000)), some_good(dice)[0])


def deep(dice: random.Random) -> bytes:
    """A document that is nested as deeply as fits."""
    opening = dice.choice([b"[", b'{"a":', b'{"views":[{"zz":', b'{"body":', b'{"events":[{"data":'])
    return post((b'{"zz":' + opening * 60_000)[:60_000], some_good(dice)[0])


def no_utf8(dice: random.Random) -> bytes:
    """Texts in no encoding."""
    path, body = some_good(dice)
    bad = dice.choice([b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", "é".encode("utf-16")])
    return post(body.replace(b"good", bad).replace(b"click", bad), path)


def bomb(dice: random.Random) -> bytes:
    """What is small until it is unpacked."""
    packed = dice.choice([*BOMBS, b"\x1f\x8b" + dice.randbytes(500)])
    return post(packed, some_good(dice)[0], content_encoding=dice.choice(["gzip", "deflate", "br", "gzip, gzip", ""]))


@cache
def make_costly() -> list[bytes]:
    """Beacons in whose texts everything has to be looked at."""
    dice, made = random.Random(2), []
    for number in range(PADDED):
        _, document = good_view(dice)
        evil = EVIL_TEXTS[number % len(EVIL_TEXTS)]
        errors = [{"kind": "error", "message": "x", "stack": (f"{place} " + evil * 30)[:7_900]} for place in range(29)]
        document["views"][0] |= {"errors": errors, "title": evil[:190]}
        made.append(gzip.compress(json.dumps(document).encode(), 1))
    return made


@cache
def make_chunk_bombs() -> list[bytes]:
    """Pieces of recordings that are read in vain."""
    dice, made = random.Random(3), []
    for _ in range(PADDED):
        _, document = good_chunk(dice)
        wrong: list[dict[str, Any]] = [
            {"app": word(dice)},
            {"session": "x"},
            {"events": [{"type": 3, "timestamp": 1}] * 50_000},
            {"sequence": -1},
        ]
        body = json.dumps(document | dice.choice(wrong)).encode() + b" " * dice.choice([0, 2_000_000, 7_000_000])
        made.append(gzip.compress(body, 1))
    return made


def costly(dice: random.Random) -> bytes:
    """A beacon that is as much work as one can be."""
    return post(dice.choice(make_costly()), content_encoding="gzip")


def chunk_bomb(dice: random.Random) -> bytes:
    """A piece of a recording that is read in vain."""
    return post(dice.choice(make_chunk_bombs()), "/v1/replay", content_encoding="gzip", x_forwarded_for=somewhere(dice))


def foreign(dice: random.Random) -> bytes:
    """A piece of a recording of somebody else's page."""
    path, document = good_chunk(dice)
    document["events"][0]["data"]["href"] = dice.choice(
        ["http://127.0.0.1/admin", "https://evil.example/", "javascript:1", "file:///etc/passwd"]
    )
    return post(gzip.compress(json.dumps(document).encode()), path)


def names(dice: random.Random) -> bytes:
    """Names that have never been seen: of pages, releases, errors, sessions, networks."""
    path, document = good_view(dice)
    url = f"{ORIGIN}/" + "/".join(word(dice) for _ in range(dice.randrange(1, 6)))
    errors = [{"kind": "error", "message": word(dice, 30)} for _ in range(5)]
    document["views"][0] |= {"url": url, "errors": errors, "interaction_counts": {word(dice): 3}, "vitals": []}
    document |= {"release": word(dice), "environment": word(dice), "session": f"{word(dice)}-{word(dice)}"}
    return post(json.dumps(document).encode(), path, x_forwarded_for=somewhere(dice))


def stranger(dice: random.Random) -> bytes:
    """Apps, origins and methods that are not admitted, and heads that nothing can read."""
    path, body = some_good(dice)
    return dice.choice(
        [
            post(
                body.replace(b'"shop"', json.dumps(dice.choice(EVIL_TEXTS)[:64]).encode()),
                path.replace("app=shop", f"app={word(dice)}"),
            ),
            post(body, path, origin=dice.choice(["https://evil.example", "null", f"{ORIGIN}\x01", "https://.shop.example"])),
            post(body, path.replace("app=shop", "app=slow&" * 200), origin="https://slow.example"),
            head(path, dice.choice(["PUT", "DELETE", "TRACE", "CONNECT", "BREW"])),
            head(path, "OPTIONS", origin="null"),
            head(f"/{'x' * 40_000}", "GET"),
            head(f"/%2e%2e/%2e%2e/{word(dice)}", "GET"),
            head(path, content_length=dice.choice(["999999999999999999999999", "-5", "1e9", "0x10", "5"])) + body[:3],
            head(path, transfer_encoding="chunked")
            + b"4000\r\n"
            + b"x" * 0x4000
            + b"\r\n"
            + dice.choice([b"zz\r\n", b"ffffffffffffffffff\r\n"]),
            head(x="y" * dice.randrange(30_000, 60_000)),
            post(body, path, x_forwarded_for="," * 5_000),
            b"\x16\x03\x01\x02\x00" + dice.randbytes(200) + b"\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
        ]
    )


KINDS: tuple[Make, ...] = (
    cut, changed, other_values, evil_texts, noise, deep, no_utf8, bomb, costly, chunk_bomb, foreign, names, stranger,
)  # fmt: skip


def measure_folder(folder: Path) -> int:
    """Bytes of the files in it."""
    size = 0
    for one in folder.rglob("*"):
        try:
            size += one.stat().st_size
        except FileNotFoundError:
            # It was renamed or removed meanwhile.
            continue
    return size


class Observed(Struct):
    """What was seen of the process and of its disk."""

    sizes: list[int] = field(default_factory=list)
    disks: list[int] = field(default_factory=list)
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
        self.seen = Observed()
        self.sent = 0
        self._done = asyncio.Event()

    async def run(self) -> None:
        """Sends everything; returns when the last hostile message is answered."""
        others = [
            asyncio.create_task(one) for one in (self._behave(0), self._behave(1), self._watch(), self._linger(), self._stare())
        ]
        await self._harm()
        self._done.set()
        await asyncio.gather(*others)

    async def send(self, message: bytes, leaves: bool = False) -> str:
        """The status, or what happened instead."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError as error:
            return type(error).__name__
        try:
            writer.write(message)
            if leaves:
                writer.write_eof()
            answer = await asyncio.wait_for(reader.read(300), 40)
            found = re.match(rb"HTTP/1\.1 (\d{3})", answer)
            return found[1].decode() if found else "closed"
        except (ConnectionError, TimeoutError) as error:
            return type(error).__name__
        finally:
            writer.transport.abort()

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
                status = await self.send(message[: len(message) // 2] if half else message, half)
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
                status = await self.send(
                    post(gzip.compress(body) if packed else body, path, x_forwarded_for=f"198.51.{seed}.7")
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
            print(f"\r{self.sent:,} of {self._messages:,}", end="", file=sys.stderr, flush=True)
            await asyncio.sleep(1)


def start(folder: Path) -> tuple[Popen[bytes], int]:
    """`journey serve` in a folder; its process and port."""
    (folder / "journey.toml").write_text(CONFIGURATION)
    port = free_port()
    command = [sys.executable, "-P", "-m", "runner.cli", "serve", "--listen", f"127.0.0.1:{port}"]
    with (folder / "log").open("wb") as log:
        process = Popen(command, cwd=folder, stdout=log, stderr=STDOUT)
    return process, port


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
    process, port = start(folder)
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
        if process.poll() is None:
            process.kill()
            process.wait()
    with closing(sqlite3.connect(folder / "runs" / "journeys.db")) as database:
        stored = {one for (one,) in database.execute("SELECT id FROM beacons")}
        (whole,) = database.execute("PRAGMA integrity_check").fetchone()
    return {
        "crowd": crowd,
        "seconds": seconds,
        "cpu": cpu,
        "alive": alive,
        "code": code,
        "missing": len(set(crowd.acknowledged) - stored),
        "whole": whole,
        "tracebacks": (folder / "log").read_bytes().count(b"Traceback"),
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
    ends = ", ".join(f"{disks[min(at, len(disks)) - 1] / 1e6:.0f}" for at in (third, 2 * third, len(disks)))
    median, high = (delays[int(len(delays) * share)] * 1000 for share in (0.5, 0.99))
    print(
        f"\n{crowd.sent:,} hostile messages in {found['seconds']:.0f} s ({found['cpu'] / found['seconds']:.2f} of a core). "
        f"Of {len(crowd.acknowledged):,} acknowledged beacons {found['missing']} are missing.\n"
        f"Answer to a good message: median {median:.0f} ms, p99 {high:.0f} ms, longest {delays[-1] * 1000:.0f} ms.\n"
        f"Memory: {sizes[0] / 1e6:.0f} MB at first, at most {most} MB in the thirds of the time. Disk at their ends: {ends} MB.\n"
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
