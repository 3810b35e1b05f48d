"""What is said about the state of an objective, on a terminal and on the dashboard."""

from collections.abc import Iterator

from reports.objectives.state import Cause, ObjectiveState
from runner.settings.duration import show_duration
from runner.settings.sections.objectives import DAY, format_target


def describe_nothing(state: ObjectiveState) -> str:
    """Why nothing counts, as far as the store can tell."""
    objective, window = state.objective, show_duration(state.objective.window)
    if not state.journeys:
        return f"no run of a journey named {' or '.join(objective.journeys)} is stored"
    if objective.step is not None:
        return f"no run of the last {window} has a step {objective.step!r} that passed"
    return f"no run of the last {window} counts"


def list_doubts(state: ObjectiveState) -> Iterator[str]:
    """Why the runs do not suffice to decide, or hardly do."""
    objective = state.objective
    per_day = f"{format_count(state.runs_per_day, 'run')} a day"
    window = show_duration(objective.window)
    in_window = state.runs_per_day * objective.window / DAY
    if state.too_few:
        yield (
            f"too few runs: {per_day}, or {in_window:,.0f} in {window}, but only {state.runs_needed:,} runs, all good, could show"
            f" {format_target(objective.target)}; run more often, or ask for less or over a longer window"
        )
    elif state.count.runs < state.runs_needed:
        days = state.runs_needed / state.runs_per_day
        yield (
            f"too few runs yet: {state.runs_needed:,} are needed to show {format_target(objective.target)};"
            f" at {per_day}, after {days:.1f} days"
        )
    elif state.verdict == "undecided":
        yield f"undecided: the share of bad runs is too near {format_target(objective.allowed)} to tell from so many runs"
    if in_window * objective.allowed < 1:
        yield f"one bad run would use up the whole budget of {window}"


def describe_share(state: ObjectiveState, cause: Cause) -> str:
    """Which part a cause has in what was used up."""
    if (state.budget_left or 0.0) >= 0:
        return f"{cause.share:.0%} of the budget"
    return f"{cause.bad / state.count.bad:.0%} of the bad runs"


def describe_budget(state: ObjectiveState) -> str:
    """How much is left, in words."""
    left = state.budget_left or 0.0
    return f"{left:.0%} left" if left >= 0 else "used up"


def describe_left_out(state: ObjectiveState) -> str:
    """What is not in the denominator: `, ` between the kinds; empty if nothing was left out."""
    found = []
    if state.monitor_errors:
        found.append(f"{format_count(state.monitor_errors, 'run')} in which the monitor failed")
    if state.paused_slots:
        found.append(f"{format_count(state.paused_slots, 'paused slot')}")
    return ", ".join(found)


def format_good_share(share: float) -> str:
    """Rounded down, so that no missed objective looks like one that is kept."""
    return f"{int(share * 1_000_000) / 10_000:.3f}".rstrip("0").rstrip(".") + "%"


def format_count(count: float, word: str) -> str:
    """A number of things; `word` is the singular."""
    return f"{count:,.0f} {word if round(count) == 1 else word + 's'}"
