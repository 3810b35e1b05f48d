"""What the collector counts: what real users saw, and how it fares itself. Every metric is described in docs/metrics.md."""

import time
from collections import Counter as Counted
from collections.abc import Callable, Collection, Mapping
from typing import Literal, Protocol

from reports.collector.accepted_beacon import Arrival
from reports.collector.beacon import INTERACTION_TYPES, OBSERVATIONS, SCRIPT_KINDS, View
from reports.collector.errors import Reason
from reports.collector.frustration import KINDS, count_frustration
from reports.collector.labels import OTHER, UNKNOWN
from reports.collector.metrics.families import Counter, Exemplar, Family, Gauge, Histogram, Total
from reports.collector.metrics.settling import Held, Settling
from runner.store.tables.histogram import GOOD

LOAD_EDGES = (0.1, 0.2, 0.5, 0.8, 1.0, 1.8, 2.5, 3.0, 4.0, 6.0, 10.0, 30.0)
VITAL_EDGES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.8, 1.2, 1.8, 2.5, 3.0, 4.0, 6.0, 10.0)
SHIFT_EDGES = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0)
"""The thresholds of good and poor are among the edges, so that the share of good page views is exact (web.dev/articles/vitals)."""
COMMIT_EDGES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5)
PAINTS = {"fcp", "lcp"}
PAGES = 300
"""Pairs of app and page that the metrics distinguish, as many for each configured app; the others are `__other__` there, and
distinguished in the store only."""

Outcome = Literal["accepted", "duplicate", "refused", "unavailable"]


class WriterStatistics(Protocol):
    """How what stores the beacons fares."""

    @property
    def waiting(self) -> int:
        """Beacons that are not committed yet."""

    @property
    def batches(self) -> int:
        """Groups that have been committed."""

    @property
    def last_batch(self) -> int:
        """Beacons in the last of them."""

    @property
    def commit_seconds(self) -> float:
        """How long all of them have taken."""

    @property
    def quick_backs(self) -> Mapping[tuple[str, str, str], int]:
        """Quick backs by app, page and traffic."""


class CollectorMetrics:
    """All families of a collector. Only views of the `counted` kinds of traffic are in those that tell of users."""

    def __init__(
        self,
        counted: Collection[str] = ("real",),
        settle: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        apps: int = 1,
    ) -> None:
        self._counted = frozenset(counted)
        self._share = PAGES // max(apps, 1)
        self._pages_of: Counted[str] = Counted()
        self._clock = clock
        self._pages: set[tuple[str, str]] = set()
        self._settling = Settling(settle, self._observe)
        self.load = Histogram(
            "page_load_time_seconds", "From the start of a navigation to the end of its load event.", LOAD_EDGES, "app", "page"
        )
        self.vitals = Histogram("web_vital_seconds", "Web vitals of page views.", VITAL_EDGES, "app", "page", "vital")
        self.shift = Histogram("layout_shift_score", "Cumulative layout shift of page views.", SHIFT_EDGES, "app", "page")
        self.interactions = Counter("user_interactions", "What users did, by type.", "app", "type")
        self.frustration = Counter("frustration_signs", "Signs of visitors' frustration, by kind.", "app", "page", "kind")
        self._quick_backs: Counted[tuple[str, str, str]] = Counted()
        self.errors = Counter("page_errors", "Errors of the pages' scripts.", "app")
        self.reports = Counter(
            "browser_reports", "Reports about pages that browsers sent on their own, by kind.", "app", "kind"
        )
        self.views = Counter("page_views", "Page views, by traffic.", "app", "traffic")
        self.beacons = Counter("beacons", "Messages of pages, by what happened to them.", "outcome")
        self.refused = Counter("collector_refused", "Messages that were refused, by reason.", "reason")
        self.closed = Counter("collector_closed_connections", "Connections that the collector ended, by reason.", "reason")
        self.bytes = Counter("collector_received_bytes", "Bytes of bodies, as inflated.")
        self.commit = Histogram("collector_commit_seconds", "Time from accepting a beacon until it was on disk.", COMMIT_EDGES)
        self.chunks = Counter(
            "replay_chunks", "Pieces of recordings that were received, by what happened to them.", "app", "outcome"
        )
        self.chunk_bytes = Counter("replay_bytes", "Bytes of recordings that were stored.", "app")
        self.in_flight = 0
        self.uncommitted = 0
        self.connections: Callable[[], int] = lambda: 0
        self.writer: WriterStatistics | None = None
        self.families: list[Family] = [
            *(self.load, self.vitals, self.shift, self.interactions, self.frustration, self.errors),
            *(self.reports, self.views, self.beacons),
            *(self.refused, self.closed, self.bytes, self.commit, self.chunks, self.chunk_bytes),
            Gauge("collector_requests_in_flight", "Requests that have not been answered.", lambda: self.in_flight),
            Gauge("collector_uncommitted_beacons", "Beacons that wait to be on disk.", lambda: self.uncommitted),
            Gauge("collector_waiting_beacons", "Beacons in the writer's queue.", lambda: self._written("waiting")),
            Gauge(
                "collector_last_batch_beacons",
                "Beacons that were committed together last.",
                lambda: self._written("last_batch"),
            ),
            Total("collector_batches", "Groups of beacons that were committed.", lambda: self._written("batches")),
            Total("collector_batch_seconds", "Time of writing and committing them.", lambda: self._written("commit_seconds")),
            Gauge("collector_connections", "Connections of browsers and scrapers.", lambda: self.connections()),
            Gauge("collector_unsettled_views", "Page views whose vitals may still change.", lambda: len(self._settling)),
            Gauge("collector_pages", "Pairs of app and page that have metrics of their own.", lambda: len(self._pages)),
        ]

    def _written(self, name: str) -> float:
        found: float = getattr(self.writer, name) if self.writer is not None else 0
        return found

    def outcome(self, outcome: Outcome) -> None:
        """Counts the outcome of a message."""
        self.beacons.add((outcome,))

    def refuse(self, reason: Reason) -> None:
        """Counts a rejected message."""
        self.refused.add((reason,))
        self.outcome("unavailable" if reason == "unavailable" else "refused")

    def chunk(self, app: str, size: int, new: bool) -> None:
        """Counts a piece of a recording that is on disk."""
        self.chunks.add((app, "accepted" if new else "duplicate"))
        if new:
            self.chunk_bytes.add((app,), size)

    def stored(self, arrival: Arrival) -> None:
        """Counts a beacon that is on disk."""
        app, now = arrival.beacon.app, self._clock()
        for view, page in zip(arrival.beacon.views, arrival.pages, strict=True):
            key = f"{app}/{view.id}"
            if view.type != "report" and self._settling.first(key, "view"):
                self.views.add((app, arrival.traffic))
            if arrival.traffic in self._counted:
                self._count(key, app, self._page(app, page), view, arrival.beacon.session, now)

    def _count(self, key: str, app: str, page: str, view: View, session: str, now: float) -> None:
        total = view.phases.get("total")
        # Nobody waits for a page that loads in the background, and browsers let it load slowly, without painting.
        if total is not None and not view.hidden and self._settling.first(key, "load"):
            self._observe(Held(app, page, "load", total, session))
        values = [
            Held(app, page, one.name, one.value, session) for one in view.vitals if not (view.hidden and one.name in PAINTS)
        ]
        if values or view.ended:
            self._settling.hold(key, values, now, view.ended)
        if view.interactions or view.interaction_counts:
            self._count_interactions(app, view)
            for kind, count in zip(KINDS, count_frustration(view), strict=True):
                if count:
                    self.frustration.add((app, page, kind.replace(" ", "_")), count)
        for error in view.errors:
            if error.kind in SCRIPT_KINDS:
                self.errors.add((app,), error.count)
            else:
                self.reports.add((app, error.kind), error.count)

    def _count_interactions(self, app: str, view: View) -> None:
        counts: dict[str, int] = {}
        for one in view.interactions:
            if one.type not in OBSERVATIONS:
                counts[one.type] = counts.get(one.type, 0) + 1
        for name, count in view.interaction_counts.items():
            if name in OBSERVATIONS:
                continue
            known = name if name in INTERACTION_TYPES else "custom"
            counts[known] = max(counts.get(known, 0), count)
        for name, count in counts.items():
            self.interactions.add((app, name), count)

    def _observe(self, held: Held) -> None:
        # A slow one brings an exemplar: the session in which it was.
        exemplar = Exemplar(held.session, held.value, time.time()) if held.value > GOOD[held.name] else None
        if held.name == "load":
            self.load.observe((held.app, held.page), held.value, exemplar)
        elif held.name == "cls":
            self.shift.observe((held.app, held.page), held.value, exemplar)
        else:
            self.vitals.observe((held.app, held.page, held.name), held.value, exemplar)

    def _page(self, app: str, page: str) -> str:
        pair = (app, page)
        if page in {OTHER, UNKNOWN} or pair in self._pages:
            return page
        # What strangers invent for one app must not use up the pairs of another.
        if self._pages_of[app] >= self._share or len(self._pages) >= PAGES:
            return OTHER
        self._pages.add(pair)
        self._pages_of[app] += 1
        return page

    def settle(self) -> None:
        """Observes the vitals that will not change any more, and counts quick backs. To be called before the families are shown."""
        self._settling.settle(self._clock())
        self._count_quick_backs()

    def _count_quick_backs(self) -> None:
        # Only the writer sees which page a visitor has come back from.
        for key, total in list(self.writer.quick_backs.items()) if self.writer is not None else ():
            app, page, traffic = key
            new = total - self._quick_backs[key]
            if new and traffic in self._counted:
                self.frustration.add((app, self._page(app, page), "quick_back"), new)
            self._quick_backs[key] = total
