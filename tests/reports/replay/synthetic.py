"""A long session that nobody had: a page whose text says what second it is, in chunks of ten seconds."""

import gzip
import json
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from reports.replay.chunk import decode
from reports.replay.chunk_store import ChunkContext, ChunkStore

STEP = 10
"""Seconds of a chunk."""


def long_session(chunk_store: ChunkStore, minutes: int, picture_every: int, rows: int = 50) -> str:
    """Stores it; returns the session. Each second changes the text, and moves the pointer."""
    session, tab = str(uuid4()), str(uuid4())
    begin = (time.time() - minutes * 60) * 1000
    for sequence in range(minutes * 60 // STEP):
        events: list[dict[str, Any]] = []
        for second in range(sequence * STEP, (sequence + 1) * STEP):
            at = begin + second * 1000
            if second % picture_every == 0:
                events += picture(at, f"at {second}", rows)
            text = {"source": 0, "texts": [{"id": 6, "value": f"at {second}"}], "removes": [], "adds": [], "attributes": []}
            events.append({"type": 3, "timestamp": at + 5, "data": text})
            moves = [{"x": second % 700, "y": 50, "id": 5, "timeOffset": 0}]
            events.append({"type": 3, "timestamp": at + 500, "data": {"source": 1, "positions": moves}})
        whole = {"version": 1, "app": "shop", "session": session, "tab": tab, "sequence": sequence, "first": not sequence}
        text_ = json.dumps({**whole, "events": events}).encode()
        chunk_store.put(decode(text_), gzip.compress(text_, 6), ChunkContext("shop", time.time(), "real", "/"))
    return session


def picture(at: float, shown: str, rows: int) -> list[dict[str, Any]]:
    """A full picture of the page."""
    others = [
        {
            "type": 2,
            "tagName": "p",
            "attributes": {"class": "row"},
            "childNodes": [{"type": 3, "textContent": f"row {one}", "id": 1001 + 2 * one}],
            "id": 1000 + 2 * one,
        }
        for one in range(rows)
    ]
    out = {
        "type": 2,
        "tagName": "p",
        "attributes": {"id": "out"},
        "childNodes": [{"type": 3, "textContent": shown, "id": 6}],
        "id": 5,
    }
    body = {"type": 2, "tagName": "body", "attributes": {}, "childNodes": [out, *others], "id": 4}
    html = {"type": 2, "tagName": "html", "attributes": {}, "childNodes": [body], "id": 3}
    document = {"type": 0, "childNodes": [{"type": 1, "name": "html", "publicId": "", "systemId": "", "id": 2}, html], "id": 1}
    return [
        {"type": 4, "timestamp": at, "data": {"href": "https://shop.example/", "width": 800, "height": 600}},
        {"type": 2, "timestamp": at + 1, "data": {"node": document, "initialOffset": {"left": 0, "top": 0}}},
    ]


def still_session(
    chunk_store: ChunkStore, *nodes: dict[str, Any], later: Sequence[dict[str, Any]] = (), chosen: int | None = None
) -> str:
    """Stores a session that shows these nodes in a page, and after a second those that come `later`; returns the session.

    In a list that is `chosen`, something is then chosen, and masked.
    """
    session, now = str(uuid4()), (time.time() - 60) * 1000
    meta, whole = picture(now, "still", 0)
    body = whole["data"]["node"]["childNodes"][1]["childNodes"][0]
    body["childNodes"] += nodes
    adds = [{"parentId": body["id"], "nextId": None, "node": {**one, "childNodes": []}} for one in later]
    adds += [{"parentId": one["id"], "nextId": None, "node": child} for one in later for child in one["childNodes"]]
    change = {"source": 0, "texts": [], "removes": [], "adds": adds, "attributes": []}
    events = [meta, whole, {"type": 3, "timestamp": now + 1000, "data": change}]
    if chosen is not None:
        choice = {"source": 5, "id": chosen, "text": "••••••", "isChecked": False, "userTriggered": True}
        events.append({"type": 3, "timestamp": now + 1000, "data": choice})
    chunk = {
        "version": 1,
        "app": "shop",
        "session": session,
        "tab": str(uuid4()),
        "sequence": 0,
        "first": True,
        "events": events,
    }
    text = json.dumps(chunk).encode()
    chunk_store.put(decode(text), gzip.compress(text, 6), ChunkContext("shop", time.time(), "real", "/"))
    return session
