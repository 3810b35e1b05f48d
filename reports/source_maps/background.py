"""Background work on errors: explained by source maps, opened again, and maps removed when nobody reports their release any more.

Of several collectors on one database, one does it."""

import logging
import threading
import time

from reports.attempts import Attempts
from reports.source_maps.grouping import explain_errors
from reports.source_maps.map_store import MapStore
from reports.source_maps.regression_alerts import RegressionAlerts
from reports.source_maps.regressions import reopen_errors
from reports.source_maps.resolver import is_installed
from reports.source_maps.retention import prune_maps
from runner.installation import install_command
from runner.store import Store, StoreDown
from runner.store.bulk_insert import Link

PAUSE = 10.0
"""Seconds between two turns, and the most that an explanation lags behind."""
PRUNE = 3600.0
WORK = "errors"
log = logging.getLogger("journey.errors")


class ErrorGrouper:
    """A thread that does this until it is closed."""

    def __init__(self, store: Store, maps: MapStore, keep: float, alerts: RegressionAlerts) -> None:
        self._store = store
        self._maps = maps
        self._keep = keep
        self._alerts = alerts
        self._attempts = Attempts(log, StoreDown, OSError)
        self._package_reported = False
        self._reported: dict[str, str] = {}
        self._prune_at = time.monotonic() + PAUSE
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="errors", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends it."""
        self._closing.set()
        self._thread.join(30.0)

    def _work(self) -> None:
        link = Link(self._store)
        while not self._closing.wait(PAUSE):
            if not self._attempts.make(WORK, lambda: link.lead(WORK)):
                continue
            self._attempts.make("explaining errors", self._explain)
            self._attempts.make("opening errors again", self._reopen)
            if time.monotonic() >= self._prune_at:
                self._prune_at = time.monotonic() + PRUNE
                self._attempts.make("removing source maps", self._prune)
        link.close()

    def _explain(self) -> None:
        if not is_installed():
            if self._maps.list() and not self._package_reported:
                self._package_reported = True
                log.error("source maps are not read: symbolic is missing; install it with: %s", install_command("sourcemaps"))
            return
        while not self._closing.is_set():
            done = explain_errors(self._store, self._maps)
            for script, trouble in done.troubles.items():
                if self._reported.get(script) != trouble:
                    self._reported[script] = trouble
                    log.error("the source map of %s cannot be used: %s; upload it again", script, trouble)
            if not done.reasons:
                return

    def _reopen(self) -> None:
        found = reopen_errors(self._store)
        for one in found:
            log.warning("%s", one.describe())
        self._alerts.update(found)

    def _prune(self) -> None:
        count = prune_maps(self._store, self._maps, self._keep, time.time())
        if count:
            log.info("%d source maps removed: nobody reports their releases any more", count)
