"""The dashboard of objectives: what is left of their error budgets, on what the rules of `journey slo export` record."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from reports.grafana.definition.board import MONITOR, board, choice
from reports.grafana.definition.panels import Look, Panel, Query, lines, number, rows
from reports.grafana.definition.promql import of

SLO = 'slo=~"$slo"'
LEFT = of("synthetic_slo:budget_left", SLO)
BUDGET: tuple[tuple[float | None, str], ...] = ((None, "red"), (0.0001, "yellow"), (0.25, "green"))
LINKS = (("Objectives", f"{MONITOR}/objectives"), ("Runs that failed", f"{MONITOR}/runs?status=failed"))


def build_objectives() -> Dashboard:
    """The dashboard."""
    return board(
        "objectives",
        "Error budgets and how fast they are used up, as recorded by the rules that `journey slo export` writes.",
        [choice("slo", "Objective", "synthetic_slo:objective")],
        [("Budgets", _budgets()), ("Over time", _over_time())],
        [("Objectives", "/objectives"), ("Runs that failed", "/runs?status=failed")],
    )


def _budgets() -> list[Panel]:
    runs = of("synthetic_slo:runs", SLO)
    return [
        number("Objectives", f"count({of('synthetic_slo:objective', SLO)})", Look(decimals=0), width=6),
        number(
            "Without a budget",
            f"count({LEFT} <= 0) or vector(0)",
            Look(decimals=0, steps=((None, "green"), (1, "red"))),
            width=6,
        ),
        number("Least left", f"min({LEFT})", Look(unit="percentunit", least=None, most=1, steps=BUDGET), width=6),
        number(
            "Too few runs to decide",
            f"count(max by (slo) ({runs}) < on (slo) {of('synthetic_slo:runs_needed', SLO)}) or vector(0)",
            Look(decimals=0, steps=((None, "green"), (1, "yellow"))),
            width=6,
            description="Objectives whose window has fewer runs than it takes to show that they are kept.",
        ),
        rows(
            "Each objective",
            Query(of("synthetic_slo:objective", SLO), "asked for"),
            Query(f"1 - (1 - {LEFT}) * on (slo) (1 - {of('synthetic_slo:objective', SLO)})", "reached"),
            Query(LEFT, "budget left"),
            Query(f"max by (slo) ({runs})", "runs"),
            Query(f"max by (slo) ({of('synthetic_slo:bad_runs', SLO)})", "bad runs"),
            look=Look(unit="percentunit", decimals=3, least=None),
            counts=["runs", "bad runs"],
            width=24,
            links=LINKS,
        ),
    ]


def _over_time() -> list[Panel]:
    ratio = of("synthetic_slo:error_ratio", SLO)
    return [
        lines(
            "Budget left",
            Query(LEFT, "{{slo}}"),
            look=Look(unit="percentunit", least=None, most=1),
            width=12,
            description="Below 0 more is used up than there is.",
            links=LINKS,
        ),
        lines(
            "Burn rate in each window",
            Query(f"{ratio} / on (slo) group_left () (1 - {of('synthetic_slo:objective', SLO)})", "{{slo}} {{window}}"),
            look=Look(decimals=1),
            width=12,
            description="1 uses up exactly the budget in the objective's window.",
        ),
        lines(
            "Bad runs in each window",
            Query(of("synthetic_slo:bad_runs", SLO), "{{slo}} {{window}}"),
            look=Look(decimals=0),
            width=12,
            links=LINKS,
        ),
        lines(
            "Runs in each window", Query(of("synthetic_slo:runs", SLO), "{{slo}} {{window}}"), look=Look(decimals=0), width=12
        ),
    ]
