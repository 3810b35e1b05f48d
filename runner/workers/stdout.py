"""What a journey prints and logs, with its secrets hidden."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from runner.redaction import Redactor


@contextmanager
def print_redacted(redactor: Redactor) -> Iterator[None]:
    """What is printed and logged while the block runs goes through `redactor`, a line at a time."""
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_Redacted(stream, redactor) for stream in streams)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = streams


class _Redacted(io.TextIOBase):
    """Holds back the last, unfinished line: a secret may come in two writes."""

    def __init__(self, stream: TextIO, redactor: Redactor) -> None:
        self._stream = stream
        self._redactor = redactor
        self._line = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *whole, self._line = (self._line + text).splitlines(keepends=True) or [""]
        if self._line.endswith("\n"):
            whole, self._line = [*whole, self._line], ""
        if whole:
            self._stream.write(self._redactor.text("".join(whole)))
        return len(text)

    def flush(self) -> None:
        if self._line:
            self._stream.write(self._redactor.text(self._line))
            self._line = ""
        self._stream.flush()
