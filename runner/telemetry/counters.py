"""What a sender of samples knows of the runs that it has sent: counters that go on over restarts, kept in a file beside its queue."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct, field

from runner.private_files import make_private_folder, write_private_file
from runner.telemetry.native_histogram import NativeHistogram

COUNTERS = "counters"
"""The file, in the folder of the queue."""
KEPT = 200
"""Ids of runs that are known to be counted; older ones are no longer in the queue."""


class Counters(Struct, kw_only=True):
    """Values by series, where a series is its labels as JSON."""

    counted: list[str] = field(default_factory=list)
    """The runs that were counted last: one that is sent again after a crash must not count twice."""
    values: dict[str, float] = field(default_factory=dict)
    histograms: dict[str, NativeHistogram] = field(default_factory=dict)
    """Native histograms by series."""
    began: dict[str, int] = field(default_factory=dict)
    """Since when runs, and the series of `histograms`, are counted: milliseconds since the epoch."""
    gauges: dict[str, list[str]] = field(default_factory=dict)
    """The gauges of the newest run of each journey at a location."""
    last_at: dict[str, int] = field(default_factory=dict)
    """When the newest run of each journey at a location ended: milliseconds since the epoch."""

    def note(self, run: str) -> None:
        """Remembers that a run is counted."""
        self.counted = [*self.counted, run][-KEPT:]


def series_key(labels: Mapping[str, str]) -> str:
    """The labels of a series as one text."""
    return json.dumps(labels, sort_keys=True, ensure_ascii=False)


def read_counters(file: Path) -> Counters:
    """The counters in a file; new ones where there is none, or where it is damaged: a counter may begin again at 0."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Counters)
    except (FileNotFoundError, msgspec.DecodeError):
        return Counters()


def write_counters(file: Path, counters: Counters) -> None:
    """Replaces the file. Raises OSError."""
    make_private_folder(file.parent)
    written = file.with_suffix(f".{os.getpid()}")
    write_private_file(written, msgspec.json.encode(counters), sync=True)
    written.replace(file)
