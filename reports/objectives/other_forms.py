"""Objectives in the forms that other programs read: Grafana, Sloth, OpenSLO, Pyrra."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reports.objectives.grafana_alerts import render_grafana_objectives
from reports.objectives.prometheus_rules import render_prometheus_rules
from reports.objectives.queries import count_all, count_bad, select_counters
from reports.objectives.yaml import format_yaml
from runner.settings.duration import show_duration
from runner.settings.sections.objectives import Objective

SERVICE = "journeys"


def render_sloth(objectives: Sequence[Objective], _: Mapping[str, float]) -> str:
    """One file of Sloth (prometheus/v1)."""
    slos = []
    for one in objectives:
        selectors = select_counters(one)
        slos.append(
            {
                "name": one.name,
                "objective": round(one.target * 100, 8),
                "description": one.describe(),
                "sli": {
                    "events": {
                        "error_query": count_bad(selectors, "{{.window}}"),
                        "total_query": count_all(selectors, "{{.window}}"),
                    }
                },
                "alerting": {
                    "name": f"JourneyObjective-{one.name}",
                    "page_alert": {"labels": {"severity": "page"}},
                    "ticket_alert": {"labels": {"severity": "ticket"}},
                },
            }
        )
    return format_yaml({"version": "prometheus/v1", "service": SERVICE, "slos": slos})


def render_openslo(objectives: Sequence[Objective], _: Mapping[str, float]) -> str:
    """One document of OpenSLO (v1) for each objective."""
    return _documents(_openslo(one) for one in objectives)


def _openslo(objective: Objective) -> dict[str, Any]:
    selectors = select_counters(objective)

    def source(query: str) -> dict[str, Any]:
        return {"metricSource": {"type": "Prometheus", "spec": {"query": f"sum({query})"}}}

    counted = {"bad": source(selectors.bad)} if selectors.bad else {"good": source(selectors.good)}
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": objective.name},
        "spec": {
            "description": objective.describe(),
            "service": SERVICE,
            "indicator": {
                "metadata": {"name": objective.name},
                "spec": {"ratioMetric": {"counter": True, **counted, "total": source(selectors.total)}},
            },
            "timeWindow": [{"duration": show_duration(objective.window), "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": objective.name, "target": objective.target}],
        },
    }


def render_pyrra(objectives: Sequence[Objective], _: Mapping[str, float]) -> str:
    """One resource of Pyrra (v1alpha1) for each objective."""
    return _documents(_pyrra(one) for one in objectives)


def _pyrra(objective: Objective) -> dict[str, Any]:
    selectors = select_counters(objective)
    total = {"metric": selectors.total}
    if selectors.bad:
        indicator = {"ratio": {"errors": {"metric": selectors.bad}, "total": total}}
    else:
        indicator = {"latency": {"success": {"metric": selectors.good}, "total": total}}
    return {
        "apiVersion": "pyrra.dev/v1alpha1",
        "kind": "ServiceLevelObjective",
        "metadata": {"name": objective.name, "labels": {"pyrra.dev/team": SERVICE}},
        "spec": {
            "description": objective.describe(),
            "target": f"{round(objective.target * 100, 8):.8f}".rstrip("0").rstrip("."),
            "window": show_duration(objective.window),
            "indicator": indicator,
        },
    }


def _documents(values: Any) -> str:
    return "---\n".join(format_yaml(one) for one in values)


FORMS: dict[str, Callable[[Sequence[Objective], Mapping[str, float]], str]] = {
    "prometheus": render_prometheus_rules,
    "grafana": render_grafana_objectives,
    "sloth": render_sloth,
    "openslo": render_openslo,
    "pyrra": render_pyrra,
}
