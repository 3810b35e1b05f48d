"""A run's result as Prometheus metrics. Every metric is described in docs/metrics.md."""

from collections.abc import Iterable

from msgspec import UNSET
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import generate_latest

from runner.accessibility import IMPACTS, read_audit
from runner.result import Navigation, RunResult, StepResult
from runner.untrusted_text import LONGEST_NAME, bounded

RUN = ("journey", "location")
STEP = (*RUN, "step")


class _Gauges:
    """All gauges of a run in one registry; a gauge without a value is not exposed."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def gauge(name: str, text: str, labels: tuple[str, ...]) -> Gauge:
            return Gauge(name, text, labels, registry=self.registry)

        self.success = gauge("synthetic_success", "1 if the journey's newest run passed, else 0.", RUN)
        self.duration = gauge("synthetic_duration_seconds", "Time of the run from its first attempt to its end.", RUN)
        self.attempts = gauge("synthetic_attempts", "Attempts that the run took; above 1 it is flaky.", RUN)
        self.last_run = gauge("synthetic_last_run_timestamp_seconds", "When the newest run ended.", RUN)
        self.last_success = gauge("synthetic_last_success_timestamp_seconds", "When the newest run that passed ended.", RUN)
        self.monitor_error = gauge("synthetic_monitor_error", "1 if the monitor, not the site, has failed.", RUN)
        self.quarantined = gauge("synthetic_quarantined", "1 if all that went wrong in the newest run is in quarantine.", RUN)
        self.step_success = gauge("synthetic_step_success", "1 if the step passed, 0 if it did not.", STEP)
        self.latency = gauge("synthetic_latency_seconds", "Latency of a passed step by the page clock.", STEP)
        self.wall = gauge("synthetic_wall_seconds", "Latency of a passed step by the stopwatch around it.", STEP)
        self.budget = gauge("synthetic_budget_seconds", "The budget of the step, if it has one.", STEP)
        self.navigation = gauge(
            "synthetic_navigation_seconds", "Navigation Timing of the step's last document.", (*STEP, "phase")
        )
        self.phase = gauge(
            "synthetic_phase_seconds", "Phases of a passed step of a check, named as blackbox_exporter's.", (*STEP, "phase")
        )
        self.vital = gauge(
            "synthetic_web_vital_seconds", "Web vitals of the step, as web-vitals reports them.", (*STEP, "vital")
        )
        self.shift = gauge("synthetic_layout_shift_score", "Cumulative layout shift of the step's last document.", STEP)
        self.requests = gauge("synthetic_requests", "Requests that the step made, by outcome.", (*STEP, "outcome"))
        self.certificate = gauge(
            "synthetic_certificate_expiry_timestamp_seconds",
            "When the first certificate in the chain of a host that the run has met expires.",
            (*RUN, "host", "issuer"),
        )
        self.accessibility = gauge(
            "synthetic_accessibility_violations",
            "Elements of the step's page that break a rule of accessibility, by impact.",
            (*STEP, "impact"),
        )
        self.bytes = gauge("synthetic_transfer_bytes", "Bytes that the step's responses took.", STEP)


def build_registry(*results: RunResult) -> CollectorRegistry:
    """The gauges of one run, or of several runs of different journeys.

    A failed run has the latencies of the steps that passed. The time of the last success is exposed only when it is known.
    """
    gauges = _Gauges()
    for result in results:
        labels = (result.journey, result.location)
        gauges.success.labels(*labels).set(result.status == "passed")
        gauges.duration.labels(*labels).set(result.duration_seconds)
        gauges.attempts.labels(*labels).set(result.attempts)
        gauges.last_run.labels(*labels).set(result.ended_at.timestamp())
        gauges.monitor_error.labels(*labels).set(result.status == "error")
        gauges.quarantined.labels(*labels).set(result.set_aside)
        if result.last_success_at is not None:
            gauges.last_success.labels(*labels).set(result.last_success_at.timestamp())
        for one in result.certificates:
            gauges.certificate.labels(*labels, one.host, one.issuer).set(one.first_end.timestamp())
        for step in result.steps:
            if step.status not in {"skipped", "cancelled"}:
                _set_step(gauges, step, (*labels, bounded(step.name, LONGEST_NAME)))
    return gauges.registry


def _set_step(gauges: _Gauges, step: StepResult, labels: tuple[str, ...]) -> None:
    passed = step.status == "passed"
    gauges.step_success.labels(*labels).set(passed)
    if step.budget_seconds is not None:
        gauges.budget.labels(*labels).set(step.budget_seconds)
    if not passed or step.latency_seconds is None or step.wall_seconds is None:
        return
    gauges.latency.labels(*labels).set(step.latency_seconds)
    gauges.wall.labels(*labels).set(step.wall_seconds)
    if step.phases is not UNSET:
        # It loads no page.
        for phase, seconds in step.phases.items():
            gauges.phase.labels(*labels, phase).set(seconds)
        return
    for phase, seconds in _phases(step.navigations).items():
        gauges.navigation.labels(*labels, phase).set(seconds)
    for vital in ("ttfb", "fcp", "lcp", "inp"):
        value = getattr(step.vitals, vital)
        if value is not None:
            gauges.vital.labels(*labels, vital).set(value)
    if step.vitals.cls is not None:
        gauges.shift.labels(*labels).set(step.vitals.cls)
    gauges.requests.labels(*labels, "ok").set(step.requests.ok)
    gauges.requests.labels(*labels, "failed").set(step.requests.failed)
    gauges.bytes.labels(*labels).set(step.requests.transfer_bytes)
    audit = read_audit(step)
    if audit is not None and not audit.failed:
        for impact in IMPACTS:
            gauges.accessibility.labels(*labels, impact).set(audit.count(impact))


def _phases(navigations: tuple[Navigation, ...]) -> dict[str, float]:
    """The phases of the step's last document that has finished loading, or of the last one if none has."""
    finished = [one for one in navigations if "total" in one.phases]
    chosen = (finished or list(navigations))[-1:]
    return chosen[0].phases if chosen else {}


def format_metrics(results: Iterable[RunResult]) -> str:
    """The newest result of each journey in Prometheus' text format, for the textfile collector of a node exporter."""
    newest = {(result.journey, result.location): result for result in results}
    return generate_latest(build_registry(*newest.values())).decode()
