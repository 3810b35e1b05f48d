"""When a journey runs: its slots, which are times on the wall clock; every scheduler computes the same ones."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from cronsim import CronSim
from msgspec import Struct


class Schedule(Struct, frozen=True, kw_only=True):
    """`every` is an interval in seconds; `cron` is evaluated in `timezone`; `jitter` is the longest delay of a start, in seconds."""

    every: float | None = None
    cron: str | None = None
    timezone: str = "UTC"
    jitter: float = 0.0

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
        """Seconds by which the start of a slot is delayed; every scheduler computes the same."""
        return hash_to_fraction(f"{journey} {slot.timestamp()}") * self.jitter


def hash_to_fraction(text: str) -> float:
    """A number from 0 to 1 that is derived from a text and is the same in every process."""
    return int.from_bytes(sha256(text.encode()).digest()[:8]) / 2**64
