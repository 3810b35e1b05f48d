"""The rules that `journey slo export` writes, on a real promtool, over made-up months."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest

from reports.objectives.burn_alerts import choose_alerts
from reports.objectives.other_forms import FORMS
from reports.objectives.prometheus_rules import ALERT, SPENT, render_prometheus_rules
from runner.scheduler.metrics_endpoint import Exporter
from runner.settings.sections.objectives import DAY, HOUR, Objective

CHECKOUT = Objective(name="checkout", journeys=("buy",), target=0.995)
FAST = Objective(name="fast-payment", journeys=("buy",), target=0.95, step="pay", under=1.0)
EVERY = 300.0
PASSED = 'synthetic_runs_total{journey="buy",status="passed",instance="a"}'
FAILED = 'synthetic_runs_total{journey="buy",status="failed",instance="a"}'
ERROR = 'synthetic_runs_total{journey="buy",status="error",instance="a"}'
COUNT = 'synthetic_step_latency_seconds_count{journey="buy",step="pay",instance="a"}'
UNDER = 'synthetic_step_latency_seconds_bucket{journey="buy",step="pay",le="1.0",instance="a"}'


def promtool(folder: Path, rules: str, series: dict[str, str], checks: list[dict[str, Any]], every: str = "5m") -> None:
    """Evaluates the rules over series with a value every five minutes."""
    (folder / "rules.yml").write_text(rules)
    document = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": every,
        "tests": [
            {
                "interval": "5m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                **{kind: [one[kind] for one in checks if kind in one] for kind in ("alert_rule_test", "promql_expr_test")},
            }
        ],
    }
    (folder / "test.yml").write_text(yaml.safe_dump(document))
    for command in (["check", "rules", "rules.yml"], ["test", "rules", "test.yml"]):
        ended = subprocess.run(["promtool", *command], cwd=folder, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout + ended.stderr


def alerts(at: str, firing: list[tuple[str, str, str]], objective: Objective = CHECKOUT, name: str = ALERT) -> dict[str, Any]:
    """A check that at a time exactly these alerts fire: severity, window, and the texts' factor and share."""
    found = []
    for severity, window, text in firing:
        factor, _, share = text.partition(" ")
        found.append(
            {
                "exp_labels": {"slo": objective.name, "severity": severity, "window": window},
                "exp_annotations": {
                    "summary": f"{objective.name} uses up its error budget {factor} times too fast ({window})",
                    "description": f"{share} of the runs of the last {window} were bad; asked for: {objective.describe()}."
                    " `journey slo` says what used up the budget.",
                },
            }
        )
    return {"alert_rule_test": {"eval_time": at, "alertname": name, "exp_alerts": found}}


def value(at: str, query: str, number: float, labels: str) -> dict[str, Any]:
    return {"promql_expr_test": {"expr": query, "eval_time": at, "exp_samples": [{"labels": labels, "value": number}]}}


def rules(*objectives: Objective, every: float = EVERY) -> str:
    return render_prometheus_rules(objectives, {one.name: every for one in objectives})


@pytest.mark.long
def test_a_site_that_is_down_burns_fast_and_the_alert_ends_with_it(tmp_path: Path) -> None:
    # A day in which all runs pass, then 40 minutes in which all fail, then all pass again.
    series = {PASSED: "0+1x288 288x8 289+1x60", FAILED: "0x288 1+1x7 8x61"}
    checks = [
        alerts("24h", []),
        # One failed run of an hour's twelve is a share above the threshold, but decides nothing.
        alerts("24h5m", []),
        alerts("24h20m", [("page", "1h", "14.4 33.33%"), ("page", "6h", "6 5.556%"), ("ticket", "3d", "1 1.37%")]),
        alerts("26h", [("ticket", "1d", "3 2.787%"), ("ticket", "3d", "1 2.572%")]),
    ]
    promtool(tmp_path, rules(CHECKOUT), series, checks)


@pytest.mark.thorough
def test_a_month_of_slow_burning_opens_tickets_and_spends_the_budget(tmp_path: Path) -> None:
    # Twenty good days, then one run of sixty fails: 1.7 %, 3.3 times the budget.
    bad = " ".join(f"{count}x59" for count in range(48))
    series = {PASSED: f"0+1x5760 5761+0.98333333x{48 * 60}", FAILED: f"0x5760 {bad}"}
    checks = [
        alerts("480h", []),
        alerts("600h", [("ticket", "3d", "1 1.621%")]),
        value("600h", 'synthetic_slo:runs_needed{slo="checkout"}', 598, 'synthetic_slo:runs_needed{slo="checkout"}'),
    ]
    promtool(tmp_path, rules(CHECKOUT), series, checks, "4h")


@pytest.mark.thorough
def test_errors_of_the_monitor_are_not_in_the_denominator(tmp_path: Path) -> None:
    # The monitor fails in nine of ten runs, for three days; those that count all pass.
    series = {PASSED: "0+0.1x864", FAILED: "0x864", ERROR: "0+0.9x864"}
    whole = 'slo="checkout",window="30d"'
    checks = [
        alerts("72h", []),
        value("72h", f"synthetic_slo:error_ratio{{{whole}}}", 0, f"synthetic_slo:error_ratio{{{whole}}}"),
        value("72h", f"round(synthetic_slo:runs{{{whole}}})", 86, f"{{{whole}}}"),
        value("72h", "synthetic_slo:budget_left", 1, 'synthetic_slo:budget_left{slo="checkout"}'),
    ]
    promtool(tmp_path, rules(CHECKOUT), series, checks, "1h")


@pytest.mark.thorough
def test_a_pause_neither_alerts_nor_counts(tmp_path: Path) -> None:
    # No run for six hours.
    series = {PASSED: "0+1x100 100x72 101+1x20", FAILED: "0x100 0x72 0x21"}
    promtool(tmp_path, rules(CHECKOUT), series, [alerts("12h", []), alerts("16h", [])])


def test_without_a_single_failure_there_is_nothing_to_divide_and_nothing_fires(tmp_path: Path) -> None:
    # The counter of failures does not exist.
    series = {PASSED: "0+1x300"}
    left = value("24h", "synthetic_slo:budget_left", 1, 'synthetic_slo:budget_left{slo="checkout"}')
    promtool(tmp_path, rules(CHECKOUT), series, [alerts("24h", []), left], "1h")


def test_a_budget_that_is_used_up_is_a_ticket(tmp_path: Path) -> None:
    series = {PASSED: "0+1x280 281+1x280", FAILED: "0x280 3x281"}
    checks = [
        {
            "alert_rule_test": {
                "eval_time": "46h",
                "alertname": SPENT,
                "exp_alerts": [
                    {
                        "exp_labels": {"slo": "checkout", "severity": "ticket"},
                        "exp_annotations": {
                            "summary": "checkout has no error budget left",
                            "description": "More than 0.5% of the runs of the last 30d were bad.",
                        },
                    }
                ],
            }
        }
    ]
    promtool(tmp_path, rules(CHECKOUT), series, checks, "1h")


def test_slow_steps_burn_the_budget_of_a_latency(tmp_path: Path) -> None:
    # From the second day on, every step is slow.
    series = {COUNT: "0+1x400", UNDER: "0+1x288 288x112"}
    firing = [("page", "1h", "14.4 100%"), ("page", "6h", "6 100%"), ("ticket", "1d", "3 25%")]
    checks = [alerts("24h", [], FAST), alerts("30h", [*firing, ("ticket", "3d", "1 20%")], FAST)]
    promtool(tmp_path, rules(FAST), series, checks, "1h")


def test_too_few_runs_leave_alerts_out_and_say_so(tmp_path: Path) -> None:
    text = rules(CHECKOUT, every=3 * HOUR)
    assert "# checkout: no alert for 14.4 times the budget over 1h: 1h has about 0.33 runs, too few to decide\n" in text
    assert "# checkout: no alert for 6 times the budget over 6h: 6h has about 2 runs, too few to decide\n" in text
    assert text.count(f"alert: {ALERT}\n") == 2
    # One failed run a day would be 2.5 times the budget, if a single one counted.
    promtool(tmp_path, text, {PASSED: "0+0.0277777x600", FAILED: "0x599 1"}, [alerts("50h", [])], "1h")


def test_an_objective_that_allows_much_has_no_alert_that_could_never_fire() -> None:
    kept, left_out = choose_alerts(Objective(name="x", journeys=("x",), target=0.9), EVERY)
    assert [one.factor for one in kept] == [6, 3, 1]
    assert [one.reason for one in left_out] == ["14.4 times the budget is more than all runs"]


@pytest.mark.parametrize(("days", "long", "short"), [(30, 60, 13), (7, 14, 13), (60, 120, 13), (300, 600, 50)])
def test_windows_follow_the_objectives_own_and_fit_two_runs(days: int, long: int, short: int) -> None:
    kept, left_out = choose_alerts(Objective(name="x", journeys=("x",), target=0.995, window=days * DAY), EVERY)
    first = kept[0] if days != 7 else left_out[0].alert
    assert (first.long, first.short) == (long * 60, short * 60)


def test_the_rules_ask_only_for_counters_that_the_scheduler_has() -> None:
    exporter = Exporter(False, [1.0])
    exporter.start_counting("buy", ["pay"])
    shown = generate_latest(exporter.registry).decode()
    for line in (
        'synthetic_runs_total{journey="buy",status="failed"} 0.0',
        'synthetic_step_latency_seconds_bucket{journey="buy",le="1.0",step="pay"} 0.0',
        'synthetic_step_latency_seconds_count{journey="buy",step="pay"} 0.0',
    ):
        assert line in shown


def documents(form: str) -> list[Any]:
    return list(yaml.safe_load_all(FORMS[form]([CHECKOUT, FAST], {"checkout": EVERY, "fast-payment": EVERY})))


def test_slo_generators_get_their_own_forms() -> None:
    [sloth] = documents("sloth")
    assert sloth["version"] == "prometheus/v1"
    assert [one["objective"] for one in sloth["slos"]] == [99.5, 95]
    assert "[{{.window}}]" in sloth["slos"][0]["sli"]["events"]["error_query"]
    first, second = documents("openslo")
    assert first["spec"]["objectives"][0]["target"] == 0.995
    assert 'status="failed"' in first["spec"]["indicator"]["spec"]["ratioMetric"]["bad"]["metricSource"]["spec"]["query"]
    assert "good" in second["spec"]["indicator"]["spec"]["ratioMetric"]
    first, second = documents("pyrra")
    assert first["spec"]["target"] == "99.5"
    assert (
        first["spec"]["indicator"]["ratio"]["total"]["metric"] == 'synthetic_runs_total{journey="buy",status=~"passed|failed"}'
    )
    assert second["spec"]["indicator"]["latency"]["success"]["metric"].startswith("synthetic_step_latency_seconds_bucket")


def test_grafana_gets_the_alerts_of_prometheus_and_not_the_recording_rules() -> None:
    [there] = documents("prometheus")
    [here] = documents("grafana")
    assert (
        [one["name"] for one in here["groups"]]
        == [one["name"] for one in there["groups"]]
        == ["slo-checkout", "slo-fast-payment"]
    )
    for group, other in zip(here["groups"], there["groups"], strict=True):
        alerts = [rule for rule in other["rules"] if "alert" in rule]
        assert alerts != other["rules"]
        assert [rule["data"][0]["model"]["expr"] for rule in group["rules"]] == [rule["expr"] for rule in alerts]
        assert [rule["labels"]["severity"] for rule in group["rules"]] == [rule["labels"]["severity"] for rule in alerts]
        assert len({rule["title"] for rule in group["rules"]}) == len({rule["uid"] for rule in group["rules"]}) == len(alerts)
        assert "$values.A.Value | humanizePercentage" in group["rules"][0]["annotations"]["description"]


def test_names_and_steps_with_marks_are_quoted(tmp_path: Path) -> None:
    odd = Objective(name="odd", journeys=("a.b", "check*"), target=0.99, step='say "hi"\\', under=0.65)
    series = {'synthetic_step_latency_seconds_count{journey="a.b",step="say \\"hi\\"\\\\"}': "0+1x20"}
    promtool(tmp_path, rules(odd), series, [alerts("1h", [], odd)])
    assert 'journey=~\\"a[.]b|check.*\\"' in rules(odd)
