"""The files that pytest-playwright has saved of a test."""

from collections.abc import Iterable
from pathlib import Path

from runner.result import Artifact

KINDS = ("trace", "screenshot", "video")
"""Kinds of files that pytest-playwright saves; it names each in a property `playwright_<kind>`."""


def find_saved_files(properties: Iterable[tuple[str, object]], start: Path) -> tuple[Path | None, tuple[Artifact, ...]]:
    """The folder of a test's artifacts, and the artifacts; `start` is the folder in which pytest was started."""
    known = list(properties)
    files = [(kind, start / str(path)) for kind in KINDS for name, path in known if name == f"playwright_{kind}"]
    if not files:
        return None, ()
    found = tuple(Artifact(kind=kind, path=file.name, bytes=file.stat().st_size) for kind, file in files if file.is_file())
    return files[0][1].parent, found
