"""Looks up places in source maps, in a process of its own with limits on time and memory: a map may be made to use up both.

`python -m reports.source_maps.resolver` reads one JSON request from its input and writes a line for each map.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from reports.source_maps.map_store import MapRejected, unpack

CPU = 60
"""Seconds of the processor for the maps of one process; a map of 64 MB needs four."""
WITHIN = 600.0
"""Seconds until it is ended whatever it does: a busy machine is slow, and what is not read is not tried again."""
AT_ONCE = 10
"""Maps that one process reads."""
MEMORY = 1_500_000_000
"""Bytes of address space: a map of 64 MB takes a third of it."""
CONTEXT = 5
"""Lines before and after a line of code."""
LONGEST_LINE = 200
LONGEST_TEXT = 500


class Lookup(Struct, frozen=True):
    """Places in one script, by line and column from 1, to be looked up in the map in this file."""

    file: str
    places: tuple[tuple[int, int], ...]


class OriginalPlace(Struct, frozen=True, kw_only=True):
    """Where a place is in the original code."""

    source: str
    line: int
    column: int
    name: str = ""
    """The original name of what is there: in a call, of the function that is called."""
    code: tuple[str, ...] = ()
    first_line: int = 0
    ignored: bool = False
    """Whether the map says that it is code of others (`ignoreList`)."""


class Resolved(Struct, frozen=True):
    """The answer to a lookup: for each place what it is; None if the map does not have it."""

    places: tuple[OriginalPlace | None, ...]
    trouble: str = ""
    """Why the map cannot be read."""


class _Ignores(Struct):
    sources: list[str | None] = []
    ignoreList: list[int] = []  # noqa: N815 (as ECMA-426 has it)
    x_google_ignoreList: list[int] = []  # noqa: N815


class _Section(Struct):
    map: _Ignores = msgspec.field(default_factory=_Ignores)


class _Sectioned(_Ignores):
    sections: list[_Section] = []


_requests = msgspec.json.Decoder(tuple[Lookup, ...])
_answer = msgspec.json.Decoder(Resolved)
_sectioned = msgspec.json.Decoder(_Sectioned)


def is_installed() -> bool:
    """Whether source maps can be read."""
    return find_spec("symbolic") is not None


def look_up(lookups: Sequence[Lookup], within: float = WITHIN) -> list[Resolved]:
    """The answer to each lookup, in order. A map that takes too much time or memory is answered with its trouble, and the others go on."""
    found: list[Resolved] = []
    while len(found) < len(lookups):
        left = lookups[len(found) : len(found) + AT_ONCE]
        answers, trouble = _run(left, within)
        found += answers
        if len(answers) < len(left):
            found.append(Resolved((None,) * len(left[len(answers)].places), trouble))
    return found


def _run(lookups: Sequence[Lookup], within: float) -> tuple[list[Resolved], str]:
    command = [sys.executable, "-P", "-m", "reports.source_maps.resolver"]
    trouble = ""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            output, _ = process.communicate(msgspec.json.encode(tuple(lookups)), timeout=within)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            trouble = f"it was not read within {within:g} s"
    whole = output.decode("utf-8", "replace").split("\n")[:-1]
    answers = [_answer.decode(line) for line in whole]
    return answers[
        : len(lookups)
    ], trouble or f"reading it ended with status {process.returncode}: it needs too much memory or time"


# In the process of its own


def main() -> None:
    """Answers the request."""
    _limit()
    for one in _requests.decode(sys.stdin.buffer.read()):
        sys.stdout.buffer.write(msgspec.json.encode(resolve(one)) + b"\n")
        sys.stdout.buffer.flush()


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the time limit of the parent holds there too.
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def resolve(lookup: Lookup) -> Resolved:
    """The answer to a lookup, in this process."""
    from symbolic.exceptions import SymbolicError
    from symbolic.sourcemapcache import SourceMapCache

    try:
        content = unpack(Path(lookup.file).read_bytes())
        cache = SourceMapCache.from_bytes(b"", content)
        ignored = frozenset(_ignored_sources(content))
        return Resolved(tuple(_place(cache, line, column, ignored) for line, column in lookup.places))
    except (SymbolicError, MapRejected, OSError, msgspec.DecodeError) as error:
        return Resolved((None,) * len(lookup.places), str(error)[:LONGEST_TEXT])


def _place(cache: Any, line: int, column: int, ignored: frozenset[str]) -> OriginalPlace | None:
    token = cache.lookup(line, column, CONTEXT)
    if token is None or not token.src or not token.line:
        return None
    before = [_cut(one) for one in token.pre_context]
    code = [*before, _cut(token.context_line, token.col), *(_cut(one) for one in token.post_context)]
    while code and not code[-1] and len(code) > len(before) + 1:
        code.pop()
    return OriginalPlace(
        source=token.src[:LONGEST_TEXT],
        line=token.line,
        column=token.col,
        name=(token.name or "")[:100],
        code=tuple(code) if token.context_line else (),
        first_line=token.line - len(before),
        # The library puts the map's `sourceRoot` before it.
        ignored=token.src in ignored or token.src.endswith(tuple(f"/{one}" for one in ignored)),
    )


def _cut(line: str | None, column: int = 0) -> str:
    """A line without its end; of a long one what is around the column."""
    text = (line or "").rstrip("\r\n")
    if len(text) <= LONGEST_LINE:
        return text
    start = max(min(column - LONGEST_LINE // 2, len(text) - LONGEST_LINE), 0)
    return f"{'…' if start else ''}{text[start : start + LONGEST_LINE]}{'…' if start + LONGEST_LINE < len(text) else ''}"


def _ignored_sources(content: bytes) -> Iterator[str]:
    body = content.partition(b"\n")[2] if content.startswith(b")]}") else content
    whole = _sectioned.decode(body)
    for one in (whole, *(section.map for section in whole.sections)):
        for place in one.ignoreList or one.x_google_ignoreList:
            if 0 <= place < len(one.sources) and (source := one.sources[place]):
                yield source


if __name__ == "__main__":
    main()
