"""Keeps the bundle of a scheduler's journeys in the storage, where workers fetch it: made again when a journey has changed."""

import logging
import threading
from hashlib import sha256
from pathlib import Path

from runner.bundles.make_bundle import Bundle
from runner.bundles.publish_bundle import publish_bundle
from runner.dsl.plan import Plan
from runner.errors import JourneyError
from runner.settings.settings import Settings

PAUSE = 5.0
"""Seconds between two tries."""
log = logging.getLogger("journey.dispatch")


class BundlePublisher:
    """Makes and uploads bundles in a thread; `start` is the folder whose settings name the journeys."""

    def __init__(self, settings: Settings, start: Path) -> None:
        self._settings = settings
        self._start = start
        self._wanted = threading.Event()
        self._wanted.set()
        self._stopped = threading.Event()
        self.bundle: Bundle | None = None
        """The newest one that is in the storage."""
        self._digests: dict[tuple[Path, str], str] = {}
        self._thread = threading.Thread(target=self._work, name="bundles", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after what it is doing."""
        self._stopped.set()
        self._wanted.set()

    def fits(self, plan: Plan) -> bool:
        """Whether the bundle in the storage has the plan's file as it was planned; else another one is made."""
        bundle = self.bundle
        if bundle is not None and plan.file.is_relative_to(bundle.folder):
            found = bundle.manifest.find(plan.file.relative_to(bundle.folder).as_posix())
            if found is not None and found.sha256 == self._digest(plan):
                return True
        self._wanted.set()
        return False

    def _digest(self, plan: Plan) -> str:
        key = (plan.file, plan.source or "")
        known = self._digests.get(key)
        if known is None:
            if len(self._digests) > 10_000:
                self._digests.clear()
            known = self._digests[key] = sha256(key[1].encode()).hexdigest()
        return known

    def _work(self) -> None:
        said = ""
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._stopped.is_set():
                return
            try:
                bundle = publish_bundle(self._settings, self._start)
            except JourneyError as error:
                if str(error) != said:
                    log.error("the journeys cannot be put into a bundle: %s", error)
                said = str(error)
                self._wanted.set()
            else:
                said = ""
                if self.bundle is None or self.bundle.digest != bundle.digest:
                    log.info("the journeys travel in bundle %s", bundle.digest)
                self.bundle = bundle
            # A file that changes again and again does not keep the storage busy.
            self._stopped.wait(PAUSE)
