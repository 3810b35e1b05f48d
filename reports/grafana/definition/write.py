"""Writes the dashboards, alert rules and notification policies from their definitions: `python -m reports.grafana.definition.write`."""

import json
from pathlib import Path
from typing import Any

import yaml
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from reports.grafana.definition.journeys import build_journeys
from reports.grafana.definition.locations import build_locations
from reports.grafana.definition.notifications import convert_routes
from reports.grafana.definition.objectives import build_objectives
from reports.grafana.definition.real_users import build_real_users
from reports.objectives.grafana_alerts import convert_rule_groups
from reports.objectives.yaml import format_yaml

FOLDER = Path(__file__).parents[1]
RULES = FOLDER.parent / "prometheus" / "alerts.yml"
ALERTS = "alert-rules.yml"
DEPLOY = FOLDER.parents[1] / "docs" / "deploy"
ROUTES = DEPLOY / "alertmanager.yml"
NOTIFICATIONS = DEPLOY / "grafana-notifications.yml"
BUILDERS = (build_journeys, build_locations, build_objectives, build_real_users)


def encode_boards() -> dict[str, str]:
    """The text of each file by its name."""
    made = [builder() for builder in BUILDERS]
    return {f"{one.build().uid}.json": _encode(one) for one in made}


def encode_alerts() -> str:
    """The text of the file of alert rules: those for Prometheus, in Grafana's own form."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    head = "# Written by `make grafana` from reports/prometheus/alerts.yml: change the rules there.\n"
    return head + format_yaml(convert_rule_groups(groups))


def encode_notifications() -> str:
    """The text of the file of contact points and policies: the routes of Alertmanager's file, in Grafana's own form."""
    head = (
        "# Written by `make grafana` from alertmanager.yml: put your own addresses, or other contact points, in their place.\n"
        "# Grafana replaces its whole tree of policies by this one.\n"
    )
    return head + format_yaml(convert_routes(yaml.safe_load(ROUTES.read_text())))


def _encode(board: Dashboard) -> str:
    content: dict[str, Any] = json.loads(json.dumps(board.build(), cls=JSONEncoder))
    # Grafana counts from 1, and an import with an id of another Grafana would replace a dashboard there.
    for number, panel in enumerate(content["panels"], 1):
        panel["id"] = number
    return json.dumps({"id": None, **content}, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    made = {FOLDER / name: text for name, text in {**encode_boards(), ALERTS: encode_alerts()}.items()}
    for file, text in {**made, NOTIFICATIONS: encode_notifications()}.items():
        file.write_text(text)
        print(f"wrote {file}")
