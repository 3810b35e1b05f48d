"""Saved runs of which some, or some files of which, are only in object storage: listed, found, read and removed like all others.

What is read from there is kept in `runs/.fetched/` for a while, whole files with the right digest only.
"""

import os
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple

from runner.archive.archive import RUN_FOLDER, Archive, Saved, measure_folder, run_folder_name
from runner.archive.object_storage import Storage, open_storage
from runner.archive.run_files import RESULT, Availability, RemoteRunFiles, RunFiles
from runner.errors import RunNotFound, StorageDown
from runner.private_files import make_private_folder
from runner.result import Artifact
from runner.settings.parsers.values import parse_journey_name
from runner.settings.settings import Settings

FETCHED = ".fetched"
TIDY = 60.0
"""Seconds between two looks for what was fetched long ago."""


class _Place(NamedTuple):
    """The place of a run: here, in the storage, or both."""

    journey: str
    name: str


class RemoteArchive(Archive):
    """The runs below a folder and those in a storage. What talks to the storage raises StorageDown."""

    def __init__(self, folder: Path, storage: Storage, keep: float) -> None:
        """`keep`: seconds after which what was fetched is removed, unless it was used since."""
        super().__init__(folder)
        self.storage = storage
        self._fetched = folder / FETCHED
        self._keep = keep
        self._tidied = -TIDY
        self._availability = Availability()
        self._remove_old()

    def journeys(self) -> list[str]:
        return sorted({*super().journeys(), *(one for one in self.storage.folders() if _is_journey(one))})

    def count(self, journey: str) -> int:
        return sum(1 for _ in self._places(journey))

    def runs(self, journey: str | None = None) -> Iterator[Saved]:
        for place in sorted(self._places(journey), key=lambda one: one.name, reverse=True):
            saved = self._read_place(place)
            if saved is not None:
                yield saved

    def own_runs(self) -> Iterator[Saved]:
        return super().runs()

    def ids(self) -> dict[str, Path]:
        return {one.name.partition("Z-")[2]: self._folder(one) for one in self._places(None)}

    def find(self, wanted: str) -> Saved:
        if "@" in wanted or wanted in {"last", "last-failed"} or (Path(wanted) / RESULT).is_file():
            return super().find(wanted)
        try:
            return super().find(wanted)
        except RunNotFound as error:
            matches = [one for one in self._places(None) if one.name.partition("Z-")[2].startswith(wanted)]
            saved = self._read_place(matches[0]) if len(matches) == 1 and wanted else None
            if saved is None:
                raise RunNotFound(f"{error}; in {self.storage.shown} there are {len(matches)}") from None
            return saved

    def fetch(self, saved: Saved, kinds: Collection[str] | None = None) -> Saved:
        """The run with its artifacts in a folder here, those of some kinds or all: its own folder where they are in it.

        An artifact that the storage does not have either is left out.
        """
        wanted = [one for one in saved.result.artifacts if kinds is None or one.kind in kinds]
        if all((saved.folder / one.path).is_file() for one in wanted):
            return saved
        place = _Place(saved.result.journey, saved.folder.name)
        copy = self._fetched / place.journey / place.name
        make_private_folder(copy)
        for one in [Artifact(kind="", path=RESULT, bytes=0), *wanted]:
            with suppress(FileNotFoundError):
                fetch_file(self.storage, place.journey, place.name, one, copy)
        return Saved(saved.result, copy)

    def files(self, run: str, journey: str, started_at: datetime, stored: str | None) -> RunFiles:
        self._remove_old()
        folder = self._stored_folder(run, journey, stored)
        if not _is_journey(journey):
            return RunFiles(folder)
        name = folder.name if folder else run_folder_name(started_at, run)
        copy = self._fetched / journey / name
        if copy.is_dir():
            os.utime(copy)
        return RemoteRunFiles(folder, self.storage, f"{journey}/{name}", copy, self._availability)

    def delete(self, saved: Saved) -> None:
        place = f"{saved.result.journey}/{saved.folder.name}"
        # First there: what is removed here first would not be found again to be removed there.
        self.storage.delete(self.storage.sizes(place))
        rmtree(self._fetched / saved.result.journey / saved.folder.name, ignore_errors=True)
        if (self.folder / saved.result.journey / saved.folder.name).is_dir():
            super().delete(Saved(saved.result, self.folder / saved.result.journey / saved.folder.name))

    def forget(self, journey: str) -> None:
        self.storage.delete(self.storage.sizes(journey))
        rmtree(self._fetched / journey, ignore_errors=True)
        super().forget(journey)

    def measure(self, saved: Saved) -> int:
        away = sum(one.bytes for one in saved.result.artifacts if not (saved.folder / one.path).is_file())
        return measure_folder(saved.folder) + away

    def _remove_old(self) -> None:
        """Removes what was fetched and not used for long. Access times may be off, so reading a run touches its folder."""
        if time.monotonic() - self._tidied < TIDY:
            return
        self._tidied = time.monotonic()
        for folder in self._fetched.glob("*/*"):
            with suppress(FileNotFoundError):
                if time.time() - folder.stat().st_mtime > self._keep:
                    rmtree(folder, ignore_errors=True)

    def _places(self, journey: str | None) -> set[_Place]:
        here = {_Place(one.parent.name, one.name) for one in self._folders(journey)}
        names = [journey] if journey else [one for one in self.storage.folders() if _is_journey(one)]
        there = {_Place(name, one) for name in names for one in self.storage.folders(name) if RUN_FOLDER.fullmatch(one)}
        return here | there

    def _folder(self, place: _Place) -> Path:
        own = self.folder / place.journey / place.name
        return own if (own / RESULT).is_file() else self._fetched / place.journey / place.name

    def _read_place(self, place: _Place) -> Saved | None:
        """A run, fetched if it is not here; None, noted in `problems`, for one that cannot be read or is not there as a whole."""
        folder = self._folder(place)
        if not (folder / RESULT).is_file():
            try:
                self.storage.download(f"{place.journey}/{place.name}/{RESULT}", folder / RESULT)
            except FileNotFoundError:
                # Its upload has not ended.
                return None
        return self.read(folder)


def fetch_file(storage: Storage, journey: str, name: str, artifact: Artifact, copy: Path) -> Path:
    """A file of a run, in the folder `copy`; what is there already is not fetched again.

    Raises StorageDown; FileNotFoundError when the storage does not have it.
    """
    file = (copy / artifact.path).resolve()
    # A result that was read from the storage may name any path.
    if not file.is_relative_to(copy.resolve()):
        raise StorageDown(f"artifacts: {storage.shown}: {journey}/{name} lists a file outside of its folder; it is not read")
    if not file.is_file():
        storage.download(f"{journey}/{name}/{artifact.path}", file, artifact.sha256)
    return file


def open_archive(settings: Settings) -> Archive:
    """The saved runs of the settings, for reading and removing: those in a storage are among them, if one is set.

    Raises ConfigError when the storage cannot be used as it is set.
    """
    storage = open_storage(settings)
    return RemoteArchive(settings.runs_dir, storage, settings.artifacts_keep_local) if storage else Archive(settings.runs_dir)


def _is_journey(name: str) -> bool:
    """Whether a folder of the storage can be a journey's: other things may be in it, or in a bucket that is shared."""
    try:
        return bool(parse_journey_name(name))
    except ValueError:
        return False
