"""Alert rules of Prometheus as Grafana's own: the same expressions, evaluated by Grafana (file provisioning, version 1).

A rule of Prometheus fires for each series that its expression returns, whatever the value. Grafana fires on a number above a
threshold: so each rule is asked as it is, and every value, also 0 and NaN, becomes 1. Grafana's own import of Prometheus rules
does it in the same way.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from reports.objectives.prometheus_rules import make_rule_groups
from reports.objectives.yaml import format_yaml
from runner.settings.sections.objectives import Objective

SOURCE = "prometheus"
"""The uid of the data source, as docs/deploy/grafana-datasource.yml has it."""
FOLDER = "journey"
LOOKED_AT = {"from": 600, "to": 0}
"""Seconds before now that Grafana lets a question see; an instant one only needs the end."""


def render_grafana_objectives(objectives: Sequence[Objective], intervals: Mapping[str, float]) -> str:
    """The alert rules of objectives. They read what the rules of Prometheus record, which have to be loaded there."""
    notes, groups = make_rule_groups(objectives, intervals)
    head = "# Written by `journey slo export --format grafana`. The recording rules of `--format prometheus` belong to it.\n"
    return head + "".join(notes) + format_yaml(convert_rule_groups(groups))


def convert_rule_groups(groups: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The document for Grafana's provisioning folder, with the alerts of these groups of Prometheus; recording rules are left out."""
    converted = []
    for group in groups:
        alerts = [rule for rule in group["rules"] if "alert" in rule]
        titles = _titles(alerts)
        rules = [_convert(rule, group["name"], title) for rule, title in zip(alerts, titles, strict=True)]
        converted.append({"orgId": 1, "name": group["name"], "folder": FOLDER, "interval": "1m", "rules": rules})
    return {"apiVersion": 1, "groups": converted}


def _titles(alerts: Sequence[Mapping[str, Any]]) -> list[str]:
    """A title for each rule, which Grafana wants to be the only one of its group: where a name comes again, it is numbered."""
    names = [str(rule["alert"]) for rule in alerts]
    return [name if names.count(name) == 1 else f"{name} {names[: index + 1].count(name)}" for index, name in enumerate(names)]


def _convert(rule: Mapping[str, Any], group: str, title: str) -> dict[str, Any]:
    return {
        "uid": f"journey-{sha256(f'{group} {title}'.encode()).hexdigest()[:24]}",
        "title": title,
        "condition": "C",
        "data": [
            _ask("A", SOURCE, {"expr": rule["expr"], "instant": True, "range": False}),
            _ask("B", "__expr__", {"type": "math", "expression": "is_number($A) || is_nan($A) || is_inf($A)"}),
            _ask(
                "C",
                "__expr__",
                {"type": "threshold", "expression": "B", "conditions": [{"evaluator": {"type": "gt", "params": [0]}}]},
            ),
        ],
        # Nothing is returned where nothing is wrong.
        "noDataState": "OK",
        "execErrState": "Error",
        "for": rule.get("for", "0s"),
        "annotations": {name: _adapt(text) for name, text in rule["annotations"].items()},
        "labels": dict(rule["labels"]),
    }


def _ask(letter: str, source: str, model: Mapping[str, Any]) -> dict[str, Any]:
    return {"refId": letter, "relativeTimeRange": LOOKED_AT, "datasourceUid": source, "model": {"refId": letter, **model}}


def _adapt(text: str) -> str:
    """A text with the value of the question in it: in Grafana, `$value` is a description of all of a rule's numbers.

    >>> _adapt("for {{ $value | humanizeDuration }}")
    'for {{ $values.A.Value | humanizeDuration }}'
    """
    return re.sub(r"\$value\b", "$values.A.Value", text)
