"""What a sender of samples knows of the runs that it has sent: counters that go on over restarts, in files beside its queue.

Each journey at a location has a file of its own, so that a run costs no more where there are a thousand others.
"""

import json
import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct, field

from runner.private_files import make_private_folder, write_private_file
from runner.telemetry.native_histogram import NativeHistogram

ENDING = ".counters"
OLD_FILE = "counters"
"""In which an older version kept those of all journeys."""
KEPT = 200
"""Ids of a journey's runs that are known to be counted; older ones are no longer in the queue."""


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
    assumed: str = ""
    """The newest run if it was given up, so that its own result may replace its gauges."""

    def note(self, run: str) -> None:
        """Remembers that a run is counted."""
        self.counted = [*self.counted, run][-KEPT:]


def series_key(labels: Mapping[str, str]) -> str:
    """The labels of a series as one text."""
    return json.dumps(labels, sort_keys=True, ensure_ascii=False)


def place_of(journey: str, location: str) -> str:
    """A journey at a location as one text; a journey's name has no space."""
    return f"{journey} {location}"


def read_counters(folder: Path, place: str) -> Counters:
    """The counters of a journey at a location; new ones where there are none, or where the file is damaged: a counter may begin again at 0."""
    return _read(_file(folder, place)) or Counters()


def write_counters(folder: Path, place: str, counters: Counters) -> None:
    """Replaces the file. Raises OSError."""
    make_private_folder(folder)
    file = _file(folder, place)
    written = file.with_suffix(f".{os.getpid()}")
    write_private_file(written, msgspec.json.encode(counters), sync=True)
    written.replace(file)


def list_places(folder: Path) -> Iterator[tuple[str, str]]:
    """Each journey and its location that has gauges which have not ended."""
    for file in sorted([*folder.glob(f"*{ENDING}"), folder / OLD_FILE]):
        for place in (_read(file) or Counters()).gauges:
            journey, _, location = place.partition(" ")
            yield journey, location


def split_old_file(folder: Path) -> None:
    """Gives each journey a file of its own, where an older version kept one for all. Raises OSError."""
    old = _read(folder / OLD_FILE)
    if old is None:
        return
    for place, at in old.last_at.items():
        # All ids go into each: which journey a run was of is not in its id.
        own = Counters(counted=old.counted, last_at={place: at})
        own.gauges = {place: old.gauges[place]} if place in old.gauges else {}
        own.values = {key: value for key, value in old.values.items() if _place_of_key(key) == place}
        write_counters(folder, place, own)
    (folder / OLD_FILE).unlink()


def _file(folder: Path, place: str) -> Path:
    return folder / f"{sha256(place.encode()).hexdigest()[:32]}{ENDING}"


def _read(file: Path) -> Counters | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Counters)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _place_of_key(key: str) -> str:
    labels: dict[str, str] = json.loads(key)
    return place_of(labels["journey"], labels["location"])
