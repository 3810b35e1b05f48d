"""The daemon's log: lines of text for people, or of JSON for machines."""

import logging
import sys
from datetime import UTC, datetime
from typing import Literal

import msgspec

Format = Literal["text", "json"]
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _Json(logging.Formatter):
    """One JSON object per line: `time`, `level`, `logger`, `message`, and the extra fields of the event."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        return msgspec.json.encode(
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
    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        moment = datetime.fromtimestamp(record.created, UTC)
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        text = f"{moment:%Y-%m-%d %H:%M:%SZ} {level}{record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def log_to_stderr(form: Format) -> None:
    """Sends the records of all `journey` loggers to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    root = logging.getLogger("journey")
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    root.propagate = False
