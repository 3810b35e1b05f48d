"""Durations as people write them."""

import re

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST = 365_000 * UNITS["d"]
"""Seconds. The date that lies so far back can still be computed."""
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")


def parse_duration(value: object) -> float:
    """A duration in seconds: from a number of seconds, or from text such as `"250ms"`, `"1.5s"`, `"1m30s"`.

    Raises ValueError, saying what is accepted; a thousand years are the longest.

    >>> parse_duration("1m30s"), parse_duration("250ms"), parse_duration(5)
    (90.0, 0.25, 5.0)
    """
    seconds = _read_seconds(value)
    if seconds is None:
        raise ValueError(
            f"{value!r} is not a duration; write a number of seconds, or a number with a unit ({', '.join(UNITS)})"
        )
    if seconds > LONGEST:
        raise ValueError(f"{value!r} is too long; write at most '{LONGEST / UNITS['d']:.0f}d'")
    return seconds


def _read_seconds(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return float(min(value, 2 * LONGEST))  # an integer may be larger than any float
    if isinstance(value, str):
        text = value.replace(" ", "")
        if re.fullmatch(r"\d+(\.\d+)?", text):
            return float(text)
        if _WHOLE.fullmatch(text):
            return round(sum(float(number) * UNITS[unit] for number, unit in _PART.findall(text)), 9)
    return None


def parse_positive_duration(value: object) -> float:
    """As `parse_duration`, but also raises ValueError for 0."""
    seconds = parse_duration(value)
    if seconds == 0:
        raise ValueError(f"{value!r} is too short; a duration must be greater than 0")
    return seconds


def show_duration(seconds: float) -> str:
    """The shortest text for a whole duration, such as `5m`.

    >>> show_duration(300), show_duration(90), show_duration(0.25)
    ('5m', '90s', '250ms')
    """
    for unit in ("d", "h", "m", "s", "ms"):
        count = round(seconds / UNITS[unit], 6)
        if count >= 1 and count == int(count):
            return f"{int(count)}{unit}"
    return f"{seconds:g}s"


def show_duration_roughly(seconds: float) -> str:
    """How long something lasted, in its two largest units.

    >>> show_duration_roughly(0.4), show_duration_roughly(75), show_duration_roughly(7_380), show_duration_roughly(200_000)
    ('less than a second', '1 min 15 s', '2 h 3 min', '2 d 7 h')
    """
    whole = int(seconds)
    if whole < 1:
        return "less than a second"
    parts = [(whole // 86_400, "d"), (whole % 86_400 // 3600, "h"), (whole % 3600 // 60, "min"), (whole % 60, "s")]
    first = next(place for place, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)
