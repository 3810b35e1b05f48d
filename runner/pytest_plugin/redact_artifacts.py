"""Redacts Playwright's traces and log records before they are written."""

import logging
import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, get_type_hints
from zipfile import BadZipFile, ZipFile

import msgspec
from playwright.sync_api import BrowserContext

from runner.artifacts import trace
from runner.pytest_plugin.project import PytestProject


def start_redaction(project: PytestProject) -> Callable[[], None]:
    """Starts to redact; returns the function that ends it."""
    # Playwright does not export the class, only what returns one; browser contexts and API requests share it.
    tracing: type = get_type_hints(vars(BrowserContext)["tracing"].fget)["return"]
    kept = {name: getattr(tracing, name) for name in ("stop", "stop_chunk")}
    for name, original in kept.items():
        setattr(tracing, name, _wrap_stop(original, project))
    make = logging.getLogRecordFactory()
    logging.setLogRecordFactory(_wrap_record_factory(make, project))

    def end() -> None:
        for name, original in kept.items():
            setattr(tracing, name, original)
        logging.setLogRecordFactory(make)

    return end


def _wrap_stop(stop: Callable[..., None], project: PytestProject) -> Callable[..., None]:
    """`Tracing.stop` or `stop_chunk`, which write all of pytest-playwright's traces: the trace is redacted first."""

    @wraps(stop)
    def stopping(self: Any, *, path: str | Path | None = None, **options: Any) -> None:
        if path is None or not project.settings.redaction or not project.redacts(project.observed_item):
            stop(self, path=path, **options)
            return
        raw = Path(f"{os.fspath(path)}.raw")
        try:
            stop(self, path=raw, **options)
            trace.redact_trace(raw, Path(path), project.redactor)
        except (BadZipFile, msgspec.DecodeError, UnicodeError) as error:
            with ZipFile(path, "w") as emptied:
                emptied.writestr("not-kept.txt", f"the trace was not kept, it could not be redacted: {error}\n")
        finally:
            raw.unlink(missing_ok=True)

    return stopping


def _wrap_record_factory(make: Callable[..., logging.LogRecord], project: PytestProject) -> Callable[..., logging.LogRecord]:
    """Makes log records whose secrets are redacted, for every handler: pytest's report, its log file, its live log."""
    plain = logging.Formatter()

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        made = make(*args, **kwargs)
        redactor = project.redactor
        if not redactor.secrets:
            return made
        message = made.getMessage()
        if redactor.holds_secret(message):
            made.msg, made.args = redactor.text(message), None
        if made.exc_info:
            formatted = plain.formatException(made.exc_info)
            if redactor.holds_secret(formatted):
                made.exc_text = redactor.text(formatted)
        return made

    return record
