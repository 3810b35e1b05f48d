"""The saved runs: one folder per run, `runs/<journey>/<UTC time>-<run id>/`, with `result.json` and the artifacts.

A folder gets its final name in one rename, when everything in it is written; until then it is under `runs/.scratch/`, in a
folder of the process that writes it. That process holds a lock until it ends, for whatever reason, so the next process can
recognize what was not finished, and removes it. All of it can be read by its owner only.
"""

import os
import re
import weakref
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from shutil import rmtree
from threading import Lock
from uuid import uuid4

import msgspec
from msgspec import Struct

from runner.archive.file_lock import lock_file
from runner.archive.run_files import RESULT, RunFiles
from runner.archive.waiting_uploads import WaitingUploads
from runner.errors import ConfigError, RunNotFound
from runner.private_files import FOLDER, make_private_folder, sync_to_disk, write_private_file
from runner.result import RunResult

SCRATCH = ".scratch"
RAW = ".raw"
"""Suffix of the folder, beside a run's folder in the scratch, that holds what is not yet redacted."""
SMOKE = ".smoke"
"""Beside the runs: the results of smoke checks, one file each."""
PICTURES = ".pictures.zip"
"""In place of `.json`: the pictures of a smoke check, or of a baseline."""
RECORDINGS = "replays"
"""Beside the runs: what real users' browsers recorded, a folder for each app, which may have any name."""
LOCK = ".lock"
SEARCHED = 100
"""Newest runs among which the newest one of a place is looked for."""
RUN_FOLDER = re.compile(r"\d{8}T\d{6}Z-.+")
"""The name of a run's folder."""
_decoder = msgspec.json.Decoder(RunResult)


class Saved(Struct, frozen=True):
    """A saved run and where it is."""

    result: RunResult
    folder: Path


class _Place:
    """This process's folder in the scratch, locked until the process ends. Raises OSError when it cannot be created."""

    def __init__(self, scratch: Path) -> None:
        make_private_folder(scratch)
        self.folder = scratch / uuid4().hex
        self._lock = self.folder.with_suffix(LOCK)
        self._held = lock_file(self._lock)
        while self._held is None:
            # Another process has swept the file away between its creation and the lock.
            self._held = lock_file(self._lock)
        self.folder.mkdir(FOLDER)

    def leave(self) -> None:
        """Removes the folder and gives up the lock."""
        rmtree(self.folder, ignore_errors=True)
        self._lock.unlink(missing_ok=True)
        if self._held is not None:
            os.close(self._held)
            self._held = None


class Archive:
    """The runs below one folder, which need not exist yet."""

    def __init__(self, folder: Path, uploads: bool = False) -> None:
        """With `uploads`, each run that is saved is noted as waiting to be uploaded."""
        self.folder = folder
        self.waiting = WaitingUploads(folder)
        self._uploads = uploads
        self._own: _Place | None = None
        self._entering = Lock()
        self.problems: list[str] = []
        """Runs that could not be read, and why."""

    def scratch(self, run: str) -> Path:
        """A new folder for the artifacts of a run that is not yet saved. Raises ConfigError when it cannot be created."""
        try:
            folder = self._place() / run
            folder.mkdir(FOLDER)
        except OSError as error:
            raise ConfigError(
                f"runs_dir: {self.folder} cannot be written: {error.strerror}; name another folder with --runs-dir"
            ) from error
        return folder

    def _place(self) -> Path:
        """This process's folder in the scratch; the first call creates it and removes what ended processes have left."""
        with self._entering:
            if self._own is None:
                sweep_scratch(self.folder / SCRATCH)
                self._own = _Place(self.folder / SCRATCH)
                weakref.finalize(self, self._own.leave)
            return self._own.folder

    def sweep(self) -> None:
        """Removes what processes have left that have ended since this one began. Raises OSError when that fails."""
        sweep_scratch(self.folder / SCRATCH)

    def add(self, folder: Path, name: str, content: bytes) -> None:
        """Puts one more file into the folder of a saved run, whole. Raises OSError when that fails."""
        written = self._place() / f"{folder.name}-{name}"
        write_private_file(written, content)
        written.replace(folder / name)

    def fetch(self, saved: Saved, kinds: Collection[str] | None = None) -> Saved:  # noqa: ARG002 (for archives that have to)
        """The run with its artifacts, those of some kinds or all, in a folder of this machine."""
        return saved

    def files(self, run: str, journey: str, started_at: datetime, stored: str | None) -> RunFiles:  # noqa: ARG002
        """The files of a run; `stored` is the folder in which it was saved, perhaps on another machine."""
        return RunFiles(self._stored_folder(run, journey, stored))

    def _stored_folder(self, run: str, journey: str, stored: str | None) -> Path | None:
        if stored and (Path(stored) / RESULT).is_file():
            return Path(stored)
        return self.folder_of(run, journey)

    def measure(self, saved: Saved) -> int:
        """Bytes of the files of a run; a link counts as the link itself, not as its target."""
        return measure_folder(saved.folder)

    def delete(self, saved: Saved) -> None:
        """Removes a saved run: at once from its place, then from the disk. Raises OSError when that fails.

        Links in it are removed, never followed.
        """
        doomed = self._place() / saved.folder.name
        saved.folder.rename(doomed)
        self.waiting.remove(saved.result.id)
        rmtree(doomed)

    def journeys(self) -> list[str]:
        """The names of the journeys with saved runs."""
        return sorted({folder.parent.name for folder in self._folders(None)})

    def count(self, journey: str) -> int:
        """The number of saved runs of a journey."""
        return sum(1 for _ in self._folders(journey))

    def forget(self, journey: str) -> None:
        """Removes all saved runs of a journey: at once from their place, then from the disk. Raises OSError when that fails.

        Other files in the journey's folder stay. Links in it are removed, never followed.
        """
        for folder in list(self._folders(journey)):
            doomed = self._place() / folder.name
            folder.rename(doomed)
            self.waiting.remove(folder.name.partition("Z-")[2])
            rmtree(doomed)
        with suppress(OSError):  # something else is in it
            (self.folder / journey).rmdir()

    def save(self, result: RunResult, scratch: Path) -> Path:
        """Writes `result.json` beside the artifacts in `scratch` and gives the folder its final place, which is returned.

        Raises OSError when that fails; then nothing stands under the final name.
        """
        text = msgspec.json.format(msgspec.json.encode(result), indent=2)
        write_private_file(scratch / RESULT, text + b"\n", sync=True)
        final = self.folder / result.journey / run_folder_name(result.started_at, result.id)
        make_private_folder(final.parent)
        if self._uploads:
            self.waiting.add(result.id, final, sum(one.bytes for one in result.artifacts))
        scratch.rename(final)
        sync_to_disk(final.parent)
        return final

    def runs(self, journey: str | None = None) -> Iterator[Saved]:
        """The saved runs, newest first; of one journey if named. What cannot be read is skipped and noted in `problems`."""
        for folder in sorted(self._folders(journey), key=lambda one: one.name, reverse=True):
            saved = self.read(folder)
            if saved is not None:
                yield saved

    def own_runs(self) -> Iterator[Saved]:
        """The runs that were made in this folder, newest first."""
        return self.runs()

    def _folders(self, journey: str | None, ending: str = "") -> Iterator[Path]:
        if not self.folder.is_dir():
            return
        for parent in self.folder.iterdir():
            if parent.name.startswith(".") or parent.is_symlink() or not parent.is_dir() or journey not in {None, parent.name}:
                continue
            for one in parent.iterdir():
                # A link could point outside the folder of the runs, to something that only looks like a run.
                if not one.name.endswith(ending) or not RUN_FOLDER.fullmatch(one.name) or one.is_symlink() or not one.is_dir():
                    continue
                # The name of an app can look like a run's folder, and a journey can be named like the folder of recordings: a run has a result.
                if parent.name != RECORDINGS or (one / RESULT).is_file():
                    yield one

    def read(self, folder: Path) -> Saved | None:
        """The run in a folder; None, noted in `problems`, when it cannot be read."""
        try:
            return Saved(_decoder.decode((folder / RESULT).read_bytes()), folder)
        except (OSError, msgspec.DecodeError) as error:
            self.problems.append(f"{folder / RESULT}: cannot be read: {error}")
            return None

    def ids(self) -> dict[str, Path]:
        """The folder of each saved run, by the run's id."""
        return {folder.name.partition("Z-")[2]: folder for folder in self._folders(None)}

    def folder_of(self, run: str, journey: str | None = None) -> Path | None:
        """The folder of a run, searched among those of its journey if that is given; None when it is not saved."""
        return next(self._folders(journey, f"Z-{run}"), None)

    def find(self, wanted: str) -> Saved:
        """The run that `wanted` means: an id, a unique beginning of one, `last`, `last-failed`, `NAME@last`, or a folder.

        Raises RunNotFound that says what can be given.
        """
        name, _, which = wanted.rpartition("@")
        if which in {"last", "last-failed"}:
            found = next(
                (one for one in self.runs(name or None) if which == "last" or one.result.status in {"failed", "error"}), None
            )
            if found is None:
                what = "has failed" if which == "last-failed" else "is saved"
                raise RunNotFound(f"no run{f' of {name}' if name else ''} {what} in {self.folder}; `journey run` makes one")
            return found
        if (Path(wanted) / RESULT).is_file():
            saved = self.read(Path(wanted))
            if saved is None:
                raise RunNotFound(self.problems[-1])
            return saved
        matches = [folder for folder in self._folders(None) if folder.name.partition("Z-")[2].startswith(wanted)]
        saved = self.read(matches[0]) if len(matches) == 1 else None
        if saved is not None:
            return saved
        if len(matches) > 1:
            ids = ", ".join(sorted(folder.name.partition("Z-")[2] for folder in matches)[:5])
            raise RunNotFound(f"{wanted!r} begins {len(matches)} run ids ({ids} …); give more of one")
        raise RunNotFound(
            f"no run {wanted!r} in {self.folder}; give an id or its beginning, `last`, `last-failed` or `NAME@last`"
        )

    def newest_at(self, journey: str, location: str, *, scheduled: bool = False) -> Saved | None:
        """The newest saved run of a journey at a place, among its last SEARCHED; None when there is none.

        With `scheduled`, runs on demand do not count.
        """
        wanted = (
            one
            for one in islice(self.runs(journey), SEARCHED)
            if one.result.location == location and not (scheduled and one.result.trigger not in {"", "schedule"})
        )
        return next(wanted, None)

    def last_success(self, journey: str, location: str) -> datetime | None:
        """When the newest passed run of a journey at a place ended, according to its newest saved run; None when it is not known."""
        newest = self.newest_at(journey, location)
        return newest.result.last_success_at if newest else None


def sweep_scratch(scratch: Path) -> None:
    """Removes from the scratch what ended processes have left."""
    if not scratch.is_dir() or scratch.is_symlink():
        return
    for file in scratch.glob(f"*{LOCK}"):
        held = lock_file(file)
        if held is not None:
            rmtree(file.with_suffix(""), ignore_errors=True)
            file.unlink(missing_ok=True)
            os.close(held)
    for folder in scratch.iterdir():
        if folder.is_dir() and not folder.is_symlink() and not folder.with_suffix(LOCK).exists():
            rmtree(folder, ignore_errors=True)


def run_folder_name(started_at: datetime, run: str) -> str:
    """The name of a run's folder, which sorts by time."""
    return f"{started_at:%Y%m%dT%H%M%SZ}-{run}"


def measure_folder(folder: Path) -> int:
    """Bytes of the files below a folder; a link counts as the link itself, not as its target."""
    total = 0
    for path, _, names in os.walk(folder):
        total += sum((Path(path) / name).lstat().st_size for name in names)
    return total
