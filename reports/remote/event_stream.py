"""Server-sent events (WHATWG HTML, 9.2), as a program reads them."""

from collections.abc import Iterable, Iterator

from msgspec import Struct


class ServerEvent(Struct, frozen=True):
    """One event."""

    id: str
    kind: str
    data: str


def parse_events(lines: Iterable[bytes]) -> Iterator[ServerEvent]:
    r"""The events in a stream, each when it is complete.

    >>> [one.data for one in parse_events([b"id: 1\n", b"event: x\n", b"data: a\n", b"data: b\n", b"\n", b": quiet\n", b"data: cut off"])]
    ['a\nb']
    """
    last, kind, data = "", "message", list[str]()
    for raw in lines:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            if data:
                yield ServerEvent(last, kind, "\n".join(data))
            kind, data = "message", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            last = value
        elif name == "event":
            kind = value
        elif name == "data":
            data.append(value)
