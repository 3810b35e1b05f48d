"""When a journey runs: its slots, which are moments on the wall clock, the same for every scheduler that computes them."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from cronsim import CronSim
from msgspec import Struct


class Schedule(Struct, frozen=True, kw_only=True):
    """`every` so many seconds, or by `cron` in the time zone `timezone`; `jitter` is the most seconds that a start is put off."""

    every: float | None = None
    cron: str | None = None
    timezone: str = "UTC"
    jitter: float = 0.0

    def after(self, journey: str, moment: datetime) -> datetime:
        """The first slot after `moment`.

        With `every`, journeys are spread over the interval by a part of it that is made from their names, so that those with
        the same interval do not start together, and each keeps its place over restarts. With `cron`, the change to and from
        daylight-saving time is dealt with as in Debian's cron: a fixed time that the clock leaves out is run as soon as it has
        gone forward, one that it shows twice is run once; `*` in the field of hours goes on in real time.

        >>> hourly = Schedule(every=3600)
        >>> first = hourly.after("buy", datetime(2026, 1, 1, tzinfo=UTC))
        >>> (hourly.after("buy", first) - first).total_seconds()
        3600.0
        """
        if self.cron is not None:
            return next(CronSim(self.cron, moment.astimezone(ZoneInfo(self.timezone)))).astimezone(UTC)
        every = self.every or 1.0
        offset = hash_to_fraction(journey) * every
        count = (moment.timestamp() - offset) // every + 1
        slot = datetime.fromtimestamp(round(count * every + offset, 3), UTC)
        return slot if slot > moment else slot + timedelta(seconds=every)

    def latest(self, journey: str, moment: datetime) -> datetime:
        """The last slot at or before `moment`."""
        if self.cron is not None:
            backward = CronSim(self.cron, moment.astimezone(ZoneInfo(self.timezone)) + timedelta(minutes=1), reverse=True)
            slot = next(backward).astimezone(UTC)
            return slot if slot <= moment else next(backward).astimezone(UTC)
        slot = self.after(journey, moment)
        while slot > moment:
            slot -= timedelta(seconds=self.every or 1.0)
        return slot

    def put_off(self, journey: str, slot: datetime) -> float:
        """The seconds that the start of a slot is put off: the same for every scheduler."""
        return hash_to_fraction(f"{journey} {slot.timestamp()}") * self.jitter


def hash_to_fraction(text: str) -> float:
    """A number from 0 to 1 made from a text, the same in every process."""
    return int.from_bytes(sha256(text.encode()).digest()[:8]) / 2**64
