"""The command's standard streams: in any encoding, closed or full, and without what a terminal would obey.

Output is never a reason for a run to be lost: a character that the encoding lacks is replaced, a stream that does not accept any more
is given up. `main` says so at the end.
"""

import codecs
import errno
import io
import os
import sys
import unicodedata
from typing import Any, TextIO

from runner.untrusted_text import printable, well_formed

_ERRORS = "journey-plain"
_PLAIN = {
    "✓": "+",
    "✗": "x",
    "–": "-",
    "—": "-",
    "…": "...",
    "·": "-",
    "•": "*",
    "█": "#",
    "░": ".",
    "→": "->",
    "×": "x",
    **dict.fromkeys("“”„", '"'),
    **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("─━", "-"),
    **dict.fromkeys("│┃", "|"),
}


class _Output(io.RawIOBase):
    """Bytes to a descriptor; once it does not accept them, they are dropped."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.failure: OSError | None = None
        """Why it does not accept any more."""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, content: Any) -> int:
        rest = memoryview(content).cast("B")
        size = len(rest)
        while rest and self.failure is None:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except InterruptedError:
                continue
            except OSError as error:
                self.failure = error
        return size


class OutputStream(io.TextIOWrapper):
    """A standard stream. What is written to it reaches a terminal without control characters."""

    def __init__(self, output: _Output, name: str, encoding: str) -> None:
        # It is written through: what a buffer offers is not needed.
        unbuffered: Any = output
        super().__init__(unbuffered, encoding, _ERRORS, newline="\n", write_through=True)
        self._name = name
        self._output = output
        self.unfiltered: TextIO = io.TextIOWrapper(unbuffered, encoding, _ERRORS, newline="\n", write_through=True)
        """For what removes control characters from texts itself, and adds its own."""

    @property
    def name(self) -> str:
        """As Python calls the stream."""
        return self._name

    @property
    def failure(self) -> OSError | None:
        """Why it does not accept any more, None while it does."""
        return self._output.failure

    def write(self, text: str) -> int:
        super().write(printable(well_formed(text)))
        return len(text)


def prepare_streams() -> None:
    """Puts OutputStreams in the place of `sys.stdout` and `sys.stderr`; closed standard descriptors become the null device.

    A file or a pipe that is opened later would get a closed one's number, and what is printed would go there.
    """
    codecs.register_error(_ERRORS, _replace)
    while True:
        descriptor = os.open(os.devnull, os.O_RDWR)
        if descriptor > 2:
            os.close(descriptor)
            break
        os.set_inheritable(descriptor, True)
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if isinstance(stream, OutputStream):
            continue
        encoding = getattr(stream, "encoding", None) or "utf-8"
        if stream is not None:
            stream.flush()
        setattr(sys, name, OutputStream(_Output(number), f"<{name}>", encoding))


def output_failure() -> str | None:
    """Why standard output has lost something, as a sentence; None where it has not, or where its reader has gone."""
    failure = sys.stdout.failure if isinstance(sys.stdout, OutputStream) else None
    if failure is None or failure.errno == errno.EPIPE:
        return None
    return f"standard output could not be written: {failure.strerror}"


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Signs as similar ones of ASCII, letters without their accents, all others as `?`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    plain = []
    for char in error.object[error.start : error.end]:
        letters = "".join(one for one in unicodedata.normalize("NFKD", char) if one.isascii())
        plain.append(_PLAIN.get(char) or letters or "?")
    return "".join(plain), error.end
