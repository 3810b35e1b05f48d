"""The runs that a worker has begun and not sent: a small file each, so that a result which was saved is sent although its worker was killed."""

from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from runner.private_files import make_private_folder, write_private_file

FOLDER = ".begun"


class BegunRun(Struct, frozen=True):
    """A run, and what its result says about its way."""

    run: str
    worker: str
    """The name of the process that had it."""
    redelivered: bool = False


_decoder = msgspec.json.Decoder(BegunRun)


class BegunRuns:
    """The files below the folder of the runs; `left` are those of an earlier process, which did not end in order."""

    def __init__(self, runs: Path) -> None:
        self._folder = runs / FOLDER
        make_private_folder(self._folder)
        self.left = tuple(one for file in sorted(self._folder.iterdir()) if (one := _read(file)) is not None)

    def add(self, run: BegunRun) -> None:
        """Notes that a run begins here."""
        with suppress(OSError):
            # On a full disk a run is made all the same; only what a killed worker has made of it is not found again then.
            write_private_file(self._folder / run.run, msgspec.json.encode(run))

    def remove(self, run: str) -> None:
        """The result of a run is sent, or there is not going to be one."""
        with suppress(OSError):
            # It stays on a disk that can no longer be written: at the next start the result is sent once more, which changes nothing.
            (self._folder / run).unlink(missing_ok=True)


def _read(file: Path) -> BegunRun | None:
    """What a file says; one that was cut off is removed, and what cannot be read is left alone."""
    try:
        return _decoder.decode(file.read_bytes())
    except msgspec.DecodeError:
        file.unlink(missing_ok=True)
    except OSError:
        return None
    return None
