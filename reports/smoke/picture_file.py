"""The pictures of a smoke check or of a baseline, in one file; written whole or not at all."""

from collections.abc import Mapping
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

from runner.archive.zip_errors import ZIP_ERRORS
from runner.errors import ConfigError
from runner.private_files import FILE


class PictureFile:
    """To be used as a context while it is written; what is there before stays until the end of the block, and after an exception."""

    def __init__(self, file: Path, option: str) -> None:
        """`option` is what errors say that the file was named by."""
        self.file = file
        self._option = option
        self._partial = file.with_name(f".{file.name}.partial")
        self._zip: ZipFile | None = None

    def __enter__(self) -> "PictureFile":
        try:
            self._partial.unlink(missing_ok=True)
            self._partial.touch(FILE)
            # Pictures are compressed already.
            self._zip = ZipFile(self._partial, "w", ZIP_STORED)
        except OSError as error:
            raise self._cannot(error) from error
        return self

    def add(self, name: str, content: bytes) -> str:
        """Adds a picture; returns its name. Raises ConfigError."""
        assert self._zip is not None
        try:
            self._zip.writestr(name, content)
        except OSError as error:
            raise self._cannot(error) from error
        return name

    def __exit__(self, kind: object, *_: object) -> None:
        assert self._zip is not None
        try:
            self._zip.close()
            if kind is None:
                self._partial.replace(self.file)
        except OSError as error:
            raise self._cannot(error) from error
        finally:
            self._partial.unlink(missing_ok=True)

    def _cannot(self, error: OSError) -> ConfigError:
        return ConfigError(
            f"{self._option} {self.file}: cannot be written: {error.strerror}; name a file in a folder that exists"
        )


class NoPictures(Exception):
    """A file of pictures, or a picture in it, cannot be read. Says why."""


def read_pictures(file: Path, names: Mapping[str, str]) -> dict[str, bytes]:
    """Pictures of a file; `names` has their names in it. Raises NoPictures."""
    try:
        with ZipFile(file) as opened:
            return {key: opened.read(name) for key, name in names.items()}
    except FileNotFoundError as error:
        raise NoPictures(f"{file} does not exist any more") from error
    except ZIP_ERRORS as error:
        raise NoPictures(f"{file} cannot be read: {error}") from error
