"""The funnel that an address asks for: one of the settings by its name, or pages of its own (`step`, again and again, and `within`)."""

from collections.abc import Sequence
from difflib import get_close_matches

from reports.web.query.time_range import BadRequest
from runner.settings.funnels import WITHIN, Funnel, parse_steps, parse_within


def parse_funnel(known: Sequence[Funnel], name: str, steps: Sequence[str], within: str, app: str) -> Funnel | None:
    """The funnel; the first one of the settings if the address names none, of `app` if it names that. Raises BadRequest."""
    given = [one.strip() for one in steps if one.strip()]
    if given and name:
        raise BadRequest("funnel: give either the name of a funnel or steps, not both")
    if given:
        try:
            return Funnel(name="", app=app, steps=parse_steps(given), within=parse_within(within) if within else WITHIN)
        except (ValueError, OverflowError) as error:
            raise BadRequest(f"{'within' if 'longer than a session' in str(error) else 'step'}: {error}") from error
    if name:
        found = next((one for one in known if one.name == name), None)
        if found is None:
            names = [one.name for one in known]
            close = get_close_matches(name, names, 1)
            hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names) or 'none'}"
            raise BadRequest(f"funnel: {name[:40]!r} is not in the settings; {hint}")
        return found
    return next((one for one in known if not app or one.app == app), None)
