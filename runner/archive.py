"""The saved runs: one folder a run, `runs/<journey>/<UTC time>-<run id>/`, with `result.json` and the artifacts.

A folder gets its final name in one rename, when everything in it is written; until then it is under `runs/.scratch/`.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from runner.errors import ConfigError, RunNotFound
from runner.result import RunResult

SCRATCH = ".scratch"
RAW = ".raw"
"""What the name of the folder ends with, beside a run's in the scratch, that takes what is not yet redacted."""
RESULT = "result.json"
_decoder = msgspec.json.Decoder(RunResult)


class Saved(Struct, frozen=True):
    """A saved run and where it is."""

    result: RunResult
    folder: Path


class Archive:
    """The runs below one folder, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []
        """Runs that could not be read, and why."""

    def scratch(self, run: str) -> Path:
        """A new folder for the artifacts of a run that is not yet saved. Raises ConfigError when it cannot be made."""
        folder = self.folder / SCRATCH / run
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise ConfigError(
                f"runs_dir: {folder} cannot be made: {error.strerror}; name another folder with --runs-dir"
            ) from error
        return folder

    def save(self, result: RunResult, scratch: Path) -> Path:
        """Writes `result.json` beside the artifacts in `scratch` and gives the folder its final place, which is returned.

        Raises OSError when that fails; then nothing stands under the final name.
        """
        text = msgspec.json.format(msgspec.json.encode(result), indent=2)
        with (scratch / RESULT).open("wb") as file:
            file.write(text + b"\n")
            file.flush()
            os.fsync(file.fileno())
        final = self.folder / result.journey / f"{result.started_at:%Y%m%dT%H%M%SZ}-{result.id}"
        final.parent.mkdir(parents=True, exist_ok=True)
        scratch.rename(final)
        _sync(final.parent)
        return final

    def runs(self, journey: str | None = None) -> Iterator[Saved]:
        """The saved runs, newest first; of one journey if named. What cannot be read is skipped and noted in `problems`."""
        for folder in sorted(self._folders(journey), key=lambda one: one.name, reverse=True):
            saved = self._read(folder)
            if saved is not None:
                yield saved

    def _folders(self, journey: str | None) -> Iterator[Path]:
        if not self.folder.is_dir():
            return
        for parent in self.folder.iterdir():
            if parent.name.startswith(".") or parent.is_symlink() or not parent.is_dir() or journey not in {None, parent.name}:
                continue
            # A link could lead out of the runs' folder, to something that only looks like a run.
            yield from (one for one in parent.iterdir() if one.is_dir() and not one.is_symlink() and "Z-" in one.name)

    def _read(self, folder: Path) -> Saved | None:
        try:
            return Saved(_decoder.decode((folder / RESULT).read_bytes()), folder)
        except (OSError, msgspec.DecodeError) as error:
            self.problems.append(f"{folder / RESULT}: cannot be read: {error}")
            return None

    def find(self, wanted: str) -> Saved:
        """The run that `wanted` means: an id, a unique beginning of one, `last`, `last-failed`, `NAME@last`, or a folder.

        Raises RunNotFound, saying what there is.
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
            saved = self._read(Path(wanted))
            if saved is None:
                raise RunNotFound(self.problems[-1])
            return saved
        matches = [folder for folder in self._folders(None) if folder.name.partition("Z-")[2].startswith(wanted)]
        saved = self._read(matches[0]) if len(matches) == 1 else None
        if saved is not None:
            return saved
        if len(matches) > 1:
            ids = ", ".join(sorted(folder.name.partition("Z-")[2] for folder in matches)[:5])
            raise RunNotFound(f"{wanted!r} begins {len(matches)} run ids ({ids} …); give more of one")
        raise RunNotFound(
            f"no run {wanted!r} in {self.folder}; give an id or its beginning, `last`, `last-failed` or `NAME@last`"
        )

    def last_success(self, journey: str) -> datetime | None:
        """When the newest run of a journey that passed has ended, as its newest saved run knows; None when none is known."""
        newest = next(self.runs(journey), None)
        return newest.result.last_success_at if newest else None


def _sync(folder: Path) -> None:
    """Makes a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
