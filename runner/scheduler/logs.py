"""The daemon's log: lines of text for people, or of JSON for machines."""

import logging
import sys
import threading
from datetime import UTC, datetime
from textwrap import indent
from typing import Literal

from runner.untrusted_text import encode_json, printable, well_formed

Format = Literal["text", "json"]
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _Json(logging.Formatter):
    """One JSON object per line: `time`, `level`, `logger`, `message`, and the extra fields of the event."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        return encode_json(
            {
                "time": datetime.fromtimestamp(record.created, UTC),
                "level": record.levelname.lower(),
                "logger": record.name,
                "message": record.getMessage(),
                **{name: value for name, value in vars(record).items() if name not in _OWN},
                **({"traceback": self.formatException(record.exc_info)} if record.exc_info else {}),
            },
            enc_hook=str,
        ).decode()


class _Text(logging.Formatter):
    """One line per record, and the lines of a traceback indented: nothing that a stranger sends can look like a record."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        moment = datetime.fromtimestamp(record.created, UTC)
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        message = printable(well_formed(record.getMessage())).replace("\n", "\n    ")
        text = f"{moment:%Y-%m-%d %H:%M:%SZ} {level}{message}"
        if not record.exc_info:
            return text
        return f"{text}\n{indent(printable(well_formed(self.formatException(record.exc_info))), '    ')}"


def log_to_stderr(form: Format) -> None:
    """Sends the records of all `journey` loggers to standard error, and in the same form the warnings and errors of the libraries,
    and what ends a thread."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    root = logging.getLogger("journey")
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    root.propagate = False
    others = logging.getLogger()
    others.handlers[:] = [handler]
    others.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    threading.excepthook = _log_thread_error


def _log_thread_error(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_type is SystemExit:
        return
    error = failed.exc_value or failed.exc_type()
    name = failed.thread.name if failed.thread else "unknown"
    logging.getLogger("journey").error("thread %s has ended with an error", name, exc_info=error)
