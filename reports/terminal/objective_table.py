"""The state of objectives on a terminal, for `journey slo`."""

from collections.abc import Iterator

from reports.objectives.state import Burn, ObjectiveState
from reports.text.objective_text import (
    describe_budget,
    describe_left_out,
    describe_nothing,
    describe_share,
    format_count,
    format_good_share,
    list_doubts,
)
from runner.settings.duration import show_duration

VERDICTS = {"kept": "kept", "missed": "missed", "undecided": "undecided"}


def format_objective(state: ObjectiveState) -> Iterator[str]:
    """Its lines: what is asked for, what came out, what is left, how it burns, what used it up, whether the runs suffice."""
    objective, count = state.objective, state.count
    yield f"{objective.name}: {objective.describe()}"
    if not count.runs:
        yield f"  {describe_nothing(state)}{_left_out(state)}"
        return
    good = 1 - (count.ratio or 0)
    yield (
        f"  {format_good_share(good)} of {format_count(count.runs, 'run')} since {state.since:%Y-%m-%d %H:%M}Z"
        f" ({count.bad:,} bad): {VERDICTS[state.verdict]}{_left_out(state)}"
    )
    allowed = count.runs * objective.allowed
    yield f"  error budget: {describe_budget(state)} ({count.bad:,} of {allowed:,.1f} bad runs used)"
    if state.burns:
        yield "  burn rate: " + ", ".join(_burn(one) for one in state.burns)
    for alert in (one for one in state.burns if one.fires):
        yield (
            f"  burning: more than {alert.alert.factor:g} times too fast over {show_duration(alert.alert.long)}"
            f" and {show_duration(alert.alert.short)} ({alert.alert.severity})"
        )
    if state.causes:
        yield "  used up by:"
    for cause in state.causes:
        reason = cause.reason if len(cause.reason) <= 100 else f"{cause.reason[:99]}…"
        yield f"    {describe_share(state, cause)}, {cause.bad} × {cause.journey}: {reason} (journey show {cause.last_run})"
    yield from (f"  {line}" for line in list_doubts(state))


def _burn(one: Burn) -> str:
    return f"{show_duration(one.alert.long)} " + (f"{one.rate:.1f}" if one.rate is not None else "–")


def _left_out(state: ObjectiveState) -> str:
    left_out = describe_left_out(state)
    return f"; not counted: {left_out}" if left_out else ""
