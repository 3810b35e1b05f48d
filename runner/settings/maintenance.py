"""Recurring windows in which journeys are not run, because what they would find is known."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from cronsim import CronSim
from msgspec import Struct

from runner.dsl import options, schedule
from runner.settings.duration import positive


class Window(Struct, frozen=True, kw_only=True):
    """From each time that `cron` names, `duration` seconds long, for journeys whose name fits one of the patterns."""

    cron: str
    duration: float
    journeys: tuple[str, ...] = ("*",)
    timezone: str = "UTC"
    reason: str = "maintenance"

    def ends(self, journey: str, moment: datetime) -> datetime | None:
        """When the window that is open for a journey closes; None when none is open."""
        if not any(fnmatchcase(journey, pattern) for pattern in self.journeys):
            return None
        backward = CronSim(self.cron, moment.astimezone(ZoneInfo(self.timezone)) + timedelta(minutes=1), reverse=True)
        start = next(one for one in backward if one <= moment).astimezone(UTC)
        end = start + timedelta(seconds=self.duration)
        return end if moment < end else None


def windows(value: object) -> tuple[Window, ...]:
    """A list of tables as in the configuration file. Raises ValueError that names what is wrong."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"{value!r} is not a list of windows; write [[maintenance]] tables in the configuration file")
    return tuple(_window(one) for one in value)


def _window(value: object) -> Window:
    if isinstance(value, Window):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is not a table")
    unknown = set(value) - set(Window.__struct_fields__)
    if unknown or "cron" not in value or "duration" not in value:
        what = f"{', '.join(sorted(unknown))} is not known" if unknown else "cron and duration are needed"
        raise ValueError(f"window {dict(value)}: {what}; keys are {', '.join(Window.__struct_fields__)}")
    names = value.get("journeys", ["*"])
    if not isinstance(names, list) or not names or not all(isinstance(one, str) for one in names):
        raise ValueError(f"{names!r} is not a list of names; write one such as ['checkout*']")
    return Window(
        cron=schedule.cron(value["cron"]),
        duration=positive(value["duration"]),
        journeys=tuple(names),
        timezone=options.timezone(value.get("timezone", "UTC")),
        reason=options.text(value.get("reason", "maintenance")),
    )
