"""Server-sent events (WHATWG HTML, 9.2), as a program reads them."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

LONGEST = 64_000_000
"""Characters of an event's data."""


class ServerEvent(Struct, frozen=True):
    """One event."""

    id: str
    kind: str
    data: str


def parse_events(lines: Iterable[bytes]) -> Iterator[ServerEvent]:
    r"""The events in a stream, each when it is complete. Raises ValueError for one without an end.

    >>> [one.data for one in parse_events([b"id: 1\n", b"event: x\n", b"data: a\n", b"data: b\n", b"\n", b": quiet\n", b"data: cut off"])]
    ['a\nb']
    """
    last, kind, data, size = "", "message", list[str](), 0
    for raw in lines:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            if data:
                yield ServerEvent(last, kind, "\n".join(data))
            kind, data, size = "message", [], 0
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        # An id goes back in a header, which cannot hold everything that a server may send.
        if name == "id" and value.isascii() and value.isprintable():
            last = value
        elif name == "event":
            kind = value
        elif name == "data":
            data.append(value)
            size += len(value)
            if size > LONGEST:
                raise ValueError(f"an event has more than {LONGEST:,} characters")
