"""Retention of roll-ups: how much space they take, and removing the oldest in small steps."""

from reports.collector.storage.series import DAY
from runner.store.bulk_insert import Link
from runner.store.tables.page_views import METRICS, STEPS

SAMPLE = 100
"""Times in the sample that estimates the number of rows of one step: counting all of them would read the whole table."""
RECENT = 600
"""Seconds of which minutes stay whatever they take; of hours and days it is one day. Most views are corrected within that time."""
# With the place in the tree of the primary key, as SQLite and PostgreSQL were measured to store them.
_ROW_BYTES = {"tallies": (30, 140), "histograms": (80, 250)}
_PARTS = (("tallies", ""), *(("histograms", f"metric = '{metric}' AND ") for metric in METRICS))


def prune_rollups_to_size(link: Link, size: int, now: float) -> int:
    """Removes the oldest of the step that takes most, when all roll-ups take more than `size` bytes; returns how many, else 0."""
    with link.transaction():
        taken = {step: measure_step(link, step) for step in STEPS}
        if sum(taken.values()) > size:
            for step in sorted(STEPS, key=taken.__getitem__, reverse=True):
                if gone := remove_oldest(link, step, now - (RECENT if step == STEPS[0] else DAY)):
                    return gone
        return 0


def measure_step(link: Link, step: int) -> int:
    """About how many bytes the roll-ups of one step take: the rows of at most a hundred times, evenly spread, stand for all."""
    total = 0.0
    for table, condition in _PARTS:
        ((first, last),) = link.select(f"SELECT min(at), max(at) FROM {table} WHERE {condition}step = ?", step)
        if first is None:
            continue
        times = (last - first) // step + 1
        sample = min(times, SAMPLE)
        at = [first + step * (times * (2 * number + 1) // (2 * sample)) for number in range(sample)]
        places = ", ".join("?" * sample)
        ((rows,),) = link.select(f"SELECT count(*) FROM {table} WHERE {condition}step = ? AND at IN ({places})", step, *at)
        total += rows * times / sample * _ROW_BYTES[table][0 if link.sqlite else 1]
    return int(total)


def remove_oldest(link: Link, step: int, before: float) -> int:
    """Removes the oldest few of what is too old of one step, of counts and of each metric; returns how many."""
    gone = 0
    for table, condition in _PARTS:
        ((first,),) = link.select(f"SELECT min(at) FROM {table} WHERE {condition}step = ?", step)
        if first is not None and first + step <= before:
            until = min(before - step, first + 5 * step)
            gone += link.execute(f"DELETE FROM {table} WHERE {condition}step = ? AND at <= ?", step, until)
    return gone
