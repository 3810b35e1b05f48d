"""Parsers of settings of smoke checks.

Each raises ValueError that says what is wrong with the value and what to write; the caller adds where it is written.
"""

import re
from typing import Literal

from runner.settings.duration import parse_duration
from runner.settings.parsers.values import parse_fraction, parse_positive_count

ProfileWhen = Literal["off", "on-slow", "always"]
PROFILE_WHEN: tuple[ProfileWhen, ...] = ("off", "on-slow", "always")
"""Never; of journeys with a step that is slower or over a budget; of all."""


def parse_error_probability(value: object) -> float:
    """The probability of a wrong verdict."""
    number = parse_fraction(value)
    if 0 < number < 0.5:
        return number
    raise ValueError(f"{value!r} is not valid; it must be a probability between 0 and 0.5, such as 0.01")


def parse_tolerance(value: object) -> tuple[float | None, float | None]:
    """A fraction, as in `0.1` or `10%`, a duration, or both with a comma between; None for what is not written."""
    fraction = seconds = None
    try:
        for word in str(value).split(","):
            number = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", word)
            if number:
                fraction = float(number[1]) / (100 if number[2] else 1)
            else:
                seconds = parse_duration(word)
    except ValueError as error:
        raise ValueError(
            f"{value!r} is not a tolerance; write a percentage such as '10%', or one with a duration, '10%,20ms'"
        ) from error
    if fraction is not None and fraction > 1 and "%" not in str(value):
        raise ValueError(f"{value!r} is {fraction:g} times the baseline; write '{fraction:g}%' for a percentage")
    return fraction, seconds


def parse_undecided(value: object) -> str:
    """How a check without a decision ends."""
    if isinstance(value, str) and value in {"pass", "fail"}:
        return value
    raise ValueError(f"{value!r} is neither 'pass' nor 'fail'")


def parse_profile_when(value: object) -> ProfileWhen:
    """When a smoke check makes CPU profiles."""
    for one in PROFILE_WHEN:
        if value == one:
            return one
    raise ValueError(f"{value!r} is not one of {', '.join(PROFILE_WHEN)}")


def parse_looks(value: object) -> tuple[int, ...]:
    """The numbers of runs after which a check decides: a list, or a text with commas between them."""
    words = value.split(",") if isinstance(value, str) else value
    if isinstance(words, list | tuple) and words:
        looks = tuple(parse_positive_count(one.strip() if isinstance(one, str) else one) for one in words)
        if list(looks) == sorted(set(looks)):
            return looks
    raise ValueError(f"{value!r} is not a list of rising numbers of runs; write one such as [8, 12, 18]")
