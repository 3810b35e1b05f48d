"""A file in object storage as a response: passed on piece by piece, whole or the range that was asked for (RFC 9110, 14)."""

import logging
import re
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from runner.archive.object_storage import Stat
from runner.archive.run_files import RemoteFile
from runner.errors import StorageDown

KNOWN = 60.0
"""Seconds for which the size of a file is not asked for again, at most."""
TRIES = 3
"""Of a transfer that breaks off: each goes on where the last one ended."""
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
log = logging.getLogger("journey")


def send_remote_file(request: Request, file: RemoteFile, media_type: str, headers: Mapping[str, str]) -> Response:
    """The response. Raises StorageDown, and FileNotFoundError when the file is not there."""
    found = _find_stat(file, int(time.monotonic() / KNOWN))
    size = found.size
    given = {**headers, "Accept-Ranges": "bytes", **({"ETag": found.etag} if found.etag else {})}
    wanted = request.headers.get("range", "")
    if request.headers.get("if-range", found.etag) != found.etag:
        wanted = ""
    part = parse_range(wanted, size)
    if part is None:
        return Response(status_code=416, headers={**given, "Content-Range": f"bytes */{size}"})
    start, end = part
    whole = (start, end) == (0, size)
    given |= {"Content-Length": str(end - start)}
    if not whole:
        given |= {"Content-Range": f"bytes {start}-{end - 1}/{size}"}
    status = 200 if whole else 206
    if request.method == "HEAD" or size == 0:
        return Response(status_code=status, headers=given, media_type=media_type)
    pieces = _pieces(file, start, end)
    # Read now, while the response can still be one that says what is wrong.
    first = next(pieces, b"")
    return StreamingResponse(chain([first], pieces), status, given, media_type)


@lru_cache(maxsize=256)
def _find_stat(file: RemoteFile, period: int) -> Stat:  # noqa: ARG001 (part of the key, so nothing is known for long)
    """What is known of a file. Nobody changes it, and a viewer asks for many ranges one after the other."""
    return file.stat()


def parse_range(text: str, size: int) -> tuple[int, int] | None:
    """The first byte and the one after the last that a `Range` asks for; None when the file has none of them.

    All bytes where it asks for nothing, for several ranges, or for what is not a range, as RFC 9110 allows.

    >>> parse_range("bytes=2-4", 10), parse_range("bytes=-3", 10), parse_range("bytes=7-99", 10), parse_range("bytes=10-", 10)
    ((2, 5), (7, 10), (7, 10), None)
    """
    found = _RANGE.fullmatch(text.strip())
    if found is None or not (found[1] or found[2]) or len(text) > 60:
        return 0, size
    if not found[1]:
        last = int(found[2])
        return (max(size - last, 0), size) if last and size else None
    start = int(found[1])
    end = min(int(found[2]) + 1, size) if found[2] else size
    if found[2] and int(found[2]) < start:
        return 0, size
    return (start, end) if start < size else None


def _pieces(file: RemoteFile, start: int, end: int) -> Iterator[bytes]:
    tries = TRIES
    while True:
        try:
            for piece in file.storage.stream(file.key, start, end):
                start += len(piece)
                yield piece
        except StorageDown as error:
            tries -= 1
            if not tries:
                # The connection breaks off, so nobody takes what has arrived for the whole file.
                log.warning("%s", error)
                raise
            continue
        return
