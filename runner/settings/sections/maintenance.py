"""Recurring maintenance windows, in which journeys are not run."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from cronsim import CronSim
from msgspec import Struct

from runner.settings.duration import parse_positive_duration
from runner.settings.parsers.values import parse_cron, parse_text, parse_timezone


class MaintenanceWindow(Struct, frozen=True, kw_only=True):
    """Starts at each time that `cron` matches and lasts `duration` seconds, for journeys whose name matches one of the patterns."""

    cron: str
    duration: float
    journeys: tuple[str, ...] = ("*",)
    timezone: str = "UTC"
    reason: str = "maintenance"

    def applies_to(self, journey: str) -> bool:
        """Whether the window is one of this journey."""
        return any(fnmatchcase(journey, pattern) for pattern in self.journeys)

    def ends(self, journey: str, moment: datetime) -> datetime | None:
        """When the window that is open for a journey closes; None when none is open."""
        if not self.applies_to(journey):
            return None
        backward = CronSim(self.cron, moment.astimezone(ZoneInfo(self.timezone)) + timedelta(minutes=1), reverse=True)
        start = next(one for one in backward if one <= moment).astimezone(UTC)
        end = start + timedelta(seconds=self.duration)
        return end if moment < end else None


def parse_windows(value: object) -> tuple[MaintenanceWindow, ...]:
    """A list of tables as in the configuration file. Raises ValueError that names what is wrong."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"{value!r} is not a list of windows; write [[maintenance]] tables in the configuration file")
    return tuple(_parse_window(one) for one in value)


def _parse_window(value: object) -> MaintenanceWindow:
    if isinstance(value, MaintenanceWindow):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is not a table")
    unknown = set(value) - set(MaintenanceWindow.__struct_fields__)
    if unknown or "cron" not in value or "duration" not in value:
        what = f"unknown: {', '.join(sorted(unknown))}" if unknown else "cron and duration are required"
        raise ValueError(f"window {dict(value)}: {what}; keys are {', '.join(MaintenanceWindow.__struct_fields__)}")
    names = value.get("journeys", ["*"])
    if not isinstance(names, list) or not names or not all(isinstance(one, str) for one in names):
        raise ValueError(f"{names!r} is not a list of names; write one such as ['checkout*']")
    return MaintenanceWindow(
        cron=parse_cron(value["cron"]),
        duration=parse_positive_duration(value["duration"]),
        journeys=tuple(names),
        timezone=parse_timezone(value.get("timezone", "UTC")),
        reason=parse_text(value.get("reason", "maintenance")),
    )
