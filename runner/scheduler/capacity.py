"""Whether the workers can keep up with the schedule: how long runs have taken, against how often they are due."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from statistics import median

from msgspec import Struct

from runner.dsl.slots.schedule import Schedule
from runner.scheduler.slots import Key
from runner.settings.duration import show_duration
from runner.store import Store

NEWEST = 20
"""Runs of which the median says how long a journey takes."""
HEADROOM = 1.25
"""By how much a proposed interval is longer than the work; otherwise the smallest delay would be carried on."""
INTERVALS = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200)
"""Seconds that are proposed; above, whole hours."""
log = logging.getLogger("journey.schedule")


class Demand(Struct, frozen=True):
    """What one journey asks of the workers at a place: so many seconds in every `interval`."""

    journey: str
    interval: float
    seconds: float


def find_demands(schedules: Mapping[Key, Schedule], durations: Mapping[Key, Sequence[float]], now: datetime) -> list[Demand]:
    """The demand of each journey that has been run; `durations` are the seconds of its newest runs."""
    demands = []
    for key, schedule in schedules.items():
        newest = durations.get(key, ())
        if newest:
            name = key.journey
            at = schedule.after(name, now)
            demands.append(Demand(name, (schedule.after(name, at) - at).total_seconds(), median(newest)))
    return demands


def read_durations(store: Store, keys: Iterable[Key]) -> dict[Key, list[float]]:
    """The seconds of the newest runs that took their course, of each journey at each place. Raises StoreDown."""
    return {key: store.slots.durations(key.journey, key.location, NEWEST) for key in keys}


def describe_shortage(demands: Sequence[Demand], workers: int) -> str:
    """What the schedule needs and how to change it, if it cannot fit; empty if it fits.

    >>> describe_shortage([Demand("buy", 20, 31), Demand("pay", 20, 30)], 1)
    'buy takes 31 s of every 20 s: use every=45s; pay takes 30 s of every 20 s: use every=45s'
    >>> describe_shortage([Demand(name, 20, 61 / 4) for name in ("a", "b", "c", "d")], 1)
    'the schedule needs 61 s of every 20 s, and there is 1 worker: use every=90s or 4 workers'
    >>> describe_shortage([Demand("buy", 60, 20), Demand("pay", 300, 30)], 1)
    ''
    """
    # A journey never runs beside itself: more workers do not help.
    slow = [one for one in demands if one.seconds > one.interval]
    if slow:
        return "; ".join(
            f"{one.journey} takes {one.seconds:.0f} s of every {one.interval:g} s: use every={propose_interval(one.seconds)}"
            for one in slow
        )
    if not demands or sum(one.seconds / one.interval for one in demands) <= workers:
        return ""
    window = min(one.interval for one in demands)
    needed = sum(one.seconds * window / one.interval for one in demands)
    have = "there is 1 worker" if workers == 1 else f"there are {workers} workers"
    alike = len({one.interval for one in demands}) == 1
    every = f"every={propose_interval(needed / workers)}" if alike else "longer intervals"
    more = math.ceil(needed / window)
    return f"the schedule needs {needed:.0f} s of every {window:g} s, and {have}: use {every} or {more} workers"


class CapacityLog:
    """Logs once that the schedule cannot fit, and once that it fits again."""

    def __init__(self) -> None:
        self._short = False

    def check(
        self, schedules: Mapping[Key, Schedule], durations: Mapping[Key, Sequence[float]], workers: int, now: datetime
    ) -> None:
        """Judges schedules by the seconds of the newest runs, as `find_demands`."""
        shortage = describe_shortage(find_demands(schedules, durations, now), workers)
        if shortage and not self._short:
            log.warning("%s", shortage)
        elif self._short and not shortage:
            log.info("the schedule fits again")
        self._short = bool(shortage)


def propose_interval(seconds: float) -> str:
    """A round interval in which so many seconds of work fit with some headroom.

    >>> propose_interval(61), propose_interval(3), propose_interval(9000)
    ('90s', '5s', '4h')
    """
    wanted = seconds * HEADROOM
    return show_duration(next((one for one in INTERVALS if one >= wanted), math.ceil(wanted / 3600) * 3600))
