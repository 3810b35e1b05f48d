"""What an earlier scheduler has left: runs that it had saved but not stored, and runs that it was killed in."""

import logging
from collections.abc import Iterable
from datetime import datetime

from runner.archive.archive import Archive
from runner.dispatch.run_pool import RunPool
from runner.result import GIVEN_UP
from runner.scheduler.results.result_pipeline import ResultPipeline
from runner.scheduler.slots import Key, SlotLedger
from runner.scheduler.timetable import Timetable
from runner.store import Store
from runner.store.scheduling.slots import OpenSlot
from runner.workers.run_state import Slot

KILLED = "the scheduler that had begun the run was killed, or its machine was switched off"
log = logging.getLogger("journey.schedule")


def store_saved_runs(store: Store, archive: Archive) -> None:
    """Stores the saved runs that the store does not have. Raises StoreDown."""
    folders = archive.ids()
    unknown = store.missing(folders)
    for identity in sorted(unknown):
        saved = archive.read(folders[identity])
        if saved is not None:
            store.add(saved.result, saved.folder)
    for identity in sorted(store.given_up_among(folders.keys() - unknown)):
        saved = archive.read(folders[identity])
        if saved is not None and not saved.result.assumed and store.replace(saved.result, saved.folder):
            log.info("run %s had been given up; its saved result was stored in place of that", identity)
    if unknown:
        log.info("stored %d saved %s that the store did not have", len(unknown), "run" if len(unknown) == 1 else "runs")


def finish_orphaned_runs(
    orphans: Iterable[OpenSlot],
    timetable: Timetable,
    archive: Archive,
    pipeline: ResultPipeline,
    ledger: SlotLedger,
    pool: RunPool,
    now: datetime,
) -> None:
    """Gives each run of a scheduler that was killed a result: the saved one if there is one, else that of a worker which goes on with
    it, else an error."""
    for orphan in orphans:
        folder = archive.folder_of(orphan.run)
        saved = archive.read(folder) if folder is not None else None
        on_schedule = orphan.journey in timetable.locations
        plan = timetable.find_plan(orphan.journey, orphan.location) if on_schedule else None
        if saved is not None:
            pipeline.store_saved(saved.result, saved.folder)
        elif plan is not None and pool.adopt(plan, Slot(orphan.slot_at, orphan.run, orphan.claimed_at)):
            entry = timetable.entries.get(Key(orphan.journey, orphan.location))
            if entry is not None:
                entry.busy = True
        elif plan is not None:
            # Where there are several schedulers, it may only have been cut off, and have the result.
            notes = (GIVEN_UP,) if pipeline.shared else ()
            pipeline.finish_without_worker(
                orphan.run, plan, orphan.slot_at, orphan.claimed_at, "error", KILLED, now, notes=notes
            )
        else:
            log.warning("%s is no longer on the schedule; its run %s was cut off", orphan.journey, orphan.run)
            ledger.close_killed(orphan)
