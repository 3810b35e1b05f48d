"""What benchmarks/hostile.py sends: messages of every protocol that are good, and all that can be wrong with them."""

import gzip
import json
import random
import re
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import UUID
from zlib import compress

from tests.support.raw_http import ORIGIN, Make, head, post, word

EVIL_TEXTS = (
    "<script>alert(1)</script>", '"}\n# TYPE x counter\nx 1\n', "'; DROP TABLE page_views; --", "\u202e\u2066\u2028\0\x1b[2J\x9b31m",
    "%00%0d%0aset-cookie:a=b", "../../../../etc/passwd", "a@b.c" * 300, "blob: " * 300, "-eyJ" * 300, "1 " * 500, "\\" * 900, "{{7*7}}",
)  # fmt: skip
PADDED = 25
"""Messages of a kind that is slow to make that are made beforehand: the sender shares its machine with what it measures."""


def identity(dice: random.Random) -> str:
    """A UUID."""
    return str(UUID(int=dice.getrandbits(128), version=4))


def somewhere(dice: random.Random) -> str:
    """The address of one of many networks, as a proxy reports it."""
    return ".".join(str(dice.randrange(1, 255)) for _ in range(4))


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


@cache
def make_bombs() -> tuple[bytes, ...]:
    """What is small until it is unpacked."""
    packed = gzip.compress(b" " * 60_000_000)
    return packed, gzip.compress(packed), compress(b"[" * 5_000_000), packed[:100], gzip.compress(b"{}") + packed


def bomb(dice: random.Random) -> bytes:
    """One of them, or what only looks like one."""
    packed = dice.choice([*make_bombs(), b"\x1f\x8b" + dice.randbytes(500)])
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
