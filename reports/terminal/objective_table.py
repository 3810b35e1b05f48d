"""The state of objectives on a terminal, for `journey slo`."""

from collections.abc import Iterator

from reports.objectives.state import Burn, ObjectiveState
from runner.settings.duration import show_duration
from runner.settings.objectives import DAY, format_target

VERDICTS = {"kept": "kept", "missed": "missed", "undecided": "undecided"}


def format_objective(state: ObjectiveState) -> Iterator[str]:
    """Its lines: what is asked for, what came out, what is left, how it burns, what used it up, whether the runs suffice."""
    objective, count = state.objective, state.count
    yield f"{objective.name}: {objective.describe()}"
    if not count.runs:
        yield f"  {_nothing(state)}{_left_out(state)}"
        return
    good = 1 - (count.ratio or 0)
    yield (
        f"  {_percent(good)} of {count.runs:,} {_plural(count.runs, 'run')} since {state.since:%Y-%m-%d %H:%M}Z"
        f" ({count.bad:,} bad): {VERDICTS[state.verdict]}{_left_out(state)}"
    )
    left = state.budget_left or 0.0
    allowed = count.runs * objective.allowed
    shown = f"{left:.0%} left" if left >= 0 else "used up"
    yield f"  error budget: {shown} ({count.bad:,} of {allowed:,.1f} bad runs used)"
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
        share = f"{cause.share:.0%} of the budget" if left >= 0 else f"{cause.bad / count.bad:.0%} of the bad runs"
        yield f"    {share}, {cause.bad} × {cause.journey}: {reason} (journey show {cause.last_run})"
    yield from _too_few(state)


def _nothing(state: ObjectiveState) -> str:
    """Why nothing counts, as far as the store can tell."""
    objective, window = state.objective, show_duration(state.objective.window)
    if not state.journeys:
        return f"no run of a journey named {' or '.join(objective.journeys)} is stored"
    if objective.step is not None:
        return f"no run of the last {window} has a step {objective.step!r} that passed"
    return f"no run of the last {window} counts"


def _too_few(state: ObjectiveState) -> Iterator[str]:
    objective = state.objective
    per_day = f"{state.runs_per_day:,.0f} {_plural(round(state.runs_per_day), 'run')} a day"
    window = show_duration(objective.window)
    in_window = state.runs_per_day * objective.window / DAY
    if state.too_few:
        yield (
            f"  too few runs: {per_day}, or {in_window:,.0f} in {window}, but only {state.runs_needed:,} runs, all good, could show"
            f" {format_target(objective.target)}; run more often, or ask for less or over a longer window"
        )
    elif state.count.runs < state.runs_needed:
        days = state.runs_needed / state.runs_per_day
        yield (
            f"  too few runs yet: {state.runs_needed:,} are needed to show {format_target(objective.target)};"
            f" at {per_day}, after {days:.1f} days"
        )
    elif state.verdict == "undecided":
        yield f"  undecided: the share of bad runs is too near {format_target(objective.allowed)} to tell from so many runs"
    if in_window * objective.allowed < 1:
        yield f"  one bad run would use up the whole budget of {window}"


def _burn(one: Burn) -> str:
    return f"{show_duration(one.alert.long)} " + (f"{one.rate:.1f}" if one.rate is not None else "–")


def _left_out(state: ObjectiveState) -> str:
    found = []
    if state.monitor_errors:
        found.append(f"{state.monitor_errors:,} {_plural(state.monitor_errors, 'run')} in which the monitor failed")
    if state.paused_slots:
        found.append(f"{state.paused_slots:,} paused {_plural(state.paused_slots, 'slot')}")
    return f"; not counted: {', '.join(found)}" if found else ""


def _percent(share: float) -> str:
    """Rounded down, so that no missed objective looks like one that is kept."""
    return f"{int(share * 1_000_000) / 10_000:.3f}".rstrip("0").rstrip(".") + "%"


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"
