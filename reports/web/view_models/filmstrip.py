"""The filmstrip of a run: the pictures that Playwright takes for a trace, without its viewer.

A trace is a ZIP: pictures in `screencast/`, and lines of JSON that say when each was taken and when each step began. A picture is
asked for by its place among the others, never by the name that it has in there.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import msgspec
from msgspec import Struct

from runner.archive.run_files import RemoteFile, RunFiles, open_remote
from runner.archive.zip_errors import ZIP_ERRORS
from runner.errors import StorageDown

PICTURES = (".jpeg", ".jpg", ".png", ".webp")
LARGEST_PICTURE = 8_000_000
LARGEST = 150_000_000
"""Bytes of lines that are parsed; larger traces need the viewer."""
OF_A_STEP = 4
"""Pictures shown per step, always including the first and the last."""
MOST = 60
KINDS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"RIFF": "image/webp"}
"""The first bytes of each picture format."""
UNREADABLE = (*ZIP_ERRORS, msgspec.DecodeError, StorageDown)


class FilmFrame(Struct, frozen=True, kw_only=True):
    """A picture out of a trace; it is at /artifacts/ARTIFACT/frames/NUMBER."""

    artifact: int
    number: int
    step: str
    at_seconds: float
    """Since the first step began."""


class _Line(Struct, rename="camel"):
    """What is read of a line; stamps are milliseconds, of a clock that never goes back but where they are called wall times."""

    type: str
    file: str = ""
    title: str = ""
    timestamp: float = 0.0
    """When a picture came."""
    frame_swap_wall_time: float = 0.0
    """When it was on the screen; on a busy machine some tens of milliseconds before."""
    start_time: float = 0.0
    wall_time: float = 0.0
    monotonic_time: float = 0.0
    """Both clocks at one moment."""

    def at(self, offset: float | None) -> float:
        """When it was, of the clock that never goes back; `offset` is what the wall clock is ahead."""
        if self.frame_swap_wall_time and offset is not None:
            return self.frame_swap_wall_time - offset
        return self.timestamp or self.start_time


_decoder = msgspec.json.Decoder(_Line)


class TraceSource(Struct, frozen=True):
    """A trace, on the disk or in object storage."""

    where: Path | RemoteFile

    def version(self) -> tuple[str, int]:
        """What changes whenever its content does. Raises OSError or StorageDown."""
        if isinstance(self.where, Path):
            state = self.where.stat()
            return str(state.st_mtime_ns), state.st_size
        found = self.where.stat()
        return found.etag, found.size

    def open(self) -> ZipFile:
        """The archive; only what is asked for is read of one in the storage."""
        return ZipFile(self.where if isinstance(self.where, Path) else open_remote(self.where))


def find_trace(files: RunFiles, path: str) -> TraceSource | None:
    """A trace of a run, which is not fetched; None when it does not exist."""
    where = files.remote(path) or files.local(path)
    return TraceSource(where) if where else None


def read_frames(trace: TraceSource, artifact: int, steps: Sequence[str]) -> tuple[FilmFrame, ...]:
    """Some pictures of each of these steps, in order of time; none for an invalid or too large file."""
    try:
        taken = _taken(trace, trace.version(), tuple(steps))
    except UNREADABLE:
        return ()
    chosen = [one for step in steps for one in _some([each for each in taken if each[1] == step])]
    return tuple(FilmFrame(artifact=artifact, number=number, step=step, at_seconds=at) for number, step, at in chosen[:MOST])


def read_picture(source: TraceSource, number: int) -> tuple[bytes, str] | None:
    """A picture of a trace with its media type; None if the number is unknown or it is not a picture."""
    try:
        with source.open() as trace:
            names = _names(trace)
            if not 0 <= number < len(names) or trace.getinfo(names[number]).file_size > LARGEST_PICTURE:
                return None
            content = trace.read(names[number])
    except UNREADABLE:
        return None
    kind = next((kind for head, kind in KINDS.items() if content.startswith(head)), None)
    return (content, kind) if kind else None


@lru_cache(maxsize=32)
def _taken(
    source: TraceSource,
    version: tuple[str, int],  # noqa: ARG001 (part of the key)
    steps: tuple[str, ...],
) -> tuple[tuple[int, str, float], ...]:
    """Number, step and second of every picture; those from before the first step are left out."""
    with source.open() as trace:
        places = {name: place for place, name in enumerate(_names(trace))}
        lines = list(_lines(trace))
    offset = next((one.wall_time - one.monotonic_time for one in lines if one.monotonic_time), None)
    found = []
    began, step = 0.0, ""
    for one in sorted(lines, key=lambda line: line.at(offset)):
        if one.type == "before" and one.title in steps:
            began, step = began or one.start_time, one.title
        elif one.type == "screencast-frame" and step and one.file in places:
            # What is drawn after a step's end is still how it left the page.
            found.append((places[one.file], step, round((one.at(offset) - began) / 1000, 3)))
    return tuple(found)


def _lines(trace: ZipFile) -> Iterator[_Line]:
    left = LARGEST
    for one in trace.infolist():
        if not one.filename.endswith(".trace"):
            continue
        left -= one.file_size
        if left < 0:
            raise BadZipFile("too large to parse")
        with trace.open(one) as lines:
            for line in lines:
                if line.startswith((b'{"type":"screencast-frame"', b'{"type":"context-options"')) or (
                    line.startswith(b'{"type":"before"') and b'"tracingGroup"' in line
                ):
                    yield _decoder.decode(line)


def _names(trace: ZipFile) -> list[str]:
    return [name for name in trace.namelist() if name.startswith("screencast/") and name.endswith(PICTURES)]


def _some(taken: Sequence[tuple[int, str, float]]) -> list[tuple[int, str, float]]:
    """At most OF_A_STEP, evenly spaced."""
    if len(taken) <= OF_A_STEP:
        return list(taken)
    return [taken[place * (len(taken) - 1) // (OF_A_STEP - 1)] for place in range(OF_A_STEP)]
