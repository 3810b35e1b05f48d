"""Watches what changes while a scheduler runs, in a thread of its own: files, pauses, other schedulers, old runs."""

import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from runner.archive.archive import Archive
from runner.archive.remote_archive import open_archive
from runner.archive.retention import ExpiredCheck, ExpiredRun, ExpiredState, prune_archive
from runner.dsl.selection import searched_paths
from runner.errors import ConfigError, StorageDown
from runner.scheduler.loader import FileProblem, LoadedJourneys, LoadRequest, load_in_subprocess
from runner.scheduler.recovery import store_saved_runs
from runner.settings.load_settings import load_settings
from runner.settings.settings import Settings
from runner.store import Store, StoreDown
from runner.store.scheduling.pauses import Pause
from runner.store.scheduling.slots import OpenSlot

WATCH_PERIOD = 1.0
"""Seconds between two looks at the files and the pauses."""
HEARTBEAT_PERIOD = 10.0
"""Seconds between two heartbeats."""
PRUNE_PERIOD = 3600.0
"""Seconds between two removals of old runs."""
log = logging.getLogger("journey.watch")


class Watcher:
    """Looks for changes every second; what it finds waits until the loop takes it."""

    def __init__(self, request: LoadRequest, settings: Settings, store: Store, owner: str, wake: Callable[[], None]) -> None:
        self._request = request
        self._settings = settings
        # Of its own: an archive is not safe to share between threads that move runs.
        self._archive = Archive(settings.runs_dir)
        self._store = store
        self._owner = owner
        self._wake = wake
        self.beats: list[Callable[[datetime], object]] = []
        """Called with each heartbeat, in this thread; each may raise StoreDown."""
        self._seen = fingerprint(request)
        self._pauses: list[Pause] = []
        self._loaded: LoadedJourneys | None = None
        self._orphans: list[OpenSlot] = []
        self._away = False
        """Whether the store could not be used when it was last asked."""
        self._stopped = threading.Event()
        self._reload_wanted = threading.Event()
        self._pruning = threading.Thread()
        self._thread = threading.Thread(target=self._work, name="watch", daemon=True)

    def start(self) -> None:
        """Starts the thread; the pauses are known when it returns."""
        self._read_pauses()
        self._thread.start()

    def stop(self) -> None:
        """Stops the thread. If it is busy for long, it ends with the process."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(2.0)
        self._sweep()

    def reload(self) -> None:
        """Loads the journeys again, whether or not a file has changed."""
        self._reload_wanted.set()

    def pause_reason(self, journey: str, moment: datetime) -> str:
        """Why a journey is paused or in a maintenance window at a time; empty when it is to be run."""
        for pause in self._pauses:
            if pause.applies_to(journey) and pause.holds_at(moment):
                return pause.describe()
        for window in self._settings.maintenance:
            end = window.ends(journey, moment)
            if end:
                return f"{window.reason} until {end:%Y-%m-%d %H:%M}Z"
        return ""

    def take_loaded(self) -> LoadedJourneys | None:
        """The journeys that were loaded since the last call; None when they were not."""
        loaded, self._loaded = self._loaded, None
        return loaded

    def take_orphans(self) -> list[OpenSlot]:
        """The open slots of schedulers that were found dead since the last call."""
        found, self._orphans = self._orphans, []
        return found

    def _work(self) -> None:
        beaten_at = pruned_at = time.monotonic()
        while not self._stopped.wait(WATCH_PERIOD):
            self._check_files()
            self._read_pauses()
            if time.monotonic() - beaten_at > HEARTBEAT_PERIOD:
                beaten_at = time.monotonic()
                self._send_heartbeat()
            if time.monotonic() - pruned_at > PRUNE_PERIOD:
                self._begin_to_prune()
                pruned_at = time.monotonic()

    def _begin_to_prune(self) -> None:
        if self._settings.artifacts is None:
            self._prune_runs(self._archive)
        elif not self._pruning.is_alive():
            # A storage may take long to answer, and heartbeats must not wait for it.
            self._pruning = threading.Thread(target=self._prune_with_storage, name="prune", daemon=True)
            self._pruning.start()

    def _prune_with_storage(self) -> None:
        try:
            self._prune_runs(open_archive(self._settings))
        except ConfigError as error:
            log.warning("old runs cannot be removed: %s", error)

    def _prune_runs(self, archive: Archive) -> None:
        """Removes old runs as the settings say; their rows in the store stay."""
        removed = checks = states = 0
        self._sweep()
        try:
            for one in prune_archive(archive, self._settings, datetime.now(UTC)):
                removed += isinstance(one, ExpiredRun)
                checks += isinstance(one, ExpiredCheck)
                states += isinstance(one, ExpiredState)
        except (OSError, ConfigError, StorageDown) as error:
            log.warning("old runs cannot be removed: %s", error)
        archive.problems.clear()
        if removed:
            log.info("removed %d old runs", removed)
        if checks:
            log.info("removed %d old smoke checks", checks)
        if states:
            log.info("removed %d signed-in states that no run has used for long", states)

    def _sweep(self) -> None:
        """Removes what workers of a killed scheduler have left that were still ending when this one began."""
        try:
            self._archive.sweep()
        except OSError as error:
            log.warning("what was left unfinished cannot be removed: %s", error)

    def _check_files(self) -> None:
        found = fingerprint(self._request)
        if found == self._seen and not self._reload_wanted.is_set():
            return
        self._reload_wanted.clear()
        self._seen = found
        try:
            self._loaded = load_in_subprocess(self._request)
        except ConfigError as error:
            self._loaded = LoadedJourneys((), (FileProblem(self._request.start, str(error)),))
        self._wake()

    def _read_pauses(self) -> None:
        try:
            self._pauses = self._store.pauses.active(datetime.now(UTC))
            if self._away and self._store.shared:
                # A replica that has taken over may lack what the server before had acknowledged.
                store_saved_runs(self._store, self._archive)
            self._away = False
        except StoreDown as error:
            self._away = True
            log.debug("%s", error)

    def _send_heartbeat(self) -> None:
        try:
            now = datetime.now(UTC)
            self._store.schedulers.heartbeat(self._owner, now)
            for beat in self.beats:
                beat(now)
            if self._store.shared:
                self._orphans += self._store.schedulers.adopt_orphans(self._owner, now, alone=False)
        except StoreDown as error:
            log.warning("%s", error)
        if self._orphans:
            self._wake()


def fingerprint(request: LoadRequest) -> dict[Path, tuple[int, int]]:
    """Time of change and size of every file that can change what is on the schedule."""
    try:
        settings = load_settings(request.start, request.overrides, os.environ, request.environment)
    except ConfigError:
        folders: tuple[Path, ...] = ()
    else:
        folders = searched_paths(request.wanted, settings.journeys)
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
