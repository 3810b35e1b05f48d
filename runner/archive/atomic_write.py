"""Several files written as one change: all of them, or none."""

import shutil
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from uuid import uuid4

from msgspec import Struct

from runner.errors import ConfigError


class FileChange(Struct, frozen=True):
    """A file's content, before and after."""

    before: bytes | None
    """None for a file that is not there yet."""
    after: bytes


def write_files(changes: Mapping[Path, FileChange]) -> None:
    """Creates and changes files, and creates the folders that they need.

    Raises ConfigError when a file cannot be written, or its content is no longer `before`; then nothing has changed.
    """
    with ExitStack() as at_last, ExitStack() as undo:
        # Most failures happen while the new content is written to temporary files, before anything has changed.
        staged = [(path, change, _stage(path, change, undo)) for path, change in changes.items()]
        for path, change, new in staged:
            try:
                _move(path, change, new, undo, at_last)
            except OSError as error:
                raise _failed(path, error) from error
        undo.pop_all()


def _stage(path: Path, change: FileChange, undo: ExitStack) -> Path:
    try:
        _make_folder(path.parent, undo)
        new = _beside(path, change)
        undo.callback(new.unlink, missing_ok=True)
        new.write_bytes(change.after)
        if change.before is not None:
            shutil.copymode(path, new)
    except OSError as error:
        raise _failed(path, error) from error
    return new


def _beside(path: Path, change: FileChange) -> Path:
    """A temporary name in the folder of the file itself, also when a link points to it."""
    place = path if change.before is None else path.resolve()
    return place.parent / f".{place.name}.{uuid4().hex}"


def _make_folder(folder: Path, undo: ExitStack) -> None:
    for one in reversed([folder, *folder.parents]):
        if not one.is_dir():
            one.mkdir()
            undo.callback(_remove_folder, one)


def _remove_folder(folder: Path) -> None:
    with suppress(OSError):  # another process has put something into it meanwhile
        folder.rmdir()


def _move(path: Path, change: FileChange, new: Path, undo: ExitStack, at_last: ExitStack) -> None:
    if change.before is None:
        if path.exists() or path.is_symlink():
            raise ConfigError(f"{path} already exists and is not overwritten; nothing was changed")
        new.rename(path)
        undo.callback(path.unlink, missing_ok=True)
        return
    target = path.resolve()
    if target.read_bytes() != change.before:
        raise ConfigError(f"{path} was changed by another process; nothing was changed, try again")
    kept = _beside(path, change)
    at_last.callback(kept.unlink, missing_ok=True)
    shutil.copy2(target, kept)
    undo.callback(kept.replace, target)
    new.replace(target)


def _failed(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"{error.filename or path} cannot be written: {error.strerror}; nothing was changed")
