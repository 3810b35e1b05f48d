"""A chunk: a piece of a recording as a browser sends it, JSON in gzip. docs/replay.md describes it.

The events are rrweb's, and stay as they came: only their types and times are looked at, and the addresses of pages.
"""

import zlib
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

LARGEST = 8_388_608
"""Bytes of a chunk when it is unpacked."""
FULL_SNAPSHOT = 2
META = 4
CUSTOM = 5

Id = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]
"""A UUID. It becomes a part of a file's name, so it is nothing else."""


class Event(Struct, frozen=True):
    """An event of rrweb's; `timestamp` is in milliseconds since the epoch."""

    type: Annotated[int, Meta(ge=0, le=7)]
    timestamp: Annotated[float, Meta(ge=0, le=1e14)]
    data: msgspec.Raw = msgspec.Raw(b"null")


class Chunk(Struct, frozen=True, kw_only=True):
    """A chunk. `sequence` counts the chunks of a session's tab from 0; `first` is one that begins with a full picture."""

    version: Literal[1]
    app: Annotated[str, Meta(min_length=1, max_length=64)]
    key: Annotated[str, Meta(max_length=100)] = ""
    session: Id
    tab: Id
    sequence: Annotated[int, Meta(ge=0, le=1_000_000)]
    first: bool = False
    events: Annotated[list[Event], Meta(min_length=1, max_length=200_000)]
    release: Annotated[str, Meta(max_length=200)] = ""
    webdriver: bool = False

    @property
    def first_at(self) -> float:
        """When its earliest event was, in seconds since the epoch."""
        return min(event.timestamp for event in self.events) / 1000

    @property
    def last_at(self) -> float:
        """When its latest event was, in seconds since the epoch."""
        return max(event.timestamp for event in self.events) / 1000

    @property
    def has_full_snapshot(self) -> bool:
        """Whether a player can begin in it."""
        return any(event.type == FULL_SNAPSHOT for event in self.events)

    def addresses(self) -> Iterator[str]:
        """The addresses of the pages in it."""
        for event in self.events:
            if event.type == META:
                yield str(_place(event).get("href", ""))
            elif event.type == CUSTOM:
                data = _place(event)
                if data.get("tag") == "view" and isinstance(data.get("payload"), dict):
                    yield str(data["payload"].get("url", ""))


_decoder = msgspec.json.Decoder(Chunk)
decode = _decoder.decode
"""The chunk in a JSON text. Raises msgspec.DecodeError, ValidationError for an invalid chunk."""


def _place(event: Event) -> dict[str, Any]:
    data = msgspec.json.decode(event.data)
    return data if isinstance(data, dict) else {}


def unpack(packed: bytes) -> bytes:
    """The JSON text of a chunk's file: one gzip member, and nothing behind it. Raises ValueError for anything else.

    The first member is what was read when the chunk was received. Another could have any size.
    """
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        text = inflater.decompress(packed, LARGEST + 1)
    except zlib.error as error:
        raise ValueError(f"it is not gzip: {error}") from error
    if len(text) > LARGEST or not inflater.eof:
        raise ValueError(f"it ends too early, or has more than {LARGEST} bytes")
    if inflater.unused_data:
        raise ValueError("something follows its end")
    return text
