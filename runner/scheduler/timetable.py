"""The journeys on the schedule."""

from datetime import datetime
from pathlib import Path

from msgspec import Struct

from runner.dsl.plan import Plan
from runner.scheduler.loader import LoadedJourneys
from runner.scheduler.slots import Entry


class Changes(Struct, frozen=True):
    """The names of the journeys that were added to the timetable, and the entries that were removed from it."""

    added: tuple[str, ...]
    removed: tuple[Entry, ...]
    releases: tuple[tuple[str, str], ...] = ()
    """Releases of the site that were replaced, and by which."""


class Timetable:
    """The journeys on the schedule, by name in `entries`; `start` is the folder whose settings name them."""

    def __init__(self, start: Path) -> None:
        self._start = start
        self.entries: dict[str, Entry] = {}
        self._unscheduled: dict[str, Plan] = {}

    def find_plan(self, journey: str) -> Plan | None:
        """The plan of a journey, on the schedule or not; None for one that no file declares."""
        entry = self.entries.get(journey)
        return entry.plan if entry is not None else self._unscheduled.get(journey)

    def apply(self, loaded: LoadedJourneys, now: datetime) -> Changes:
        """Adds, changes and removes entries as loaded.

        The journeys of a file that is broken stay as they were before; all of them do when the settings are broken.
        """
        scheduled = {one.plan.journey: (one.plan, one.schedule) for one in loaded.planned if one.schedule is not None}
        broken = {problem.file for problem in loaded.problems}
        kept = {name: one for name, one in self._unscheduled.items() if self._start in broken or one.file in broken}
        self._unscheduled = kept | {one.plan.journey: one.plan for one in loaded.planned if one.schedule is None}
        gone = [
            entry
            for name, entry in self.entries.items()
            if name not in scheduled and self._start not in broken and entry.plan.file not in broken
        ]
        for entry in gone:
            del self.entries[entry.name]
        added: list[str] = []
        releases: dict[tuple[str, str], None] = {}
        for name, (plan, schedule) in scheduled.items():
            known = self.entries.get(name)
            if known is None:
                self.entries[name] = Entry(plan, schedule, schedule.after(name, now))
                added.append(name)
                continue
            if known.plan.release != plan.release:
                releases[known.plan.release, plan.release] = None
            if known.schedule != schedule:
                known.next_at = schedule.after(name, now)
            known.plan, known.schedule = plan, schedule
        return Changes(tuple(added), tuple(gone), tuple(releases))

    def restart_at(self, now: datetime) -> None:
        """Finds each journey's next slot again, after the clock was set back."""
        for name, entry in self.entries.items():
            entry.next_at = entry.schedule.after(name, now)
