"""The body of a request, read with limits on the bytes that actually arrive."""

import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from msgspec import Struct

from reports.collector.errors import Refusal

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
GZIP = b"\x1f\x8b"
PIECE = 16_384
"""Bytes that are inflated at a time."""
UNRESERVED = 65_536
"""Bytes of a body for which there is always room: most bodies have fewer."""


class Limits(Struct, frozen=True):
    """The most bytes of a body, as sent and inflated."""

    raw: int = 65_536
    inflated: int = 262_144


async def read_body(receive: Receive, length: bytes, limits: Limits, take: Callable[[int], None] = lambda _: None) -> bytes:
    """The whole body as it was sent. A `length` that is too large is rejected at once, but a small one is not trusted.

    `take` is called for the bytes beyond UNRESERVED before they are kept. Raises Refusal.
    """
    if length.isdigit() and int(length[:20]) > limits.raw:
        raise _too_large(limits.raw, "bytes")
    message = await receive()
    pieces: list[bytes] = [message.get("body", b"")]
    size = reserved = len(pieces[0])
    while message["type"] == "http.request" and message.get("more_body") and size <= limits.raw:
        message = await receive()
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > max(reserved, UNRESERVED):
            take(size - max(reserved, UNRESERVED))
            reserved = size
    if message["type"] == "http.disconnect":
        raise Refusal(408, "slow", "the body did not arrive in time, or the client disconnected")
    if size > limits.raw:
        raise _too_large(limits.raw, "bytes")
    return b"".join(pieces)


def unpack_body(body: bytes, encoding: bytes, limits: Limits) -> bytes:
    """A body inflated where it is gzip or deflate: said by `encoding`, or shown by its first bytes (a page that sends with
    `sendBeacon` cannot say it). Raises Refusal."""
    word = encoding.strip().lower()
    if word in {b"gzip", b"x-gzip", b"deflate"} or (not word and body.startswith(GZIP)):
        return inflate(body, limits.inflated)
    if word not in {b"", b"identity"}:
        shown = word[:20].decode("latin-1")
        raise Refusal(
            415, "encoding", f"content-encoding {shown!r} is not understood", fix="send gzip, deflate, or the plain text"
        )
    return body


def unpack_small_body(body: bytes, encoding: bytes, limits: Limits) -> bytes | None:
    """As `unpack_body`; None for one that has more bytes than the limits. Raises Refusal for one that cannot be inflated."""
    try:
        return unpack_body(body, encoding, limits)
    except Refusal as error:
        if error.reason == "too_large":
            return None
        raise


def inflate(body: bytes, limit: int) -> bytes:
    """The content of a gzip or zlib body (RFC 1952, 1950), as far as `limit` bytes. Raises Refusal."""
    inflater = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)
    pieces: list[bytes] = []
    size = 0
    rest = body
    try:
        while not inflater.eof:
            piece = inflater.decompress(rest, PIECE)
            rest = inflater.unconsumed_tail
            size += len(piece)
            if size > limit:
                raise _too_large(limit, "bytes once it is inflated")
            if not piece and not rest and not inflater.eof:
                raise Refusal(400, "encoding", "the compressed body ends too early")
            pieces.append(piece)
        if inflater.unused_data or rest:
            # It would be stored unseen, and inflated by whoever reads the body: gzip may go on with another member (RFC 1952, 2.2).
            raise Refusal(400, "encoding", "something follows the end of the compressed body", fix="compress it as one piece")
    except zlib.error as error:
        raise Refusal(400, "encoding", "the body is not gzip or deflate, as it says it is", field="content-encoding") from error
    return b"".join(pieces)


def _too_large(limit: int, what: str) -> Refusal:
    return Refusal(413, "too_large", f"the body has more than {limit} {what}", fix="send less at a time")
