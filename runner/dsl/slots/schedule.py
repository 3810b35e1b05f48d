"""When a journey runs: its slots, which are times on the wall clock; every scheduler computes the same ones."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from cronsim import CronSim
from msgspec import Struct
from msgspec.structs import replace

from runner.dsl.slots.slot_number import count_cron_slots


class Schedule(Struct, frozen=True, kw_only=True):
    """`every` is an interval in seconds; `cron` is evaluated in `timezone`; `jitter` is the longest delay of a start, in seconds.

    With several `turns`, only every so many-th slot counts, beginning with `turn`: those of one place among several.
    """

    every: float | None = None
    cron: str | None = None
    timezone: str = "UTC"
    jitter: float = 0.0
    turn: int = 0
    turns: int = 1

    def after(self, journey: str, moment: datetime) -> datetime:
        """The first slot after `moment`.

        With `every`, each journey has an offset in the interval that is derived from its name, so that journeys with the same
        interval do not start together, and slots stay the same over restarts. With `cron`, changes of daylight-saving time
        are handled as in Debian's cron: a fixed time that the clock skips runs right after the change, one that occurs twice
        runs once; `*` in the field of hours follows real time.

        >>> hourly = Schedule(every=3600)
        >>> first = hourly.after("buy", datetime(2026, 1, 1, tzinfo=UTC))
        >>> (hourly.after("buy", first) - first).total_seconds()
        3600.0
        """
        slot = self._any_after(journey, moment)
        while not self._is_in_turn(journey, slot):
            slot = self._any_after(journey, slot)
        return slot

    def latest(self, journey: str, moment: datetime) -> datetime:
        """The last slot at or before `moment`."""
        slot = self._any_latest(journey, moment)
        while not self._is_in_turn(journey, slot):
            slot = self._any_latest(journey, slot - timedelta(microseconds=1))
        return slot

    def at_places(self, names: Sequence[str], rotate: bool) -> dict[str, "Schedule"]:
        """The schedule of each of these places: each has every slot, or, with `rotate`, they have them in turn.

        >>> minutely = Schedule(every=60).at_places(["frankfurt", "oregon"], rotate=True)
        >>> now = datetime(2026, 1, 1, tzinfo=UTC)
        >>> slots = [schedule.after("buy", now) for schedule in minutely.values()]
        >>> abs((slots[1] - slots[0]).total_seconds())
        60.0
        """
        if not rotate or len(names) < 2:
            return dict.fromkeys(names, self)
        return {name: replace(self, turn=turn, turns=len(names)) for turn, name in enumerate(names)}

    def _is_in_turn(self, journey: str, slot: datetime) -> bool:
        """Whether a slot is one of this turn, which follows from its time alone: it is the same after a restart and in every scheduler."""
        if self.turns == 1:
            return True
        if self.cron is not None:
            return count_cron_slots(self.cron, slot.astimezone(ZoneInfo(self.timezone))) % self.turns == self.turn
        every = self.every or 1.0
        return round(slot.timestamp() / every - hash_to_fraction(journey)) % self.turns == self.turn

    def _any_after(self, journey: str, moment: datetime) -> datetime:
        if self.cron is not None:
            return next(CronSim(self.cron, moment.astimezone(ZoneInfo(self.timezone)))).astimezone(UTC)
        every = self.every or 1.0
        offset = hash_to_fraction(journey) * every
        count = (moment.timestamp() - offset) // every + 1
        slot = datetime.fromtimestamp(round(count * every + offset, 3), UTC)
        return slot if slot > moment else slot + timedelta(seconds=every)

    def _any_latest(self, journey: str, moment: datetime) -> datetime:
        if self.cron is not None:
            backward = CronSim(self.cron, moment.astimezone(ZoneInfo(self.timezone)) + timedelta(minutes=1), reverse=True)
            slot = next(backward).astimezone(UTC)
            return slot if slot <= moment else next(backward).astimezone(UTC)
        slot = self._any_after(journey, moment)
        while slot > moment:
            slot -= timedelta(seconds=self.every or 1.0)
        return slot

    def put_off(self, journey: str, slot: datetime) -> float:
        """Seconds by which the start of a slot is delayed; every scheduler computes the same."""
        return hash_to_fraction(f"{journey} {slot.timestamp()}") * self.jitter


def hash_to_fraction(text: str) -> float:
    """A number from 0 to 1 that is derived from a text and is the same in every process."""
    return int.from_bytes(sha256(text.encode()).digest()[:8]) / 2**64
