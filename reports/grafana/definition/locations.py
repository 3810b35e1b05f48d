"""The dashboard of locations: whether a journey fails everywhere or at one place, and where it is slow."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from reports.grafana.definition.board import MONITOR, board, choice
from reports.grafana.definition.panels import AVAILABILITY, FEW_ARE_BAD, Look, Panel, Query, lines, number, rows, states
from reports.grafana.definition.promql import JOURNEY, RUN, STEP, SUCCESS, greatest, of

SECONDS = Look(unit="s")
LINKS = (
    ("Runs at this location", f"{MONITOR}/runs?location=${{__field.labels.location}}"),
    ("Journey at this location", f"{MONITOR}/journeys/${{__field.labels.journey}}?location=${{__field.labels.location}}"),
)


def build_locations() -> Dashboard:
    """The dashboard."""
    return board(
        "locations",
        "The same journeys from several locations: what fails or is slow at one of them only.",
        [
            choice("journey", "Journey", "synthetic_success"),
            choice("location", "Location", of("synthetic_success", JOURNEY)),
            choice("step", "Step", of("synthetic_step_success", JOURNEY)),
        ],
        [("State", _state()), ("Speed", _speed()), ("Workers elsewhere", _workers())],
        [("Runs", "/runs"), ("Runs that failed", "/runs?status=failed")],
    )


def _state() -> list[Panel]:
    failing = f"({SUCCESS} == 0 unless on (journey, location) synthetic_monitor_error == 1)"
    everywhere = f"max by (journey) ({SUCCESS}) == 0"
    at_some = f"min by (journey) ({SUCCESS}) == 0 and on (journey) max by (journey) ({SUCCESS}) == 1"
    return [
        number("Locations", f"count(count by (location) ({of('synthetic_success', RUN)}))", Look(decimals=0), width=6),
        number(
            "Fail everywhere",
            f"count({everywhere}) or vector(0)",
            Look(decimals=0, steps=FEW_ARE_BAD),
            width=6,
            description="Journeys whose newest run passed at no location: most likely the site.",
        ),
        number(
            "Fail at some locations",
            f"count({at_some}) or vector(0)",
            Look(decimals=0, steps=((None, "green"), (1, "yellow"))),
            width=6,
            description="Journeys that pass elsewhere: most likely a network, a region or the location itself.",
        ),
        number(
            "Longest silence of a location",
            f"max(time() - {greatest('synthetic_last_run_timestamp_seconds', 'location', RUN)})",
            Look(unit="s", decimals=0),
            width=6,
        ),
        states(
            "State at each location",
            Query(f"min by (location) ({SUCCESS})", "{{location}}"),
            {"0": ("a journey did not pass", "red"), "1": ("all passed", "green")},
            width=16,
            height=8,
            links=LINKS[:1],
        ),
        rows(
            "Availability of each location",
            Query(f"avg by (location) (avg_over_time({of('synthetic_success', RUN)}[$__range]))", "passed"),
            Query(f"count by (location) ({failing}) or 0 * count by (location) ({SUCCESS})", "failing now"),
            look=Look(unit="percentunit", decimals=2, most=1, steps=AVAILABILITY),
            counts=["failing now"],
        ),
    ]


def _speed() -> list[Panel]:
    latency = of("synthetic_latency_seconds", STEP)
    first_byte = of("synthetic_navigation_seconds", STEP, 'phase="ttfb"')
    fastest = f"group_left () min by (journey, step) ({latency})"
    vital = greatest("synthetic_web_vital_seconds", "location", STEP, 'vital="lcp"')
    return [
        lines(
            "Latency of each step by location",
            Query(greatest("synthetic_latency_seconds", "location, journey, step", STEP), "{{location}}: {{journey}} {{step}}"),
            look=SECONDS,
            width=16,
            height=9,
            links=LINKS,
        ),
        lines(
            "Times as slow as the fastest location",
            Query(f"avg by (location) ({latency} / on (journey, step) {fastest})", "{{location}}"),
            look=Look(decimals=2),
            height=9,
            description="On average of all chosen steps; 1 is a location where each step is the fastest.",
        ),
        lines(
            "Time of a run by location",
            Query(greatest("synthetic_duration_seconds", "location, journey", RUN), "{{location}}: {{journey}}"),
            look=SECONDS,
            links=LINKS,
        ),
        lines(
            "First byte by location",
            Query(f"avg by (location) ({first_byte})", "{{location}}"),
            look=SECONDS,
        ),
        lines("Largest contentful paint by location", Query(vital, "{{location}}"), look=SECONDS),
    ]


def _workers() -> list[Panel]:
    opens = "sum by (outcome) (rate(synthetic_bundle_opens_total[$__rate_interval]))"
    return [
        states(
            "Workers of each location",
            Query("max by (location) (synthetic_location_up)", "{{location}}"),
            {"0": ("none is heard of", "red"), "1": ("there are workers", "green")},
            width=8,
            height=8,
        ),
        lines(
            "Runs that wait for a worker",
            Query("max by (location) (synthetic_queue_length)", "{{location}}"),
            look=Look(decimals=0),
            description="In the queue of each location.",
        ),
        lines(
            "Longest wait for a worker",
            Query("max by (location) (synthetic_queue_oldest_seconds)", "{{location}}"),
            look=SECONDS,
            description="More than max_delay, and the slot is missed.",
        ),
        lines(
            "Runs of each worker",
            Query("synthetic_worker_runs", "{{instance}}"),
            Query("synthetic_worker_unsent_results", "{{instance}}, not sent"),
            look=Look(decimals=0),
        ),
        lines(
            "Bundles opened for runs",
            Query(opens, "{{outcome}}"),
            look=Look(unit="ops"),
            description="Refused ones and those that the storage does not give end their runs as errors.",
        ),
        lines(
            "Bundles and uploads",
            Query("synthetic_cached_bundles", "{{instance}}: cached bundles"),
            Query("synthetic_waiting_uploads", "{{instance}}: waiting uploads"),
            look=Look(decimals=0),
        ),
    ]
