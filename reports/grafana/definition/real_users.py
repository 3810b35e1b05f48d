"""The dashboard of real users: what visitors' browsers measured, and how the collector fares."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from reports.grafana.definition.board import MONITOR, board, choice
from reports.grafana.definition.panels import Look, Panel, Query, Steps, distribution, lines, number, rows
from reports.grafana.definition.promql import APP, PAGE, of, per_minute, quantile, quantiles, share_up_to

SECONDS = Look(unit="s")
VITALS = "web_vital_seconds"
LOADS = "page_load_time_seconds"
SHIFTS = "layout_shift_score"
LINKS = (
    ("Real users", f"{MONITOR}/users?app=${{__field.labels.app}}"),
    ("Sessions", f"{MONITOR}/sessions?app=${{__field.labels.app}}"),
)
BOUNDS: dict[str, tuple[str, tuple[str, ...], str, str, int]] = {
    "LCP": (VITALS, ('vital="lcp"',), "2.5", "4", 2),
    "INP": (VITALS, ('vital="inp"',), "0.2", "0.5", 3),
    "Layout shift": (SHIFTS, (), "0.1", "0.25", 3),
    "FCP": (VITALS, ('vital="fcp"',), "1.8", "3", 2),
    "TTFB": (VITALS, ('vital="ttfb"',), "0.8", "1.8", 2),
    "Load time": (LOADS, (), "2.5", "4", 2),
}
"""Of each figure: its histogram, what selects it there, up to where it is good and from where on it is poor, and its decimals."""


def build_real_users() -> Dashboard:
    """The dashboard."""
    return board(
        "real-users",
        "What visitors' browsers measured, and how the collector fares.",
        [choice("app", "App", "page_views_total"), choice("page", "Page", of(f"{LOADS}_count", APP))],
        [
            ("The 75th percentile of page views", _vitals()),
            ("Over time", _over_time()),
            ("Pages", _pages()),
            ("What users do and meet", _users()),
            ("The collector", _collector()),
        ],
        [("Sessions", "/sessions"), ("Recordings", "/recordings"), ("Journeys beside users", "/users/journeys")],
    )


def _vitals() -> list[Panel]:
    made: list[Panel] = []
    for name, (metric, chosen, good, poor, decimals) in BOUNDS.items():
        steps: Steps = ((None, "green"), (float(good), "yellow"), (float(poor), "red"))
        unit = None if metric == SHIFTS else "s"
        made.append(
            number(
                f"{name}, p75",
                quantile(0.75, metric, PAGE, *chosen, window="$__range"),
                Look(unit=unit, decimals=decimals, steps=steps),
                description=f"Good up to {good}, poor above {poor}.",
            )
        )
    for name, (metric, chosen, good, _, _) in BOUNDS.items():
        made.append(
            number(
                f"Good {name if name.isupper() else name.lower()}",
                share_up_to(good, metric, PAGE, *chosen),
                Look(unit="percentunit", decimals=1, most=1, steps=((None, "red"), (0.5, "yellow"), (0.75, "green"))),
                height=3,
                description="Share of the page views: exact, as the threshold is an edge of a bucket.",
            )
        )
    return made


def _over_time() -> list[Panel]:
    return [
        lines(
            "Load time",
            *quantiles((0.5, 0.75, 0.95), LOADS, PAGE, exemplars=True),
            look=SECONDS,
            description="Each dot is a session, with links to it and its recording.",
        ),
        lines("Web vitals, p75", Query(quantile(0.75, VITALS, PAGE, by="vital"), "{{vital}}", exemplars=True), look=SECONDS),
        lines("Layout shift over time, p75", Query(quantile(0.75, SHIFTS, PAGE), "p75"), look=Look(decimals=3)),
        distribution(
            "How load times are distributed",
            Query(f"sum by (le) (increase({of(f'{LOADS}_bucket', PAGE)}[$__rate_interval]))", "{{le}}"),
            "s",
            width=16,
            height=8,
        ),
        lines(
            "Page views a minute",
            Query(per_minute("page_views_total", "traffic", APP), "{{traffic}}"),
            look=Look(),
            stacked=True,
        ),
    ]


def _pages() -> list[Panel]:
    return [
        rows(
            "Load time and page views of each page",
            Query(quantile(0.75, LOADS, PAGE, window="$__range", by="app, page"), "load time, p75"),
            Query(quantile(0.75, VITALS, PAGE, 'vital="lcp"', window="$__range", by="app, page"), "LCP, p75"),
            Query(f"sum by (app, page) (increase({of(f'{LOADS}_count', PAGE)}[$__range]))", "loads"),
            look=Look(unit="s", decimals=2),
            width=16,
            height=10,
            counts=["loads"],
            sort_by="loads",
            links=[("This page", f"{MONITOR}/users?app=${{__data.fields.app}}&page=${{__data.fields.page:percentencode}}")],
        ),
        lines(
            "Beside journeys: load time, p50",
            Query(quantile(0.5, LOADS, PAGE, window="1h"), "real users"),
            Query('max by (journey, step) (synthetic_navigation_seconds{phase="total"})', "{{journey}} {{step}}"),
            look=SECONDS,
            height=10,
            description="Choose the page that a journey's step loads.",
        ),
    ]


def _users() -> list[Panel]:
    errors, views = (
        f"sum by (app) (rate({of(name, APP)}[$__rate_interval]))" for name in ("page_errors_total", "page_views_total")
    )
    return [
        lines("Interactions a minute", Query(per_minute("user_interactions_total", "type", APP), "{{type}}"), look=Look()),
        lines(
            "Errors of the pages' scripts, for each page view",
            Query(f"{errors} / {views}", "{{app}}"),
            look=Look(decimals=3),
            links=LINKS,
        ),
        lines("Reports of browsers a minute", Query(per_minute("browser_reports_total", "kind", APP), "{{kind}}"), look=Look()),
    ]


def _collector() -> list[Panel]:
    groups = "rate(collector_batches_total[$__rate_interval])"
    return [
        lines(
            "Beacons a second", Query("sum by (outcome) (rate(beacons_total[$__rate_interval]))", "{{outcome}}"), look=Look()
        ),
        lines(
            "Refused a second",
            Query("sum by (reason) (rate(collector_refused_total[$__rate_interval]))", "{{reason}}"),
            look=Look(),
        ),
        lines("Until a beacon is on disk", *quantiles((0.5, 0.99), "collector_commit_seconds"), look=SECONDS),
        lines(
            "How busy the writer is",
            Query("sum(rate(collector_batch_seconds_total[$__rate_interval]))", "share of the time in which it writes"),
            look=Look(unit="percentunit"),
            description="Near 1 it has no pause: beacons will wait.",
        ),
        lines(
            "Beacons in a group",
            Query(f'sum(rate(beacons_total{{outcome="accepted"}}[$__rate_interval])) / sum({groups})', "on average"),
            Query("max(collector_last_batch_beacons)", "the last"),
            look=Look(),
        ),
        lines(
            "Under way",
            Query("sum(collector_requests_in_flight)", "requests"),
            Query("sum(collector_uncommitted_beacons)", "beacons that wait to be on disk"),
            Query("sum(collector_waiting_beacons)", "in the writer's queue"),
            Query("sum(collector_connections)", "connections"),
            Query("sum(collector_unsettled_views)", "page views whose vitals may change"),
            look=Look(),
        ),
        lines(
            "Connections that were ended, a minute",
            Query(per_minute("collector_closed_connections_total", "reason"), "{{reason}}"),
            look=Look(),
        ),
        lines(
            "Bytes received a second",
            Query("sum(rate(collector_received_bytes_total[$__rate_interval]))", "beacons"),
            Query("sum(rate(replay_bytes_total[$__rate_interval]))", "recordings, packed"),
            look=Look(unit="Bps"),
        ),
        lines(
            "Pieces of recordings a minute",
            Query(per_minute("replay_chunks_total", "app, outcome", APP), "{{app}} {{outcome}}"),
            look=Look(),
        ),
        number(
            "Pages in the metrics",
            "sum(collector_pages)",
            Look(decimals=0, steps=((None, "green"), (250, "yellow"), (300, "red"))),
            width=8,
            description="Of at most 300; the others are __other__.",
        ),
    ]
