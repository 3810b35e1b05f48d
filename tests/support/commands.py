"""The `journey` command in the process of the tests, which is quicker than in one of its own."""

import gc
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, chdir, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from unittest.mock import patch

from msgspec import Struct

import runner.cli
from runner.cli.running import run, smoke
from runner.workers.pool import Workers


class Ended(Struct, frozen=True):
    """What a command has left in the terminal."""

    returncode: int
    stdout: str
    stderr: str


class NoWorkers(Workers):
    """For commands that end before they run anything."""

    def __init__(self) -> None:
        super().__init__(0)

    def open(self, *_: object, **__: object) -> None:
        raise AssertionError("this command runs journeys: use `journey` instead of `here`")


def run_here(folder: Path, words: Sequence[str], environment: Mapping[str, str], pool: Workers | None = None) -> Ended:
    """Runs the program in this process, from its entry to its exit code, with its real output and only these variables.

    Its journeys run in the pool, which goes on when the command has ended.
    """
    handler = signal.getsignal(signal.SIGTERM)
    with TemporaryFile() as output, TemporaryFile() as errors:
        with (
            chdir(folder),
            patch.dict(os.environ, environment, clear=True),
            patch.object(sys, "argv", ["journey", *words]),
            streams(output.fileno(), errors.fileno()),
            # This process goes on, and what it holds is not for good.
            patch.object(gc, "disable", lambda: None),
            patch.object(gc, "freeze", lambda: None),
            lent(pool or NoWorkers()),
        ):
            try:
                runner.cli.main()
                code: object = 0
            except SystemExit as ended:
                code = ended.code or 0
            finally:
                signal.signal(signal.SIGTERM, handler)
        assert isinstance(code, int), code
        return Ended(code, _content(output), _content(errors))


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@contextmanager
def streams(output: int, errors: int) -> Iterator[None]:
    """Lets standard output and standard error be these descriptors until the block ends, and their Python objects new ones."""
    before = sys.stdout, sys.stderr
    for stream in before:
        stream.flush()
    kept = os.dup(1), os.dup(2)
    try:
        os.dup2(output, 1)
        os.dup2(errors, 2)
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before
        for number, descriptor in enumerate(kept, 1):
            os.dup2(descriptor, number)
            os.close(descriptor)


@contextmanager
def lent(pool: Workers) -> Iterator[None]:
    """Lets commands that want a worker have the one of this pool, which goes on when they end."""

    def workers(count: int) -> AbstractContextManager[Workers]:
        return nullcontext(pool) if count == 1 or not pool.count else Workers(count)

    with (
        patch.object(runner.cli, "start_early", lambda: None),
        patch.object(pool, "begin_closing", lambda: None),
        patch.object(run, "Workers", workers),
        patch.object(smoke, "Workers", workers),
    ):
        yield
