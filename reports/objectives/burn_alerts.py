"""When an objective alerts: several windows and burn rates, from the Site Reliability Workbook of Google (chapter 5, table 5-8).

A burn rate of 1 uses up exactly the error budget in the objective's window. A long window decides, a short one ends the alert soon after
the trouble has ended.
"""

import math
from typing import Literal

from msgspec import Struct

from runner.settings.duration import show_duration
from runner.settings.sections.objectives import DAY, HOUR, Objective

Severity = Literal["page", "ticket"]
MINUTE = 60.0
MONTH = 30 * DAY
LEAST_BAD = 2
"""Bad runs in the long window below which no alert fires: one failed run of a few is a high share, but no pattern."""
LEAST_RUNS = 4
"""Runs in a long window below which it decides nothing."""
IN_SHORT = 2.5
"""Intervals between runs that a short window spans at least, so that it always contains two runs."""


class BurnAlert(Struct, frozen=True, kw_only=True):
    """Fires while the budget burns faster than `factor` in both windows (seconds)."""

    severity: Severity
    factor: float
    long: float
    short: float


RECOMMENDED = (
    BurnAlert(severity="page", factor=14.4, long=HOUR, short=5 * MINUTE),
    BurnAlert(severity="page", factor=6, long=6 * HOUR, short=30 * MINUTE),
    BurnAlert(severity="ticket", factor=3, long=DAY, short=2 * HOUR),
    BurnAlert(severity="ticket", factor=1, long=3 * DAY, short=6 * HOUR),
)
"""For a window of 30 days: 2, 5, 10 and 10 % of the budget are used up when they fire."""


class LeftOut(Struct, frozen=True):
    """An alert that cannot work for an objective, and why."""

    alert: BurnAlert
    reason: str


def choose_alerts(objective: Objective, interval: float) -> tuple[tuple[BurnAlert, ...], tuple[LeftOut, ...]]:
    """The alerts of an objective whose journeys run every `interval` seconds, all together, and those that are left out.

    Windows shrink and grow with the objective's own, and a short one is at least long enough for two runs.
    """
    kept: list[BurnAlert] = []
    left_out: list[LeftOut] = []
    for one in RECOMMENDED:
        scale = objective.window / MONTH
        long = _whole_minutes(one.long * scale)
        short = _whole_minutes(max(one.short * scale, interval * IN_SHORT))
        alert = BurnAlert(severity=one.severity, factor=one.factor, long=long, short=short)
        reason = _reason_against(alert, objective, interval)
        if reason:
            left_out.append(LeftOut(alert, reason))
        else:
            kept.append(alert)
    return tuple(kept), tuple(left_out)


def _reason_against(alert: BurnAlert, objective: Objective, interval: float) -> str:
    runs = alert.long / interval
    if alert.factor * objective.allowed >= 1:
        return f"{alert.factor:g} times the budget is more than all runs"
    if runs < LEAST_RUNS:
        return f"{show_duration(alert.long)} has about {runs:.2g} runs, too few to decide"
    if alert.short >= alert.long:
        return f"{show_duration(alert.short)} are needed for two runs, as long as the window that decides"
    return ""


def _whole_minutes(seconds: float) -> float:
    return max(math.ceil(round(seconds / MINUTE, 6)), 1) * MINUTE
