"""The dashboard of journeys: their state, latencies by the clock inside the page, and how the scheduler fares."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from reports.grafana.definition.board import MONITOR, board, choice
from reports.grafana.definition.panels import (
    AVAILABILITY,
    FEW_ARE_BAD,
    FEW_ARE_ODD,
    Look,
    Panel,
    Query,
    lines,
    number,
    rows,
    states,
)
from reports.grafana.definition.promql import JOURNEY, RUN, STEP, SUCCESS, greatest, of, per_minute, quantile, quantiles

SECONDS = Look(unit="s")
SHARE = Look(unit="percentunit", decimals=2, most=1, steps=AVAILABILITY)
RUNS = ("Runs of this journey", f"{MONITOR}/runs?journey=${{__field.labels.journey}}")
LINKS = (("Journey", f"{MONITOR}/journeys/${{__field.labels.journey}}"), RUNS)


def build_journeys() -> Dashboard:
    """The dashboard."""
    return board(
        "journeys",
        "Scripted journeys: state, latency by the clock inside the page, and how the scheduler fares.",
        [
            choice("journey", "Journey", "synthetic_success"),
            choice("location", "Location", of("synthetic_success", JOURNEY)),
            choice("step", "Step", of("synthetic_step_success", JOURNEY)),
        ],
        [("Now", _now()), ("Latency, by the clock inside the page", _latency()), ("The scheduler", _scheduler())],
        [("Runs", "/runs"), ("Runs that failed", "/runs?status=failed")],
    )


def _now() -> list[Panel]:
    latency, budget = (greatest(f"synthetic_{name}_seconds", "journey, location, step", RUN) for name in ("latency", "budget"))
    last_success = greatest("synthetic_last_success_timestamp_seconds", "journey, location", RUN)
    return [
        number(
            "Journeys that pass",
            f"sum({SUCCESS}) / count({SUCCESS})",
            Look(unit="percentunit", most=1, steps=((None, "red"), (0.99, "yellow"), (1, "green"))),
            description="Of those whose newest state is known.",
        ),
        number(
            "Failing",
            f"count({SUCCESS} == 0 unless on (journey, location) synthetic_monitor_error == 1) or vector(0)",
            Look(decimals=0, steps=FEW_ARE_BAD),
            description="The site's fault: runs in which the monitor itself failed are beside it.",
        ),
        number(
            "The monitor cannot tell",
            f"sum({greatest('synthetic_monitor_error', 'journey, location', RUN)})",
            Look(decimals=0, steps=FEW_ARE_ODD),
        ),
        number(
            "Over budget",
            f"count({latency} > {budget}) or vector(0)",
            Look(decimals=0, steps=FEW_ARE_ODD),
            description="Steps whose newest latency is above their budget.",
        ),
        number(
            "Since the newest run",
            f"time() - max({of('synthetic_last_run_timestamp_seconds', RUN)})",
            Look(unit="s", decimals=0),
        ),
        number("Longest since a success", f"max(time() - {last_success})", Look(unit="s", decimals=0)),
        states(
            "State of each journey",
            Query(SUCCESS, "{{journey}} {{location}}"),
            {"0": ("did not pass", "red"), "1": ("passed", "green")},
            width=16,
            height=8,
            links=LINKS,
        ),
        rows(
            "Availability",
            Query(f"avg by (journey, location) (avg_over_time({of('synthetic_success', RUN)}[$__range]))"),
            look=SHARE,
            description="Share of the time in which the newest run had passed.",
        ),
    ]


def _latency() -> list[Panel]:
    by_step = "{{journey}} {{step}}"
    wall, latency = (greatest(f"synthetic_{name}_seconds", "journey, step", STEP) for name in ("wall", "latency"))
    navigation = "synthetic_navigation_seconds"
    phases = of(navigation, STEP, 'phase!~"ttfb|total"')
    return [
        lines(
            "Latency of each step",
            Query(greatest("synthetic_latency_seconds", "journey, location, step", STEP), f"{by_step} {{{{location}}}}"),
            Query(greatest("synthetic_budget_seconds", "journey, step", STEP), f"budget of {by_step}"),
            look=SECONDS,
            width=16,
            height=9,
            description="Of the newest run that passed, as it was when it was scraped. Dashed: the budget.",
            dashed="B",
            links=LINKS,
        ),
        lines(
            "What a stopwatch would add",
            Query(f"{wall} - {latency}", by_step),
            look=SECONDS,
            height=9,
            description="The time around the step's code, less the latency: mostly the pauses in which a wait looks again.",
        ),
        lines(
            "Time of a run",
            Query(greatest("synthetic_duration_seconds", "journey, location", RUN), "{{journey}} {{location}}"),
            look=SECONDS,
            links=LINKS,
        ),
        lines(
            "Loading, phase by phase",
            Query(f"avg by (phase) ({phases})", "{{phase}}"),
            look=SECONDS,
            description="Navigation Timing of the last document of each chosen step, on average.",
            stacked=True,
        ),
        lines(
            "First byte and load event",
            Query(greatest(navigation, "journey, step, phase", STEP, 'phase=~"ttfb|total"'), f"{by_step} {{{{phase}}}}"),
            look=SECONDS,
        ),
        lines(
            "Web vitals",
            Query(greatest("synthetic_web_vital_seconds", "journey, step, vital", STEP), f"{by_step} {{{{vital}}}}"),
            look=SECONDS,
        ),
        lines(
            "Layout shift",
            Query(greatest("synthetic_layout_shift_score", "journey, step", STEP), by_step),
            look=Look(decimals=3),
        ),
        lines(
            "Steps that do not pass",
            Query(f"1 - min by (journey, step) ({of('synthetic_step_success', STEP)})", by_step),
            look=Look(most=1),
            stepped=True,
            links=LINKS,
        ),
        lines(
            "Requests",
            Query(f"sum by (outcome) ({of('synthetic_requests', STEP)})", "{{outcome}}"),
            look=Look(),
            description="Of all chosen steps together.",
        ),
        lines(
            "Bytes received",
            Query(f"sum by (journey) ({of('synthetic_transfer_bytes', STEP)})", "{{journey}}"),
            look=Look(unit="bytes"),
        ),
        lines(
            "Attempts",
            Query(greatest("synthetic_attempts", "journey, location", RUN), "{{journey}} {{location}}"),
            look=Look(),
            description="Above 1 a run has passed, or not, at a further try.",
            stepped=True,
        ),
    ]


def _scheduler() -> list[Panel]:
    runs = "synthetic_runs_total"
    passed, counted = (
        f"sum by (journey) (increase({of(runs, JOURNEY, chosen)}[$__range]))"
        for chosen in ('status="passed"', 'status=~"passed|failed"')
    )
    return [
        lines("Runs a minute", Query(per_minute(runs, "status", JOURNEY), "{{status}}"), look=Look(), stacked=True),
        rows(
            "Availability, run by run",
            Query(f"{passed} / {counted}"),
            look=SHARE,
            description="Share of the runs that passed among those that passed or failed.",
        ),
        lines(
            "Time of a run, p50 and p95",
            *quantiles((0.5, 0.95), "synthetic_run_seconds", JOURNEY, window="1h"),
            look=SECONDS,
            description="Of the hour before.",
        ),
        lines(
            "Latency of steps, p95",
            Query(
                quantile(0.95, "synthetic_step_latency_seconds", JOURNEY, 'step=~"$step"', window="1h", by="journey, step"),
                "{{journey}} {{step}}",
                exemplars=True,
            ),
            look=SECONDS,
            width=16,
            description="Of the hour before. With remote write, each dot is a run, with links to the run and its trace.",
        ),
        lines(
            "How late runs begin",
            *quantiles((0.5, 0.95), "synthetic_schedule_delay_seconds", window="1h"),
            look=SECONDS,
            description="From when a run was due to its start, of the hour before.",
        ),
        lines(
            "Slots that were not run, an hour",
            Query(
                f"sum by (journey, reason) (increase({of('synthetic_missed_slots_total', JOURNEY)}[1h]))",
                "{{journey}}: {{reason}}",
            ),
            look=Look(),
        ),
        lines(
            "Workers and runs",
            Query("sum(synthetic_browsers)", "workers"),
            Query("sum(synthetic_running)", "under way"),
            Query("sum(synthetic_waiting)", "waiting"),
            look=Look(),
            stepped=True,
        ),
        lines("Pushes a minute", Query(per_minute("synthetic_pushes_total", "outcome"), "{{outcome}}"), look=Look()),
        lines(
            "What is not yet where it should be",
            Query("sum(synthetic_unstored_runs)", "runs that the store has not taken"),
            Query("sum(synthetic_unpushed_journeys)", "journeys that the gateway has not taken"),
            Query("sum(synthetic_unsent_runs)", "runs that a receiver has not taken"),
            Query("sum(synthetic_broken_files)", "files that cannot be read"),
            look=Look(),
            stepped=True,
        ),
        rows(
            "Next runs",
            Query(f"min by (journey) ({of('synthetic_next_run_timestamp_seconds', JOURNEY)}) - time()", "due in"),
            Query(greatest("synthetic_interval_seconds", "journey", JOURNEY), "every"),
            Query(greatest("synthetic_paused", "journey", JOURNEY), "paused"),
            look=Look(unit="s", decimals=0, least=None),
            units={"paused": "none"},
        ),
        rows(
            "Certificates end in",
            Query(f"min by (host) ({of('synthetic_certificate_expiry_timestamp_seconds', RUN)}) - time()", "left"),
            look=Look(unit="s", decimals=0, steps=((None, "red"), (14 * 86400, "yellow"), (30 * 86400, "green")), least=None),
            description="The earliest end in the chain of each host that a run has met, third parties too.",
        ),
    ]
