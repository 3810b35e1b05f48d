"""What a journey prints and logs, with its secrets hidden.

A journey may use `sys.stdout` as the file that it is: `buffer`, `fileno()` (for a child process), `reconfigure()`, `encoding`. All of
it goes through the redactor, and nothing of it ends a run: a stream that is closed, full or has another encoding only loses text.
"""

import codecs
import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from runner.redaction import Redactor
from runner.untrusted_text import printable, well_formed

LONGEST_LINE = 100_000
"""The maximum number of characters of an unfinished line that are held back."""
LAST_WORDS = 1.0
"""Seconds to wait for what child processes have written."""


@contextmanager
def print_redacted(redactor: Redactor) -> Iterator[None]:
    """Whatever is printed and logged while the block runs goes through `redactor`, line by line."""
    streams = sys.stdout, sys.stderr
    redacted = [_Redacted(stream, redactor) for stream in streams]
    sys.stdout, sys.stderr = redacted
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams
        for stream in redacted:
            stream.end()


class _Redacted(io.TextIOBase):
    """Holds back the last, unfinished line, as a secret may arrive in two writes."""

    def __init__(self, stream: TextIO | None, redactor: Redactor) -> None:
        self._stream = stream
        self._redactor = redactor
        self._line = ""
        self._lock = threading.RLock()
        self._buffer: _Bytes | None = None
        self._pipe: _Pipe | None = None

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a property instead of an attribute
        """The encoding of what is written to `buffer` and `fileno()`."""
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """Every character is accepted."""
        return "backslashreplace"

    @property
    def name(self) -> str:
        """As of the stream that this one replaces."""
        return str(getattr(self._stream, "name", "<stream>"))

    @property
    def mode(self) -> str:
        """True."""
        return "w"

    @property
    def line_buffering(self) -> bool:
        """Writes whole lines, and keeps an unfinished one until it ends."""
        return True

    @property
    def buffer(self) -> "_Bytes":
        """The same stream for bytes in UTF-8."""
        with self._lock:
            self._buffer = self._buffer or _Bytes(self)
            return self._buffer

    def fileno(self) -> int:
        """A file descriptor, such as for a child process; what is written to it is redacted too."""
        with self._lock:
            self._pipe = self._pipe or _Pipe(self)
            return self._pipe.fileno()

    def reconfigure(self, **options: Any) -> None:
        """Does nothing: every character can be written as it is."""

    def detach(self) -> Any:
        """Raises io.UnsupportedOperation: what was written past this stream would not be redacted."""
        raise io.UnsupportedOperation("a journey's sys.stdout cannot be detached; write to sys.stdout.buffer instead")

    def close(self) -> None:
        """Flushes; the stream belongs to the runner and stays open."""
        self.flush()

    def isatty(self) -> bool:
        """False: lines are written when they are complete."""
        return False

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        with self._lock:
            whole, newline, self._line = (self._line + text).rpartition("\n")
            if newline:
                self._put(whole + newline)
            if len(self._line) > LONGEST_LINE:
                self._put(self._line)
                self._line = ""
        return len(text)

    def flush(self) -> None:
        with self._lock:
            if self._line:
                self._put(self._line)
                self._line = ""
            with suppress(OSError, ValueError, AttributeError):
                self._stream.flush()  # type: ignore[union-attr]  # a closed stream is None

    def end(self) -> None:
        """Reads what child processes have written so far, and flushes."""
        if self._pipe is not None:
            self._pipe.close()
        if self._buffer is not None:
            self._buffer.flush()
        self.flush()

    def _put(self, text: str) -> None:
        if self._stream is None:
            return
        clean = printable(well_formed(self._redactor.text(text)))
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        with suppress(OSError, ValueError):  # a full disk or a closed stream must not end a run
            self._stream.write(clean.encode(encoding, "backslashreplace").decode(encoding))


class _Bytes(io.BufferedIOBase):
    """Bytes in UTF-8 for a redacted stream; half a character is kept until its other half is written."""

    def __init__(self, text: _Redacted) -> None:
        self._text = text
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._text.fileno()

    def write(self, content: Any) -> int:
        raw = bytes(content)
        self._text.write(self._decoder.decode(raw))
        return len(raw)

    def flush(self) -> None:
        self._text.flush()

    def close(self) -> None:
        self.flush()


class _Pipe:
    """A file descriptor whose bytes become text of a redacted stream."""

    def __init__(self, text: _Redacted) -> None:
        out, self._into = os.pipe()
        self._thread = threading.Thread(target=_carry, args=(out, _Bytes(text)), daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        return self._into

    def close(self) -> None:
        """Waits for what has been written; a child process that still runs keeps its end open and is not waited for."""
        os.close(self._into)
        self._thread.join(LAST_WORDS)


def _carry(out: int, into: _Bytes) -> None:
    with open(out, "rb", buffering=0) as pipe:
        while content := pipe.read(65_536):
            into.write(content)
