"""Which journeys and steps are worth setting aside, and the lines to put into the settings."""

from collections.abc import Sequence
from datetime import date, timedelta

from runner.result import Quarantine
from runner.store.queries.history.flakes import FlakeRate

FEWEST_RUNS = 20
"""Of which a rate says something."""
FEWEST_FLAKES = 3
"""Below, it may have been chance."""
LEAST_RATE = 0.01
"""That the rate is above with a confidence of 95 %: one of a hundred runs."""
DAYS = 14
"""For how long it is proposed."""


def propose_quarantine(rate: FlakeRate, entries: Sequence[Quarantine], today: date) -> str:
    """The lines for the settings; empty where there is too little to say so, or where the journey is set aside already.

    It is the step that is proposed where all flaky runs went wrong in the same one.
    """
    if rate.runs < FEWEST_RUNS or rate.flakes < FEWEST_FLAKES or rate.interval[0] < LEAST_RATE:
        return ""
    steps = list(rate.steps)
    step = steps[0] if len(steps) == 1 else ""
    if any(not one.over and one.step in {"", step} for one in entries):
        return ""
    where = f"in step {step}" if step else "in several places" if len(steps) > 1 else "outside of its steps"
    key = f"{rate.journey}/{step}" if step else rate.journey
    reason = f"{rate.flakes} of {rate.runs} runs were flaky, {where}"
    return "\n".join(
        (
            f"[quarantine.{_quote(key)}]",
            'owner = "name who looks after it"',
            f"reason = {_quote(reason)}",
            f"until = {today + timedelta(days=DAYS)}",
        )
    )


def _quote(text: str) -> str:
    r"""A basic string of TOML (https://toml.io/en/v1.0.0#string).

    >>> _quote('a "b"\n')
    '"a \\"b\\"\\u000a"'
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(f"\\u{ord(one):04x}" if ord(one) < 32 or ord(one) == 127 else one for one in escaped) + '"'
