"""Ten thousand messages of people who mean harm, while good ones flow."""

import asyncio
import gzip
import json
import random
import re
import sqlite3
import zlib
from collections import Counter
from contextlib import closing
from functools import cache
from typing import get_args

import psutil
import pytest

from reports.collector.beacon import Interaction
from reports.collector.metrics.collector_metrics import PAGES
from tests.support.raw_http import ORIGIN, Make, head, post, send_message, word
from tests.support.services.collector import beacon, view
from tests.support.services.serve import Serve
from tests.support.services.servers import get
from tests.support.wait import let_pass_async

MESSAGES = 10_000
SLOW = 300
"""Connections that are held open, and sent a byte now and then."""
AT_A_TIME = 40
GROWTH = 100_000_000
"""Bytes that the process may grow by: its bounded memories (ids of views, addresses, networks), filled."""
SCRIPT = "<script>alert(1)</script>"
CONFIGURATION = f"""
trusted_proxies = ["127.0.0.1"]
[[apps]]
name = "shop"
origins = ["{ORIGIN}"]
routes = ["/good/:number"]
rate = 1000000
burst = 1000000
"""


def plain(document: object, **headers: str) -> bytes:
    return post(json.dumps(document).encode(), **headers)


def cut(dice: random.Random) -> bytes:
    body = json.dumps(beacon()).encode()
    return post(body[: dice.randrange(len(body))])


def changed(dice: random.Random) -> bytes:
    body = bytearray(json.dumps(beacon()).encode())
    for _ in range(dice.randrange(1, 8)):
        body[dice.randrange(len(body))] = dice.randrange(256)
    return post(bytes(body))


def noise(dice: random.Random) -> bytes:
    return post(dice.randbytes(dice.randrange(4_000)))


def other_types(dice: random.Random) -> bytes:
    document = beacon(view(vitals=[{"name": "lcp", "id": "v", "value": 1}]))
    target = dice.choice([document, document["views"][0], document["views"][0]["vitals"][0]])
    target[dice.choice(list(target))] = dice.choice([None, [], {}, "x", -1, 1e400, 10**400, True, [[]], "\ud800"])
    return plain(document)


def deep(dice: random.Random) -> bytes:
    opening = dice.choice([b"[", b'{"a":', b'{"views":[{"zz":'])
    return post((b'{"zz":' + opening * 60_000)[:60_000])


def large(dice: random.Random) -> bytes:
    return post(b'{"x": "' + b"x" * dice.randrange(66_000, 200_000))


def lying(dice: random.Random) -> bytes:
    length = dice.choice(["999999999999999999999999", "-5", "1e9", "0x10", "65536", "", "5"])
    return head(content_length=length) + json.dumps(beacon()).encode()[: dice.randrange(100)]


def chunked(dice: random.Random) -> bytes:
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    tail = dice.choice([b"0\r\n\r\n", b"zz\r\n", b"ffffffffffffffffff\r\n", b"0\r\n" + b"a: b\r\n" * 5_000 + b"\r\n"])
    return head(transfer_encoding="chunked") + chunk * dice.randrange(1, 8) + tail


@cache
def make_bombs() -> tuple[bytes, ...]:
    """What is small until it is unpacked; packing it takes long."""
    packed = gzip.compress(b" " * 60_000_000)
    return packed, gzip.compress(packed), zlib.compress(b"[" * 5_000_000), packed[:100]


def bomb(dice: random.Random) -> bytes:
    packed = dice.choice([*make_bombs(), b"\x1f\x8b" + dice.randbytes(500)])
    return post(packed, content_encoding=dice.choice(["gzip", "deflate", "br", "gzip, gzip", ""]))


def no_utf8(dice: random.Random) -> bytes:
    body = json.dumps(beacon(view(title="MARK"))).encode()
    return post(
        body.replace(
            b"MARK", dice.choice([b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", "é".encode("utf-16")])
        )
    )


def labels(dice: random.Random) -> bytes:
    url = f"{ORIGIN}/" + "/".join(word(dice) for _ in range(dice.randrange(1, 6)))
    document = beacon(
        view(
            url=url,
            phases={"total": 1.0, word(dice): 1.0},
            vitals=[{"name": "lcp", "id": word(dice), "value": dice.random()}],
            interaction_counts={word(dice): 3},
            ended=True,
        ),
        release=word(dice),
        environment=word(dice),
        session=f"{word(dice)}-{word(dice)}",
    )
    return plain(document, x_forwarded_for=f"{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(256)}.1")


def strange_app(dice: random.Random) -> bytes:
    name = dice.choice([word(dice), SCRIPT, "../../etc/passwd", "shop\n", "x" * 64])
    return dice.choice(
        [
            plain(beacon(app=name)),
            post(b"{}", f"/reports?app={word(dice)}"),
            plain({"meta": {"app": {"name": name}}}, path="/faro/collect"),
        ]
    )


def injected(dice: random.Random) -> bytes:
    evil = dice.choice(
        [
            SCRIPT,
            '"}\n# TYPE x counter\nx 1\n',
            "'; DROP TABLE page_views; --",
            "{{7*7}}",
            "%00%0d%0aset-cookie:a=b",
            "\u202e\u2028\0",
        ]
    )
    page = view(
        url=f"{ORIGIN}/{evil}",
        title=evil,
        errors=[{"kind": "error", "message": evil, "stack": evil * 50, "source": f"javascript:{evil}"}],
        interactions=[{"type": "click", "name": evil, "role": evil}],
        requests=[{"url": evil, "method": evil[:20]}],
        vitals=[{"name": "cls", "id": "v", "value": 0.1, "attribution": {evil: evil}}],
    )
    return plain(beacon(page, release=evil, environment=evil))


def strange_head(dice: random.Random) -> bytes:
    return dice.choice(
        [
            head(origin="https://evil.example") + b"{}",
            post(b"{}", origin=f"{ORIGIN}\x01"),
            post(b"{}", origin=SCRIPT),
            head(x="y" * dice.randrange(30_000, 120_000)),
            head()[:-2] + b"a: b\r\n" * 20_000 + b"\r\n",
            head(f"/{'x' * 80_000}", "GET"),
            head("/../../../etc/passwd", "GET"),
            head(f"/%2e%2e/{SCRIPT}", "GET"),
            head(method=dice.choice(["PUT", "DELETE", "TRACE", "CONNECT", "BREW"])),
            head("/v1/views", "OPTIONS", origin="null"),
            b"\x16\x03\x01\x02\x00" + dice.randbytes(200) + b"\r\n\r\n",
            dice.randbytes(500) + b"\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            head(upgrade="websocket", connection="upgrade", method="GET"),
            post(b"{}", x_forwarded_for="," * 5_000),
        ]
    )


def other_forms(dice: random.Random) -> bytes:
    path = dice.choice(["/log-page-load", "/log-interaction", "/faro/collect", "/reports"])
    body = dice.choice(
        [
            b"",
            b"{}",
            b"[]",
            b"null",
            b'{"load_time": 1e999}',
            b'{"type": null}',
            b'[{"type": "crash", "age": -1e300}]',
            b'{"meta": 1}',
            b"[" * 60_000,
        ]
    )
    return post(body, path)


KINDS: list[Make] = [
    *(
        cut,
        changed,
        noise,
        other_types,
        deep,
        large,
        lying,
        chunked,
        bomb,
        no_utf8,
        labels,
        strange_app,
        injected,
        strange_head,
    ),
    other_forms,
]


class Crowd:
    """All who send to one collector."""

    def __init__(self, serve: Serve) -> None:
        self.port = int(serve.address.rpartition(":")[2])
        self.statuses: Counter[str] = Counter()
        self.good: list[str] = []
        self.done = False

    async def harm(self) -> None:
        """Sends the messages, and sometimes goes away in the middle of one."""
        dice = random.Random(1)
        free = asyncio.Semaphore(AT_A_TIME)

        async def one(kind: Make, message: bytes, leaves: bool) -> None:
            async with free:
                self.statuses[f"{kind.__name__} {await send_message(self.port, message, leaves)}"] += 1

        async with asyncio.TaskGroup() as group:
            for number in range(MESSAGES):
                await free.acquire()
                free.release()
                kind = KINDS[number % len(KINDS)]
                message = kind(dice)
                half = number % 50 == 0
                message = message[: len(message) // 2] if half else message
                group.create_task(one(kind, message, half or kind is lying))

    async def linger(self) -> None:
        """Opens connections and sends each a byte a second, until all have been ended."""
        made = [await asyncio.open_connection("127.0.0.1", self.port) for _ in range(SLOW)]
        for number, (_, writer) in enumerate(made):
            writer.write(head(content_length="1000") + b"{" if number % 2 else b"POST /v1/vi")
        left = [writer for _, writer in made]
        while left:
            await let_pass_async(1, "a byte a second is what they send")
            left = [writer for writer in left if not writer.is_closing()]
            for writer in left:
                writer.write(b" ")

    async def behave(self) -> None:
        """Sends good beacons, one after the other, until all is over."""
        while not self.done:
            page = view(
                url=f"{ORIGIN}/good/{len(self.good)}", phases={"total": 0.5}, interactions=[{"type": "click"}], ended=True
            )
            self.good.append(await send_message(self.port, plain(beacon(page))))
            await let_pass_async(0.01, "visitors are not faster")


@pytest.mark.thorough
@pytest.mark.timeout(240)
def test_no_harm_is_done_and_nothing_good_is_lost(serve: Serve) -> None:
    (serve.folder / "journey.toml").write_text(CONFIGURATION)
    serve.start()
    assert serve.process
    process = psutil.Process(serve.process.pid)
    crowd = Crowd(serve)
    before = process.memory_info().rss
    peak = before

    async def watch() -> None:
        nonlocal peak
        while not crowd.done:
            peak = max(peak, process.memory_info().rss)
            await let_pass_async(0.2, "the memory is looked at so often")

    async def everything() -> None:
        others = [asyncio.create_task(one) for one in (crowd.behave(), watch())]
        lingering = asyncio.create_task(crowd.linger())
        await crowd.harm()
        await lingering
        crowd.done = True
        await asyncio.gather(*others)

    asyncio.run(everything())
    assert serve.process.poll() is None, "it has crashed"
    assert set(crowd.good) == {"202"}
    assert len(crowd.good) > 100
    metrics = get(f"{serve.address}/metrics") or ""
    assert f'page_load_time_seconds_count{{app="shop",page="/good/:number"}} {len(crowd.good)}.0\n' in metrics
    assert peak - before < GROWTH

    def values(label: str) -> set[str]:
        return set(re.findall(rf'[{{,]{label}="((?:[^"\\]|\\.)*)"', metrics))

    assert values("app") == {"shop"}
    assert values("type") <= set(get_args(Interaction.__annotations__["type"]))
    assert len(values("page")) <= PAGES + 1
    assert not [name for name in values("page") if not re.fullmatch(r"[\w/:.~*-]+", name)], "nothing to be injected anywhere"
    assert "DROP" not in metrics
    accepted = {name: count for name, count in crowd.statuses.items() if name.endswith(" 202")}
    assert accepted.keys() <= {
        f"{one.__name__} 202" for one in (labels, injected, changed, other_types, other_forms, strange_app)
    }
    assert not [name for name in crowd.statuses if name.endswith((" 500", "TimeoutError"))]
    cut_off = re.search(r'collector_closed_connections_total\{reason="slow"\} (\d+)', metrics)
    assert cut_off, metrics
    assert int(cut_off[1]) >= SLOW
    code, said = serve.stop()
    assert (code, "Traceback" in said) == (0, False), said[-3_000:]
    with closing(sqlite3.connect(serve.folder / "runs" / "journeys.db")) as database:
        addresses = {url for (url,) in database.execute("SELECT url FROM page_views WHERE page = '/good/:number'")}
    assert addresses == {f"{ORIGIN}/good/{number}" for number in range(len(crowd.good))}, "each good one is on disk"
