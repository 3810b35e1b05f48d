"""What a scheduler has to look after while it runs: files that change, pauses, other schedulers; in a thread of its own."""

import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from runner.archive.archive import Archive
from runner.archive.retention import ExpiredCheck, ExpiredRun, prune_archive
from runner.errors import ConfigError
from runner.scheduler.loader import Planning, Problem, Request, ask
from runner.settings.settings import Settings, load_settings
from runner.store import Store, StoreDown
from runner.store.database import OpenSlot, Pause

PERIOD = 1.0
"""Seconds between two looks."""
BEAT = 10.0
"""Seconds between two signs of life."""
TIDY = 3600.0
"""Seconds between two looks at what is to be removed."""
log = logging.getLogger("journey.watch")


class Watch:
    """Looks around every second; what it finds waits until the loop takes it."""

    def __init__(self, request: Request, settings: Settings, store: Store, owner: str, wake: Callable[[], None]) -> None:
        self._request = request
        self._settings = settings
        # Of its own: what a thread moves out of the way must not meet what another one does.
        self._archive = Archive(settings.runs_dir)
        self._store = store
        self._owner = owner
        self._wake = wake
        self._seen = fingerprint(request)
        self._pauses: list[Pause] = []
        self._planning: Planning | None = None
        self._orphans: list[OpenSlot] = []
        self._stopped = threading.Event()
        self._wanted = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watch", daemon=True)

    def start(self) -> None:
        """Begins to look; the pauses are known when it returns."""
        self._read_pauses()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, unless it is held up; then it ends with the process."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def reload(self) -> None:
        """Has the journeys read again, changed or not."""
        self._wanted.set()

    def paused(self, journey: str) -> str:
        """Why a journey is paused; nothing when it is not."""
        now = datetime.now(UTC)
        for one in self._pauses:
            if fnmatchcase(journey, one.pattern) and (one.until is None or one.until > now):
                return one.reason + (f" until {one.until:%Y-%m-%d %H:%M}Z" if one.until else "")
        return ""

    def planning(self) -> Planning | None:
        """What was read since it was last asked."""
        planning, self._planning = self._planning, None
        return planning

    def orphans(self) -> list[OpenSlot]:
        """The open slots of schedulers that have died since it was last asked."""
        found, self._orphans = self._orphans, []
        return found

    def _work(self) -> None:
        beaten = time.monotonic()
        tidied = beaten
        while not self._stopped.wait(PERIOD):
            self._look_at_files()
            self._read_pauses()
            if time.monotonic() - beaten > BEAT:
                beaten = time.monotonic()
                self._beat()
            if time.monotonic() - tidied > TIDY:
                self._tidy()
                tidied = time.monotonic()

    def _tidy(self) -> None:
        """Removes runs as the settings say; their rows in the store stay."""
        removed = checks = 0
        try:
            for one in prune_archive(self._archive, self._settings, datetime.now(UTC)):
                removed += isinstance(one, ExpiredRun)
                checks += isinstance(one, ExpiredCheck)
        except (OSError, ConfigError) as error:
            log.warning("old runs cannot be removed: %s", error)
        self._archive.problems.clear()
        if removed:
            log.info("removed %d old runs", removed)
        if checks:
            log.info("removed %d old smoke checks", checks)

    def _look_at_files(self) -> None:
        found = fingerprint(self._request)
        if found == self._seen and not self._wanted.is_set():
            return
        self._wanted.clear()
        self._seen = found
        try:
            self._planning = ask(self._request)
        except ConfigError as error:
            self._planning = Planning((), (Problem(self._request.start, str(error)),))
        self._wake()

    def _read_pauses(self) -> None:
        try:
            self._pauses = self._store.pauses(datetime.now(UTC))
        except StoreDown as error:
            log.debug("%s", error)

    def _beat(self) -> None:
        try:
            now = datetime.now(UTC)
            self._store.seen(self._owner, now)
            if self._store.shared:
                self._orphans += self._store.orphans(self._owner, now, alone=False)
        except StoreDown as error:
            log.warning("%s", error)
        if self._orphans:
            self._wake()


def fingerprint(request: Request) -> dict[Path, tuple[int, int]]:
    """Time and size of every file that can change what is on the schedule."""
    try:
        settings = load_settings(request.start, request.overrides, os.environ, request.environment)
    except ConfigError:
        folders: tuple[Path, ...] = ()
    else:
        named = tuple(Path(word) for word in request.wanted if Path(word).exists())
        folders = named or settings.journeys
    found = {}
    files = [request.start / "journey.toml", request.start / "pyproject.toml"]
    for folder in folders:
        files += sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]
    for file in files:
        try:
            state = file.stat()
        except OSError:
            continue
        found[file] = (state.st_mtime_ns, state.st_size)
    return found
