"""Recording and alert rules of Prometheus for objectives."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.objectives.burn_alerts import LEAST_BAD, BurnAlert, choose_alerts
from reports.objectives.queries import count_all, count_bad, select_counters
from reports.objectives.verdict import runs_needed
from reports.objectives.yaml import format_yaml
from runner.settings.duration import show_duration
from runner.settings.sections.objectives import Objective, format_target

ALERT = "JourneyObjectiveBurning"
SPENT = "JourneyObjectiveSpent"


def render_prometheus_rules(objectives: Sequence[Objective], intervals: Mapping[str, float]) -> str:
    """A file of rules, one group for each objective; `intervals` are the seconds between the runs of an objective's journeys, by its name."""
    notes, groups = make_rule_groups(objectives, intervals)
    head = "# Written by `journey slo export`; docs/objectives.md describes the rules. Change the objectives, not this file.\n"
    return head + "".join(notes) + format_yaml({"groups": groups})


def make_rule_groups(objectives: Sequence[Objective], intervals: Mapping[str, float]) -> tuple[list[str], list[dict[str, Any]]]:
    """Comments about alerts that are left out, and the groups of rules."""
    notes: list[str] = []
    groups = []
    for one in objectives:
        alerts, left_out = choose_alerts(one, intervals[one.name])
        notes += [
            f"# {one.name}: no alert for {other.alert.factor:g} times the budget over {show_duration(other.alert.long)}: {other.reason}\n"
            for other in left_out
        ]
        groups.append(
            {"name": f"slo-{one.name}", "rules": [*_records(one, alerts), *(_alert(one, each) for each in alerts), _spent(one)]}
        )
    return notes, groups


def _records(objective: Objective, alerts: Sequence[BurnAlert]) -> list[dict[str, Any]]:
    selectors = select_counters(objective)
    windows = sorted({objective.window, *(one.long for one in alerts), *(one.short for one in alerts)})
    rules = []
    for seconds in windows:
        window = show_duration(seconds)
        labels = {"slo": objective.name, "window": window}
        rules += [
            {"record": "synthetic_slo:runs", "expr": count_all(selectors, window), "labels": labels},
            {"record": "synthetic_slo:bad_runs", "expr": count_bad(selectors, window), "labels": labels},
            {
                "record": "synthetic_slo:error_ratio",
                "expr": f"{_series('bad_runs', objective, window)} / {_series('runs', objective, window)}",
                "labels": labels,
            },
        ]
    allowed, whole = f"{objective.allowed:.10g}", show_duration(objective.window)
    named = {"slo": objective.name}
    ratio = _series("error_ratio", objective, whole)
    return [
        *rules,
        {"record": "synthetic_slo:objective", "expr": f"vector({objective.target:.10g})", "labels": named},
        {"record": "synthetic_slo:runs_needed", "expr": f"vector({runs_needed(objective.allowed)})", "labels": named},
        {"record": "synthetic_slo:budget_left", "expr": f"sum by (slo) (1 - {ratio} / {allowed})", "labels": named},
    ]


def _alert(objective: Objective, alert: BurnAlert) -> dict[str, Any]:
    long, short = show_duration(alert.long), show_duration(alert.short)
    bound = f"{alert.factor:g} * {objective.allowed:.10g}"
    return {
        "alert": ALERT,
        "expr": (
            f"{_series('error_ratio', objective, long)} > {bound}"
            f" and ignoring (window) {_series('error_ratio', objective, short)} > {bound}"
            # `increase` extrapolates: of one bad run it says a little more or less than 1.
            f" and ignoring (window) {_series('bad_runs', objective, long)} > {LEAST_BAD - 0.5}"
        ),
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": f"{objective.name} uses up its error budget {alert.factor:g} times too fast ({long})",
            "description": f"{{{{ $value | humanizePercentage }}}} of the runs of the last {long} were bad; asked for: {objective.describe()}."
            " `journey slo` says what used up the budget.",
        },
    }


def _spent(objective: Objective) -> dict[str, Any]:
    window = show_duration(objective.window)
    return {
        "alert": SPENT,
        "expr": (
            f'synthetic_slo:budget_left{{slo="{objective.name}"}} <= 0'
            f" and on (slo) {_series('bad_runs', objective, window)} > {LEAST_BAD - 0.5}"
        ),
        "labels": {"severity": "ticket"},
        "annotations": {
            "summary": f"{objective.name} has no error budget left",
            "description": f"More than {format_target(objective.allowed)} of the runs of the last {window} were bad.",
        },
    }


def _series(name: str, objective: Objective, window: str) -> str:
    return f'synthetic_slo:{name}{{slo="{objective.name}",window="{window}"}}'
