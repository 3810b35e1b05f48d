"""Parameters of the API: what an address may say beside its path, checked before anything is asked."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from msgspec import Struct

from reports.web.query.page_view_filter import TRAFFIC
from reports.web.query.time_range import DEFAULT_RANGE, LONGEST_RANGE, BadRequest

LONGEST_TEXT = 200


class Parameter(Struct, frozen=True, kw_only=True):
    """One of them. `choices` are all its values; `least` and `most` those of a number; else it is a text."""

    name: str
    means: str
    choices: tuple[str, ...] = ()
    numbers: tuple[int, int] | None = None
    pattern: str | None = None
    form: str | None = None
    several: bool = False
    """Whether it may be repeated."""
    fallback: str | int | None = None

    def schema(self) -> dict[str, Any]:
        """As OpenAPI has it."""
        one: dict[str, Any] = {"type": "string", "maxLength": LONGEST_TEXT}
        if self.choices:
            one = {"type": "string", "enum": list(self.choices)}
        elif self.numbers:
            one = {"type": "integer", "minimum": self.numbers[0], "maximum": self.numbers[1]}
        elif self.pattern or self.form:
            one = (
                {"type": "string"}
                | ({"pattern": self.pattern} if self.pattern else {})
                | ({"format": self.form} if self.form else {})
            )
        if self.fallback is not None:
            one["default"] = self.fallback
        return {"type": "array", "items": one} if self.several else one

    def read(self, values: Sequence[str]) -> Any:
        """Its value. Raises BadRequest."""
        if len(values) > 1 and not self.several:
            raise BadRequest(f"{self.name}: is given {len(values)} times; give it once")
        checked = [self._one(value) for value in values]
        return tuple(checked) if self.several else checked[0] if checked else self.fallback

    def _one(self, value: str) -> str | int:
        shown = repr(value[:40])
        if self.choices and value not in self.choices:
            raise BadRequest(f"{self.name}: {shown} is not valid; choose one of {', '.join(self.choices)}")
        if self.numbers:
            low, high = self.numbers
            if not re.fullmatch(r"-?\d{1,9}", value, re.ASCII) or not low <= int(value) <= high:
                raise BadRequest(f"{self.name}: {shown} is not a whole number from {low} to {high}")
            return int(value)
        if not value and (self.pattern or self.form):
            raise BadRequest(f"{self.name}: is empty; leave it out, or say {'a time' if self.form else 'a time_range'}")
        if len(value) > LONGEST_TEXT:
            raise BadRequest(f"{self.name}: has {len(value)} characters; at most {LONGEST_TEXT} are allowed")
        return value


DURATION = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)?$"
RANGE = Parameter(
    name="range",
    means=f"The time range up to now, such as 6h or 7d; a minute to {LONGEST_RANGE.days} days.",
    pattern=DURATION,
    fallback=DEFAULT_RANGE,
)
FROM = Parameter(name="from", means="The start of the time range, RFC 3339 in UTC; replaces range.", form="date-time")
TO = Parameter(name="to", means="The end of the time range; the default is now.", form="date-time")
SPAN = (RANGE, FROM, TO)
JOURNEY = Parameter(name="journey", means="Only runs of this journey.")
LOCATION = Parameter(name="location", means="Only what was seen from this location.")
SELECTION = (
    Parameter(name="app", means="The app; the default is the first by name."),
    Parameter(name="page", means="Only this page (a route template)."),
    Parameter(name="device", means="Only this kind of device."),
    Parameter(name="browser", means="Only this browser, without its version."),
    Parameter(name="release", means="Only this release."),
    Parameter(name="environment", means="Only this environment."),
    Parameter(name="traffic", means="Whose page views.", choices=TRAFFIC, fallback=TRAFFIC[0]),
)
FORMAT = Parameter(name="format", means="csv: only the list, for a spreadsheet.", choices=("json", "csv"))


def read_parameters(query: Sequence[tuple[str, str]], known: Sequence[Parameter]) -> Mapping[str, Any]:
    """The values of all parameters, `-` as `_`. Raises BadRequest, also for one that there is not."""
    names = [one.name for one in known]
    for name, _ in query:
        if name not in names:
            close = get_close_matches(name, names, 1)
            hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names) or 'none'}"
            raise BadRequest(f"{name[:40]}: is not a parameter; {hint}")
    return {one.name: one.read([value for name, value in query if name == one.name]) for one in known}
