"""Parsers of values that settings and the options of a journey share.

A `check_…` function accepts only a value of the right type, as Python code and TOML give it; a `parse_…` function also accepts
text. Each raises ValueError that says what is wrong with the value and what to write; the caller adds where it is written.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, cast, get_args
from zoneinfo import available_timezones

from cronsim import CronSim, CronSimError

from runner.settings.artifact_kinds import POLICIES, Policy
from runner.untrusted_text import well_formed

Traffic = Literal["real", "bot", "synthetic"]
Waits = Literal["events", "polling"]
Engine = Literal["chromium", "firefox", "webkit"]


def check_bool(value: object) -> bool:
    """True or False."""
    if isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is neither True nor False")


def parse_bool(value: object) -> bool:
    """A truth value, or a word for one such as `yes` or `off`."""
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    if isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is neither true nor false")


MOST = 1_000_000_000
"""The largest count: of runs, of pages, of attempts."""
LARGEST = 10**18
"""The largest size, in bytes; a database keeps it as an integer."""


def check_count(value: object) -> int:
    """A whole number from 0."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        if value > MOST:
            raise ValueError(f"{value!r} is too large; write at most {MOST}")
        return value
    raise ValueError(f"{value!r} is not a count; write a whole number from 0")


def parse_count(value: object) -> int:
    """A whole number from 0, also as text."""
    return check_count(int(value) if isinstance(value, str) and value.isdecimal() else value)


def parse_positive_count(value: object) -> int:
    """A whole number from 1, also as text."""
    number = parse_count(value)
    if number == 0:
        raise ValueError("0 is too few; write a number from 1")
    return number


def parse_waits(value: object) -> Waits:
    """When a page that is waited for is checked again: as soon as it has changed, or after fixed intervals."""
    if value == "events":
        return "events"
    if value == "polling":
        return "polling"
    raise ValueError(f"{value!r} is not valid; choose one of events, polling")


def parse_engine(value: object) -> Engine:
    """The engine of a browser."""
    for one in get_args(Engine):
        if value == one:
            return cast("Engine", one)
    raise ValueError(f"{value!r} is not valid; choose one of {', '.join(get_args(Engine))}")


def parse_size(value: object) -> int:
    """Bytes, from a number or from a text with a unit."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(k|M|G|T)?B?", str(value)) if not isinstance(value, bool) else None
    if found is None:
        raise ValueError(f"{value!r} is not a size; write a number of bytes, or one with a unit such as '200MB'")
    size = float(found[1]) * {None: 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}[found[2]]
    if size > LARGEST:
        raise ValueError(f"{value!r} is too large; write at most '{LARGEST // 10**12}TB'")
    return int(size)


def parse_fraction(value: object) -> float:
    """A number from 0 to 1."""
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if 0 <= number <= 1:
        return number
    raise ValueError(f"{value!r} is not a fraction; write a number from 0 to 1")


def parse_count_of_count(value: object) -> tuple[int, int]:
    """How many of how many, such as `3/5`."""
    found = re.fullmatch(r"(\d+)/(\d+)", value) if isinstance(value, str) else None
    if found and 0 < int(found[1]) <= int(found[2]) <= 50:
        return int(found[1]), int(found[2])
    raise ValueError(f"{value!r} does not say how many of how many; write one such as '3/5', of at most 50")


def parse_text(value: object) -> str:
    """A text that is not blank."""
    if isinstance(value, str) and value.strip():
        if value != well_formed(value):
            raise ValueError(f"{value!r} holds bytes that are not UTF-8; write it in UTF-8")
        return value
    raise ValueError(f"{value!r} is empty; write a text" if isinstance(value, str) else f"{value!r} is not a text")


def parse_label(value: object) -> str:
    """A text that can be a metric's label and a column of the store."""
    text = parse_text(value)
    if len(text) > 100:
        raise ValueError(f"{value!r} has more than 100 characters")
    if not text.isprintable():
        raise ValueError(f"{value!r} contains a character that cannot be seen; remove it")
    return text


def parse_release(value: object) -> str:
    """The name of a release. An empty text means that it is not known: a pipeline may set the variable without a value."""
    if isinstance(value, str) and len(value.strip()) <= 100 and value.strip().isprintable():
        return value.strip()
    raise ValueError(f"{value!r} is not the name of a release; write a text of at most 100 characters, such as '2026.11.2'")


def parse_journey_name(value: object) -> str:
    """A name that can be part of a path and a label."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", value):
        return value
    raise ValueError(f"{value!r} is not a name for a journey; use at most 100 letters, digits, '_', '-' and '.'")


def parse_text_table(value: object) -> dict[str, str]:
    """A table of texts; numbers become text."""
    if isinstance(value, Mapping) and all(isinstance(one, str | int | float) for one in value.values()):
        return {str(key): str(one) for key, one in value.items()}
    raise ValueError(f"{value!r} is not a table of texts; write one such as {{ product = 'sencha' }}")


def parse_regexes(value: object) -> tuple[str, ...]:
    """Regular expressions, none of which matches the empty text."""
    patterns = [value] if isinstance(value, str) else value
    if not isinstance(patterns, list | tuple) or not all(isinstance(one, str) and one for one in patterns):
        raise ValueError(f"{value!r} is not a list of regular expressions; write one such as ['card=\\\\d+']")
    for one in patterns:
        try:
            matches_nothing = re.compile(one.encode()).match(b"")
        except re.error as error:
            raise ValueError(f"{one!r} is not a regular expression: {error}") from error
        if matches_nothing:
            raise ValueError(f"{one!r} matches the empty text, so it would match everywhere; require at least one character")
    return tuple(patterns)


def parse_path(value: object) -> Path:
    """The path of a file or folder; `~` is the user's home."""
    if not isinstance(value, str | Path) or "\0" in str(value) or not str(value).strip():
        raise ValueError(f"{value!r} is not a path; write one such as 'folder/file'")
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{value!r}: there is no such home; write the path without '~'") from error


def parse_paths(value: object) -> tuple[Path, ...]:
    """Files and folders: a list, or a text with colons between them."""
    words = value.split(":") if isinstance(value, str) else value
    if isinstance(words, list | tuple) and words:
        with suppress(ValueError):
            return tuple(parse_path(one) for one in words)
    raise ValueError(f"{value!r} is not a list of files and folders; write one such as ['journeys']")


def parse_timezone(value: object) -> str:
    """The name of a time zone in the IANA database."""
    if isinstance(value, str) and value in available_timezones():
        return value
    raise ValueError(f"{value!r} is not a time zone; write one of the IANA database, such as 'Europe/Berlin'")


def parse_cron(value: object) -> str:
    """A cron expression of five fields."""
    try:
        if not isinstance(value, str):
            raise CronSimError("it is not a text")
        next(CronSim(value, datetime.now(UTC)))
    except CronSimError as error:
        raise ValueError(
            f"{value!r} is not a cron expression ({error}); write minute, hour, day, month and weekday, as in '*/5 8-18 * * mon-fri'"
        ) from error
    except StopIteration as error:
        raise ValueError(f"{value!r} does not match any day in the next fifty years") from error
    return value


def parse_policy(value: object) -> Policy:
    """When an artifact is kept."""
    for known in POLICIES:
        if value == known:
            return known
    raise ValueError(f"{value!r} is not a policy; choose one of {', '.join(POLICIES)}")


def parse_traffic(value: object) -> tuple[Traffic, ...]:
    """Kinds of traffic: a list, or a text with commas or spaces between them."""
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    known = get_args(Traffic)
    if not isinstance(words, list | tuple) or not words or any(one not in known for one in words):
        raise ValueError(f"{value!r} is not a list of kinds of traffic; choose from {', '.join(known)}")
    return tuple(words)
