"""Creates a journey from a session in a separate process, with a time limit, as it rebuilds untrusted pages.

`python -m reports.codegen.subprocess` reads a JSON request from its input and writes the result.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from reports.codegen import check_origins, make_untried
from reports.codegen.result import Made
from reports.replay.recording import read_recording
from runner.browser.chromium import find
from runner.errors import JourneyError, RecordingError
from runner.settings.sections.apps import App
from runner.store import Store

WITHIN = 120.0
"""Time limit in seconds."""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which session, and where it is."""

    session: str
    database_url: str
    folder: str
    """That of all recordings."""
    browser_path: str = ""
    apps: tuple[App, ...] = ()
    """The configured apps: the origins of their pages, and their route templates."""


class _Came(Struct):
    made: Made | None = None
    error: str = ""


_wanted = msgspec.json.Decoder(Wanted)
_came = msgspec.json.Decoder(_Came)


def make_in_subprocess(wanted: Wanted, within: float = WITHIN) -> Made:
    """The journey, not tried. Raises RecordingError when that is impossible or takes too long."""
    command = [sys.executable, "-P", "-m", "reports.codegen.subprocess"]
    # A group of its own, which is ended as a whole: the browser is the child of a child.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            output, _ = process.communicate(msgspec.json.encode(wanted), timeout=within)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise RecordingError(
                f"session {wanted.session}: no journey was created within {within:g} s; try `journey from-session`"
            ) from None
    try:
        came = _came.decode(output)
    except msgspec.DecodeError:
        raise RecordingError(
            f"session {wanted.session}: creating a journey ended with status {process.returncode}; see the server's log"
        ) from None
    if came.made is None:
        raise RecordingError(came.error)
    return came.made


def _make(wanted: Wanted) -> Made:
    with Store(wanted.database_url) as store:
        recording = read_recording(store, Path(wanted.folder), wanted.session)
    if recording is None:
        raise RecordingError(
            f"session {wanted.session} was not recorded, or its recording has been removed; choose another one"
        )
    check_origins(recording, wanted.apps)
    rules = next((app.routes for app in wanted.apps if app.name == recording.app), ())
    return make_untried(recording, find(Path(wanted.browser_path) if wanted.browser_path else None), rules=rules)


def main() -> None:
    """Creates the requested journey."""
    try:
        came = _Came(made=_make(_wanted.decode(sys.stdin.buffer.read())))
    except JourneyError as error:
        came = _Came(error=str(error))
    sys.stdout.buffer.write(msgspec.json.encode(came))


if __name__ == "__main__":
    main()
