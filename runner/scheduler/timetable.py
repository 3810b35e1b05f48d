"""The journeys on the schedule."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from runner.dsl.plan import Plan
from runner.dsl.slots.schedule import Schedule
from runner.scheduler.loader import LoadedJourneys, PlannedJourney
from runner.scheduler.slots import Entry, Key


class Changes(Struct, frozen=True):
    """The entries that were added to the timetable, and those that were removed from it."""

    added: tuple[Entry, ...]
    removed: tuple[Entry, ...]
    releases: tuple[tuple[str, str], ...] = ()
    """Releases of the site that were replaced, and by which."""


class Timetable:
    """The journeys on the schedule: an entry for each of the places that a journey is walked from, by journey and place in `entries`.

    A scheduler has those of its own place, or, with `everywhere`, those of all places. `start` is the folder whose settings name them.
    """

    def __init__(self, start: Path, *, everywhere: bool = False) -> None:
        self._start = start
        self.everywhere = everywhere
        self.entries: dict[Key, Entry] = {}
        self.locations: dict[str, tuple[str, ...]] = {}
        """The places of each journey with a schedule, also of one that is walked at other places only."""
        self._plans: dict[str, Plan] = {}
        """Of all journeys, with or without a schedule, as this scheduler would walk them."""

    def find_plan(self, journey: str, location: str | None = None) -> Plan | None:
        """How a journey is walked, at a place, on the schedule or not; None for one that no file declares."""
        plan = self._plans.get(journey)
        return replace(plan, location=location) if plan is not None and location is not None else plan

    def apply(self, loaded: LoadedJourneys, now: datetime) -> Changes:
        """Adds, changes and removes entries as loaded.

        The journeys of a file that is broken stay as they were before; all of them do when the settings are broken.
        """
        scheduled = {key: found for one in loaded.planned for key, found in self._expand(one)}
        broken = {problem.file for problem in loaded.problems}
        plans = {name: one for name, one in self._plans.items() if self._start in broken or one.file in broken}
        self._plans = plans | {one.plan.journey: one.plan for one in loaded.planned}
        gone = [
            entry
            for key, entry in self.entries.items()
            if key not in scheduled and self._start not in broken and entry.plan.file not in broken
        ]
        for entry in gone:
            del self.entries[entry.key]
        places = {name: some for name, some in self.locations.items() if name in plans}
        self.locations = places | {one.plan.journey: one.places for one in loaded.planned if one.schedule is not None}
        added: list[Entry] = []
        releases: dict[tuple[str, str], None] = {}
        for key, (plan, schedule) in scheduled.items():
            known = self.entries.get(key)
            if known is None:
                known = self.entries[key] = Entry(plan, schedule, schedule.after(plan.journey, now))
                added.append(known)
            if known.plan.release != plan.release:
                releases[known.plan.release, plan.release] = None
            if known.schedule != schedule:
                known.next_at = schedule.after(plan.journey, now)
            known.plan, known.schedule = plan, schedule
            known.several = len(self.locations[plan.journey]) > 1
        return Changes(tuple(added), tuple(gone), tuple(releases))

    def _expand(self, one: PlannedJourney) -> Iterator[tuple[Key, tuple[Plan, Schedule]]]:
        """What a journey puts on this schedule, at each place."""
        for place, schedule in one.schedules().items():
            if self.everywhere or place == one.plan.location:
                yield Key(one.plan.journey, place), (replace(one.plan, location=place), schedule)

    @property
    def journeys(self) -> dict[str, list[Entry]]:
        """The entries of each journey."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries.values():
            found.setdefault(entry.name, []).append(entry)
        return found

    @property
    def journey_schedules(self) -> dict[Key, Schedule]:
        """When each journey is due at each place, without the checks, which need no worker."""
        return {key: one.schedule for key, one in self.entries.items() if one.plan.kind == "journey"}

    def served(self, own: str) -> tuple[str, ...]:
        """The places whose runs this scheduler starts; `own` is the one that it is at."""
        named = {place for places in self.locations.values() for place in places} if self.everywhere else set()
        return (own, *sorted(named - {own}))

    def restart_at(self, now: datetime) -> None:
        """Finds each journey's next slot again, after the clock was set back."""
        for entry in self.entries.values():
            entry.next_at = entry.schedule.after(entry.name, now)
