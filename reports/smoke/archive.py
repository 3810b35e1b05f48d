"""The saved smoke checks: `runs/.smoke/<UTC time>-<id>.json`, each a SmokeResult, written whole."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from reports.smoke.baseline import pictures_beside
from reports.smoke.result import SmokeResult
from runner.archive.archive import SMOKE
from runner.archive.json_document import replace_file
from runner.errors import ConfigError, RunNotFound
from runner.private_files import make_private_folder

_decoder = msgspec.json.Decoder(SmokeResult)


class SavedCheck(Struct, frozen=True):
    """A saved smoke check and where it is."""

    result: SmokeResult
    file: Path


class SmokeArchive:
    """The smoke checks beside the runs below one folder, which need not exist yet."""

    def __init__(self, runs_dir: Path) -> None:
        self.folder = runs_dir / SMOKE
        self.problems: list[str] = []
        """Checks that could not be read, and why."""

    def save(self, result: SmokeResult) -> Path:
        """Writes a check; returns its file. Raises ConfigError when that fails; then nothing stands under its name."""
        file = self._file(result.id, result.started_at)
        replace_file(file, msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n", "--runs-dir", private=True)
        return file

    def pictures_file(self, identity: str, started_at: datetime) -> Path:
        """The file for the pictures of a check, in a folder that exists. Raises ConfigError."""
        return pictures_beside(self._file(identity, started_at))

    def _file(self, identity: str, started_at: datetime) -> Path:
        try:
            make_private_folder(self.folder)
        except OSError as error:
            raise ConfigError(
                f"runs_dir: cannot create {self.folder}: {error.strerror}; choose another folder with --runs-dir"
            ) from error
        return self.folder / f"{started_at:%Y%m%dT%H%M%SZ}-{identity}.json"

    def checks(self) -> Iterator[SavedCheck]:
        """The saved checks, newest first. What cannot be read is skipped and noted in `problems`."""
        for file in sorted(self._files(), reverse=True):
            saved = self._read(file)
            if saved is not None:
                yield saved

    def find(self, wanted: str) -> SavedCheck:
        """The check that `wanted` means: an id, a unique beginning of one, `last`, or a file.

        Raises RunNotFound, saying what there is.
        """
        if wanted == "last":
            newest = next(self.checks(), None)
            if newest is None:
                raise RunNotFound(f"no smoke check is saved in {self.folder}; `journey smoke` makes one")
            return newest
        named = Path(wanted)
        files = [named] if named.is_file() else self.matching(wanted)
        if len(files) > 1:
            ids = ", ".join(sorted(map(_id, files))[:5])
            raise RunNotFound(f"{wanted!r} begins {len(files)} ids of smoke checks ({ids} …); give more of one")
        if not files:
            raise RunNotFound(f"no smoke check {wanted!r} in {self.folder}; give an id or its beginning, `last`, or a file")
        saved = self._read(files[0])
        if saved is None:
            raise RunNotFound(self.problems[-1])
        return saved

    def matching(self, beginning: str) -> list[Path]:
        """The files of the checks whose ids begin so."""
        return [one for one in self._files() if _id(one).startswith(beginning)]

    def _files(self) -> list[Path]:
        return [one for one in self.folder.glob("*Z-*.json") if not one.name.startswith(".")]

    def _read(self, file: Path) -> SavedCheck | None:
        try:
            return SavedCheck(_decoder.decode(file.read_bytes()), file)
        except (OSError, msgspec.DecodeError) as error:
            self.problems.append(f"{file}: cannot be read: {error}")
            return None


def _id(file: Path) -> str:
    return file.stem.partition("Z-")[2]
