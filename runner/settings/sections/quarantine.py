"""Journeys and steps that are set aside for a time because they are flaky: they are run and shown, and do not gate."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from runner.result import Quarantine, RunResult
from runner.settings.parsers.toml_table import parse_toml_table
from runner.settings.parsers.values import parse_text

LONGEST_DAYS = 90
"""Days from today until which something can be set aside: what nobody repairs for longer is better removed."""
EXAMPLE = '"buy/pay" = { owner = "ann", reason = "the receipt is late", until = "YYYY-MM-DD" }'
KEYS = ("owner", "reason", "until")


def parse_quarantine(value: object, today: date | None = None) -> tuple[Quarantine, ...]:
    """A table as in the configuration file, or its text in TOML. Raises ValueError that names the key and what is accepted.

    A date in the past is accepted: what it was about gates again, and reports say so.
    """
    table = parse_toml_table(value, f"write one such as {EXAMPLE}")
    return tuple(_parse_entry(key, entry, today or datetime.now(UTC).date()) for key, entry in table.items())


def find_quarantine(result: RunResult, entries: Sequence[Quarantine], now: datetime) -> tuple[Quarantine, ...]:
    """The entries that are about the journey of this run, each with whether its last day (UTC) was over at `now`."""
    return find_entries(result.journey, entries, now)


def find_entries(journey: str, entries: Sequence[Quarantine], now: datetime) -> tuple[Quarantine, ...]:
    """The entries about a journey, each with whether its last day (UTC) was over at `now`."""
    today = now.astimezone(UTC).date()
    return tuple(replace(one, over=one.until < today) for one in entries if one.journey == journey)


def describe_quarantine(entry: Quarantine) -> str:
    """What the entry says, in one line."""
    what = f"step “{entry.step}”" if entry.step else "the journey"
    if entry.over:
        return (
            f"the quarantine of {what} ended on {entry.until} and it counts again: "
            f"repair it, or remove {entry.where} ({entry.owner}: {entry.reason})"
        )
    return f"{what} is in quarantine until {entry.until} and does not count ({entry.owner}: {entry.reason})"


def _parse_entry(key: str, entry: object, today: date) -> Quarantine:
    journey, slash, step = key.partition("/")
    if not journey or (slash and not step):
        raise ValueError(f'{key!r} is not a name; write that of a journey, "buy", or of a step, "buy/pay"')
    if set("*?[") & set(journey + step):
        raise ValueError(f'"{key}": a pattern would set aside what nobody has looked at; write a table for each name')
    if not isinstance(entry, Mapping) or set(entry) != set(KEYS):
        raise ValueError(f'"{key}": {_describe_keys(entry)}; write {EXAMPLE}')
    for name, hint in (("owner", "who looks after it"), ("reason", "why")):
        if not str(entry[name]).strip():
            raise ValueError(f'"{key}": {name} is empty; say {hint}')
    try:
        owner, reason = parse_text(entry["owner"]), parse_text(entry["reason"])
        until = _parse_day(entry["until"])
    except ValueError as error:
        raise ValueError(f'"{key}": {error}') from error
    last = today + timedelta(days=LONGEST_DAYS)
    if until > last:
        raise ValueError(f'"{key}".until: {until} is more than {LONGEST_DAYS} days away; write {last} or an earlier day')
    return Quarantine(journey=journey, step=step, owner=owner, reason=reason, until=until, where=f'quarantine."{key}"')


def _describe_keys(entry: object) -> str:
    if not isinstance(entry, Mapping):
        return f"{entry!r} is not a table"
    missing = [name for name in KEYS if name not in entry]
    unknown = sorted(str(name) for name in entry if name not in KEYS)
    parts = ([f"{' and '.join(missing)} must be given"] if missing else []) + (
        [f"unknown: {', '.join(unknown)}"] if unknown else []
    )
    return "; ".join(parts)


def _parse_day(value: object) -> date:
    if isinstance(value, datetime):
        raise ValueError(f"until: {value} has a time; write the last day alone, such as {value.date()}")
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"until: {value!r} is not a day; write one as YYYY-MM-DD") from error
