"""The funnel that an address asks for: one of the settings by its name, or pages of its own (`step`, again and again, and `within`)."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import TypeVar

from reports.web.query.page_view_filter import Selection
from reports.web.query.time_range import BadRequest
from runner.settings.sections.funnels import WITHIN, Funnel, parse_steps, parse_within

Value = TypeVar("Value")


def parse_funnel(known: Sequence[Funnel], name: str, steps: Sequence[str], within: str, chosen: Selection) -> Funnel | None:
    """The funnel; the first one of the chosen app if the address names none. Raises BadRequest."""
    given = [one.strip() for one in steps if one.strip()]
    if given and name:
        raise BadRequest("funnel: give either the name of a funnel or steps, not both")
    if given:
        if chosen.every_app:
            raise BadRequest(f"app: is missing; a funnel is of one app: choose one of {', '.join(chosen.apps)}")
        seconds = _parse("within", parse_within, within) if within else WITHIN
        return Funnel(name="", app=chosen.filter.app, steps=_parse("step", parse_steps, given), within=seconds)
    if name:
        found = next((one for one in known if one.name == name), None)
        if found is None:
            names = [one.name for one in known]
            close = get_close_matches(name, names, 1)
            hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names) or 'none'}"
            raise BadRequest(f"funnel: {name[:40]!r} is not in the settings; {hint}")
        return found
    return next((one for one in known if chosen.every_app or one.app == chosen.filter.app), None)


def _parse(name: str, parse: Callable[[object], Value], value: object) -> Value:
    try:
        return parse(value)
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"{name}: {error}") from error
