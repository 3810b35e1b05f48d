"""Writes the sample into a store and an archive, through the functions that write what really happened."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct

from reports.collector.storage.beacon_batch import store_beacons
from reports.collector.storage.rollup import roll_up
from reports.collector.storage.series import Directory
from reports.sample.broken_script import make_source_map
from reports.sample.calendar import NOTE
from reports.sample.runs import make_sample_runs
from reports.sample.visits import make_sample_visits
from reports.source_maps.map_store import MapStore
from runner.archive.archive import Archive
from runner.result import RunResult
from runner.store import Store
from runner.store.bulk_insert import Link

SAVED = timedelta(hours=12)
"""Runs of the last hours have their folder; so have those that did not pass and the ones before them. Others are in the store alone."""
MINUTES = timedelta(hours=48)
"""How far back page views are summed up by the minute."""


class SampleSize(Struct, frozen=True):
    """What was written."""

    runs: int
    visits: int
    end: datetime


def write_sample(store: Store, archive: Archive, real: Sequence[RunResult], maps: Path) -> SampleSize:
    """Writes a week before the first of some real runs: its runs, visits, and an alert; and marks all of it as a sample.

    `maps` is the folder of source maps.

    Raises StoreDown and OSError.
    """
    end = min(one.started_at for one in real)
    store.samples.mark(end)
    made = make_sample_runs(real, end)
    newest_passed: dict[str, RunResult] = {}
    saved: set[str] = set()
    for one in made:
        if one.status == "passed":
            newest_passed[one.journey] = one
        elif one.journey in newest_passed:
            saved.add(newest_passed[one.journey].id)
        if one.status != "passed" or one.started_at > end - SAVED:
            saved.add(one.id)
    store.add_all((one, archive.save(one, archive.scratch(one.id)) if one.id in saved else None) for one in made)
    visits = _write_visits(store, real, end)
    MapStore(store, maps).put(*make_source_map(), "sample", end.timestamp())
    _open_alert(store, made)
    return SampleSize(len(made), visits, end)


def _write_visits(store: Store, real: Sequence[RunResult], end: datetime) -> int:
    site = next(one.environment.base_url for one in real if one.environment.base_url)
    arrivals = sorted(make_sample_visits(site, end), key=lambda one: one.received_at)
    link, directory = Link(store), Directory()
    try:
        with link.transaction():
            store_beacons(link, directory, arrivals)
        directory.settle()
        while roll_up(link, threading.Lock(), (end - MINUTES).timestamp()):
            pass
    finally:
        link.close()
    return len({one.beacon.session for one in arrivals})


def _open_alert(store: Store, made: Sequence[RunResult]) -> None:
    """The alert that a scheduler would have opened: two runs of a journey have failed, and it still does."""
    failing = [one for one in made if one.journey == "browse" and one.status == "failed"]
    if len(failing) > 1:
        run = failing[1]
        title = f"{run.journey} is failing ({run.location})"
        store.alerts.record(run.journey, run.location, "failing", title, NOTE, True, (), run.ended_at, run.id)
