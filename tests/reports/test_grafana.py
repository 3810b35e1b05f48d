"""The dashboards and alert rules for Grafana: what their definition writes, as Grafana reads it, and only with what is exported."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock
from urllib.parse import urlsplit

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.alerting import Rule
from grafana_foundation_sdk.models.dashboard import Dashboard
from starlette.routing import Route

from reports.collector.metrics.collector_metrics import CollectorMetrics
from reports.collector.metrics.families import format_families
from reports.grafana.definition.write import ALERTS, RULES, encode_alerts, encode_boards
from reports.objectives.prometheus_rules import render_prometheus_rules
from reports.web.routes import page_routes
from reports.web.site import Site
from runner.archive.archive import Archive
from runner.bundles.bundle_cache import BundleCache
from runner.dispatch.worker.worker_metrics import make_registry
from runner.metrics.run_metrics import build_registry
from runner.scheduler.metrics_endpoint import Exporter
from runner.settings.sections.objectives import Objective
from runner.store import Store

FOLDER = Path(__file__).parents[2] / "reports" / "grafana"
DEPLOY = FOLDER.parents[1] / "docs" / "deploy"
FILES = sorted(FOLDER.glob("*.json"))
PREFIXES = "synthetic|page|web_vital|layout_shift|user_interactions|browser_reports|beacons|collector|replay"
OBJECTIVE = Objective(name="walking", journeys=("walk",), target=0.99)


def board(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text())
    return content


def panels(file: Path) -> list[dict[str, Any]]:
    return [panel for panel in board(file)["panels"] if panel["type"] != "row"]


def variables(file: Path) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in board(file)["templating"]["list"]}


def test_there_is_one_for_each_subject_and_they_link_to_each_other() -> None:
    assert [board(file)["uid"] for file in FILES] == ["journeys", "locations", "objectives", "real-users"]
    for file in FILES:
        linked = [one["url"] for one in board(file)["links"]]
        assert [one.removeprefix("/d/") for one in linked if one.startswith("/d/")] == [
            other.stem for other in FILES if other != file
        ]
        assert any(one.startswith("${monitor}/") for one in linked)


def test_the_files_are_what_their_definition_writes() -> None:
    for name, text in {**encode_boards(), ALERTS: encode_alerts()}.items():
        assert (FOLDER / name).read_text() == text, f"call make grafana: {name} is not what its definition says"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_grafana_s_own_types_read_a_dashboard_without_loss(file: Path) -> None:
    register_default_plugins()
    content = board(file)
    again = json.loads(json.dumps(Dashboard.from_json(content), cls=JSONEncoder))
    assert list(lost(content, again)) == []
    # A field that the types do not know would be lost.
    content["panels"][1]["gridPos"]["z"] = 1
    again = json.loads(json.dumps(Dashboard.from_json(content), cls=JSONEncoder))
    assert list(lost(content, again)) == [".panels[1].gridPos.z"]


def lost(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Where something is in `before` and not, or otherwise, in `after`; a null is nothing."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if value is not None:
                yield from lost(value, after.get(key), f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from lost(one, other, f"{path}[{index}]")
    elif before != after:
        yield path


def test_the_pages_that_links_lead_to_are_there(site_paths: list[re.Pattern[str]]) -> None:
    links = {
        link["url"].removeprefix("${monitor}").partition("?")[0]
        for file in FILES
        for link in [*board(file)["links"], *(one for panel in panels(file) for one in data_links(panel))]
        if link["url"].startswith("${monitor}")
    }
    assert {"/runs", "/sessions", "/journeys/${__field.labels.journey}"} <= links
    source = yaml.safe_load((DEPLOY / "grafana-datasource.yml").read_text())["datasources"][0]
    exemplars = {one["name"]: one["url"] for one in source["jsonData"]["exemplarTraceIdDestinations"]}
    assert set(exemplars) == {"run_id", "trace_id", "session_id"}
    links |= {urlsplit(exemplars[name]).path for name in ("run_id", "session_id")}
    for one in links:
        path = re.sub(r"\$+\{[^}]+\}", "x", one)
        assert any(pattern.match(path) for pattern in site_paths), one


def data_links(panel: dict[str, Any]) -> list[dict[str, Any]]:
    """The links of a panel's values."""
    found: list[dict[str, Any]] = panel["fieldConfig"]["defaults"].get("links", []) if "fieldConfig" in panel else []
    return found


@pytest.fixture
def site_paths(tmp_path: Path) -> list[re.Pattern[str]]:
    """The addresses of the dashboard of `journey serve`."""
    with Store(f"sqlite:///{tmp_path / 'journey.db'}") as store:
        site = Site(store=store, archive=Archive(tmp_path))
        return [one.path_regex for one in page_routes(site) if isinstance(one, Route)]


def test_every_alert_of_prometheus_is_one_of_grafana_that_its_types_read() -> None:
    groups = yaml.safe_load((FOLDER / ALERTS).read_text())["groups"]
    here = {rule["title"]: rule for group in groups for rule in group["rules"]}
    there = {rule["alert"]: rule for group in rules_of_prometheus() for rule in group["rules"]}
    assert here.keys() == there.keys()
    assert len({rule["uid"] for rule in here.values()}) == len(here)
    for name, rule in here.items():
        asked, mapped, judged = (one["model"] for one in rule["data"])
        assert (asked["expr"], rule["labels"], rule["for"]) == (
            there[name]["expr"],
            there[name]["labels"],
            there[name].get("for", "0s"),
        )
        # Prometheus fires on any value, 0 as well.
        assert (mapped["expression"], judged["expression"]) == ("is_number($A) || is_nan($A) || is_inf($A)", "B")
        assert "$value " not in json.dumps(rule)
        again = json.loads(json.dumps(Rule.from_json(rule), cls=JSONEncoder))
        assert list(lost(rule, again)) == []
    (source,) = yaml.safe_load((DEPLOY / "grafana-datasource.yml").read_text())["datasources"]
    assert {rule["data"][0]["datasourceUid"] for rule in here.values()} == {source["uid"]}


def rules_of_prometheus() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"]
    return found


@pytest.mark.thorough
@pytest.mark.long
def test_they_are_in_the_package_that_is_installed() -> None:
    from hatchling.builders.wheel import WheelBuilder

    shipped = {one.distribution_path for one in WheelBuilder(str(FOLDER.parents[1])).recurse_included_files()}
    assert {f"reports/grafana/{file.name}" for file in FILES} | {
        f"reports/grafana/{ALERTS}",
        "reports/prometheus/alerts.yml",
    } <= shipped
    assert not [one for one in shipped if one.startswith("reports/grafana/definition/")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_dashboard_is_one_that_grafana_takes(file: Path) -> None:
    content = board(file)
    assert content["schemaVersion"] >= 36
    assert content["id"] is None
    every = content["panels"]
    assert len({panel["id"] for panel in every}) == len(every)
    assert len({panel["title"] for panel in every}) == len(every)
    taken: set[tuple[int, int]] = set()
    for panel in every:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    for panel in panels(file):
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        refs = [target["refId"] for target in panel["targets"]]
        assert refs
        assert len(set(refs)) == len(refs)
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
    asked = json.dumps([[panel["targets"], data_links(panel)] for panel in panels(file)] + [content["links"]])
    for name in variables(file):
        assert f"${name}" in asked or f"${{{name}}}" in asked, f"nothing uses ${name}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_metric_that_it_names_is_exported(file: Path, tmp_path: Path) -> None:
    families = [
        *build_registry().collect(),
        *Exporter(with_runs=False).registry.collect(),
        *make_registry(MagicMock(active=0), BundleCache(tmp_path, 1, 1)).collect(),
    ]
    kinds = {family.name: family.type for family in families}
    kinds |= dict(
        re.findall(
            r"^# TYPE (\S+) (\S+)", format_families(CollectorMetrics().families, openmetrics=False).decode(), re.MULTILINE
        )
    )
    exported = {name for name, kind in kinds.items() if kind == "gauge"}
    exported |= {f"{name.removesuffix('_total')}_total" for name, kind in kinds.items() if kind == "counter"}
    exported |= set(re.findall(r"record: \"(synthetic_slo:\w+)", render_prometheus_rules([OBJECTIVE], {"walking": 2.0})))
    exported |= {f"{name}_{end}" for name, kind in kinds.items() if kind == "histogram" for end in ("bucket", "sum", "count")}
    named = set(re.findall(rf"\b(?:{PREFIXES})_[\w:]+", json.dumps(board(file))))
    assert len(named) > 5
    assert named - exported == set()
