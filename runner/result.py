"""What happened in a run: frozen values, the only thing that leaves the runner.

All durations are seconds, sizes bytes, `*_at` times RFC 3339 in UTC. `result.json` is a `RunResult` as JSON; its fields
are documented in docs/result.md.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field

Status = Literal["passed", "failed", "error", "skipped", "cancelled"]
FailureKind = Literal[
    "assertion", "timeout", "http", "navigation", "page", "crash", "browser", "deadline", "journey", "monitor"
]
SITE: frozenset[FailureKind] = frozenset({"assertion", "timeout", "http", "navigation", "page"})
"""The kinds of failure that are the site's; all others are the monitor's."""
MONITOR_ITSELF: frozenset[FailureKind] = frozenset({"browser", "monitor"})
"""The kinds of failure that no journey can cause."""
GIVEN_UP = "this is the scheduler's own word: nothing came from the worker; a result that comes later takes its place"
"""The note of a run of which a scheduler expected nothing more, by which the store knows it too."""
Clock = Literal["page", "stopwatch"]
WeightType = Literal["document", "script", "style", "image", "font", "media", "fetch", "other"]
Trigger = Literal["", "schedule", "demand", "confirm", "smoke"]
"""Why a run was made: its slot had come, somebody asked a scheduler for it, a failure is to be confirmed, a smoke check asked a scheduler
for it; empty for a run of a command, and of an earlier version."""


class Failure(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a step or a run did not pass, in what a reader needs: no stack of the runner's own.

    `kind` tells the site (`assertion timeout http navigation page`) from the monitor (`crash browser deadline journey monitor`).
    """

    kind: FailureKind
    message: str
    step: str | None = None
    file: str | None = None
    line: int | None = None
    code: str | None = None
    """The journey's source line that failed."""
    url: str | None = None
    """The address of the page when it failed."""


def status_of(failure: Failure | None) -> Status:
    """The status of a step or a run that ended with this failure, or with none."""
    return "passed" if failure is None else "failed" if failure.kind in SITE else "error"


class ServerTiming(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of the `Server-Timing` response header (W3C Server Timing)."""

    name: str
    duration_seconds: float = 0.0
    description: str = ""


class Navigation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One document loaded in a step's top-level frame (W3C Navigation Timing Level 2).

    `phases` holds the seconds spent in `redirect dns connect tls request response dom load`, and the spans from the start
    of the navigation: `ttfb` (to the first response byte) and `total` (to the end of the load event). A phase that has not
    ended when it was read is absent.
    """

    url: str
    type: str
    started_at: datetime
    status: int | None = None
    protocol: str = ""
    phases: dict[str, float] = field(default_factory=dict)
    redirects: int = 0
    transfer_bytes: int = 0
    decoded_bytes: int = 0
    server_timing: tuple[ServerTiming, ...] = ()


class Vitals(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Web vitals as the `web-vitals` library reports them: seconds, except for `cls`, which is a score without a unit."""

    ttfb: float | None = None
    fcp: float | None = None
    lcp: float | None = None
    inp: float | None = None
    cls: float | None = None


class Request(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One HTTP request; `at_seconds` counts from the start of the step."""

    url: str
    method: str
    kind: str
    """Playwright's resource type: `document script stylesheet image font fetch xhr …`."""
    at_seconds: float
    duration_seconds: float
    status: int | None = None
    transfer_bytes: int = 0
    failure: str = ""
    """The network error, for a request that got no response."""
    span_id: str = ""
    """The span that its own header `traceparent` names; empty if it has none."""


class Weight(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a step has received of one type from one host."""

    host: str = ""
    """Empty for all hosts beyond the heaviest."""
    type: WeightType = "other"
    party: str = ""
    """`first` or `third`, as the host is of the site under test or not; empty where that cannot be known."""
    requests: int = 0
    transfer_bytes: int = 0
    decoded_bytes: int | None = None
    """Of the bodies, without compression; None where nobody knows of any of them."""


class Requests(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The requests of a step: how many ended well (status below 400) and badly, bytes received, and the slowest five."""

    ok: int = 0
    failed: int = 0
    transfer_bytes: int = 0
    slowest: tuple[Request, ...] = ()
    failures: tuple[Request, ...] = ()
    """The first ten that ended badly."""
    entries: tuple[Request, ...] = ()
    """The first two hundred, in the order in which they began."""
    weight: tuple[Weight, ...] = ()
    """Of all of them, by host and type, the heaviest first; absent in results of earlier versions."""
    blocked: int = 0
    """Requests that were not sent, as the journey's option `block` or a smoke check's does not allow them."""


class UserTiming(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A mark or measure that the site set itself (W3C User Timing); `at_seconds` counts from the start of the step."""

    name: str
    kind: Literal["mark", "measure"]
    at_seconds: float
    duration_seconds: float = 0.0


class LongTask(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stretch of 50 ms or more in which the main thread was busy; `at_seconds` counts from the start of the step."""

    kind: Literal["long-task", "long-animation-frame"]
    at_seconds: float
    duration_seconds: float
    blocking_seconds: float = 0.0


class PageError(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An uncaught JavaScript error on a page."""

    message: str
    url: str = ""


class StepResult(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """One step, ended.

    `latency_seconds` is the page clock, `wall_seconds` the stopwatch around the step's code; `latency_seconds` is never
    above `wall_seconds`. Both are None for a step that was skipped.
    """

    name: str
    index: int
    status: Status
    started_at: datetime | None = None
    latency_seconds: float | None = None
    wall_seconds: float | None = None
    clock: Clock = "stopwatch"
    """Which clock `latency_seconds` comes from."""
    cause: str = ""
    """What started the page clock: `navigation`, `input`, or `step` (the start of the step itself)."""
    cause_at_seconds: float = 0.0
    """From the start of the step to what started the page clock."""
    ended_by: str = ""
    """`awaited` (the element that the step waited for last came to be as awaited), else the last effect: `load`, `dom`, `response`,
    `paint` or `input`; empty on the stopwatch."""
    waited_seconds: float = 0.0
    """The part of the latency before the first input, where the step had to wait for what it acted on."""
    soft: bool = False
    budget_seconds: float | None = None
    navigations: tuple[Navigation, ...] = ()
    vitals: Vitals = Vitals()
    requests: Requests = Requests()
    user_timing: tuple[UserTiming, ...] = ()
    long_tasks: tuple[LongTask, ...] = ()
    signals: dict[str, Any] | UnsetType = UNSET
    """Of signals without a field of their own, by their names; left out where there are none."""
    page_errors: tuple[PageError, ...] = ()
    phases: dict[str, float] | UnsetType = UNSET
    """Of a check's call: the seconds of each phase, by its name; left out for steps of journeys."""
    failure: Failure | None = None

    @property
    def over_budget(self) -> bool:
        """True when the step passed, has a budget and its latency is above it."""
        return (
            self.status == "passed"
            and self.budget_seconds is not None
            and self.latency_seconds is not None
            and self.latency_seconds > self.budget_seconds
        )


class Overrun(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A budget of the settings that a run which passed did not keep."""

    step: str = ""
    """Empty for the run as a whole."""
    figure: str
    """As in docs/smoke.md: `latency duration lcp requests …`."""
    bound: float
    value: float
    where: str
    """The key in the settings."""


class Quarantine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A journey, or one of its steps, that is set aside: what goes wrong there is shown, and does not gate."""

    journey: str
    step: str = ""
    """Empty for the journey as a whole."""
    owner: str
    reason: str
    until: date
    """The last day (UTC)."""
    where: str = "quarantine"
    """The key in the settings."""
    over: bool = False
    """True when that day was over at the end of the run: then it gates again."""


def skipped(names: Sequence[str], index: int) -> tuple[StepResult, ...]:
    """The steps of these names as not run; `index` is the first one's."""
    return tuple(StepResult(name=name, index=index + position, status="skipped") for position, name in enumerate(names))


class Attempt(Struct, frozen=True, kw_only=True):
    """One try of a run: its own browser context, its own steps."""

    number: int
    status: Status
    started_at: datetime
    duration_seconds: float
    steps: tuple[StepResult, ...] = ()
    failure: Failure | None = None


class Artifact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file saved by a run; `path` is relative to the run's folder and uses `/`."""

    kind: str
    """One of those in docs/artifacts.md, in the singular: `screenshot`."""
    path: str
    bytes: int
    sha256: str = ""
    """The digest of the file as 64 hexadecimal digits; empty for a run of an earlier version."""
    attempt: int = 1
    step: str | None = None


class Certificate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The certificate with which a host has proved who it is."""

    host: str
    """With its port, if that is not 443."""
    valid_until: datetime
    valid_from: datetime
    subject: str = ""
    issuer: str = ""
    """The authority that has signed it."""
    protocol: str = ""
    """Such as `TLS 1.3`."""
    chain_valid_until: datetime | None = None
    """When the first certificate of the chain ends; None where the chain is not known."""
    chain_ends_with: str = ""
    """The subject of that certificate."""

    @property
    def first_end(self) -> datetime:
        """When visitors are refused, unless it is renewed: the end of the certificate, or of one that it depends on."""
        return min(self.valid_until, self.chain_valid_until or self.valid_until)


class Environment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the run was measured with."""

    runner: str = ""
    playwright: str = ""
    browser: str = ""
    """Name and version, as in `chromium 156.0.8078.73`."""
    base_url: str | None = None
    python: str = ""
    platform: str = ""
    sandbox: str = ""
    """Chromium's sandbox: `on`, or `off: …` with the reason; empty where it is not known."""

    @property
    def engine(self) -> str:
        """The browser without its version; empty where none was started."""
        return self.browser.partition(" ")[0]


class Load(Struct, frozen=True, kw_only=True):
    """How busy the machine was while the run was measured; shares are from 0 to 1."""

    cpu_busy: float
    """Of the time of all processors."""
    cpu_pressure: float | None = None
    """Of the run's time, in which something waited for a processor (Linux pressure stall information, `some`)."""
    runs_beside: int = 0
    """The most other runs of this monitor that were under way at the same time."""


class RunResult(Struct, frozen=True, kw_only=True):
    """One execution of a journey, from its first attempt to its last. `steps` are those of the last attempt."""

    id: str
    """UUIDv7 (RFC 9562), so that ids sort by time."""
    journey: str
    kind: Literal["journey", "check"] = "journey"
    """Whether it walked through pages or asked servers directly."""
    status: Status
    started_at: datetime
    ended_at: datetime
    duration_seconds: float
    location: str
    attempts: int = 1
    steps: tuple[StepResult, ...] = ()
    failure: Failure | None = None
    earlier_attempts: tuple[Attempt, ...] = ()
    second_look: Attempt | None = None
    """The walk after a failure that only recorded artifacts of the policy `on-first-retry`: theirs are its number. It does not count."""
    artifacts: tuple[Artifact, ...] = ()
    tags: tuple[str, ...] = ()
    release: str = ""
    """Of the site, as the setting `release` said; empty when it said nothing."""
    environment: Environment = Environment()
    notes: tuple[str, ...] = ()
    """What the monitor itself has to say, such as an artifact that could not be kept."""
    last_success_at: datetime | None = None
    """The end of the newest run of this journey that passed, this one included; None when none is known."""
    slot_at: datetime | None = None
    """When the schedule wanted it; None for a run that was asked for by hand."""
    delay_seconds: float | None = None
    """How long after its slot it began."""
    trigger: Trigger = ""
    load: Load | None = None
    overruns: tuple[Overrun, ...] = ()
    """The budgets of the settings that it is over; those that a step has itself are with the step."""
    contended: bool = False
    """True when the machine was so busy that the latencies may be too high."""
    certificates: tuple[Certificate, ...] = ()
    """Of the hosts that the run has met, by host; the first 50."""
    quarantine: tuple[Quarantine, ...] = ()
    """What the settings say about setting the journey or its steps aside, also where that is over."""
    trace_id: str = ""
    """Of the run's trace (W3C Trace Context): 32 hexadecimal digits; empty when spans are neither sent nor asked for."""
    bundle: str | None = None
    """The SHA-256 digest of the bundle that its files came from; None when they were on the machine that made it."""
    version: int = 1

    @property
    def over_budget(self) -> bool:
        """True when it is over a budget of the settings, or one of its steps over its own."""
        return bool(self.overruns) or any(step.over_budget for step in self.steps)

    @property
    def set_aside(self) -> bool:
        """True when something went wrong, and all of it in quarantine. An error of the monitor itself is never set aside."""
        failures = [self.failure, *(one.failure for one in self.earlier_attempts), *(one.failure for one in self.steps)]
        known = [one for one in failures if one is not None]
        if any(one.kind in MONITOR_ITSELF for one in known):
            return False
        wrong = {one.step or "" for one in known} | {one.name for one in self.steps if one.over_budget}
        wrong |= {one.step for one in self.overruns} | ({""} if self.status in {"failed", "error"} and not known else set())
        held = {one.step for one in self.quarantine if not one.over}
        return bool(wrong) and ("" in held or wrong <= held)

    @property
    def assumed(self) -> bool:
        """True for what a scheduler says about a run that was given up: its own result may still come."""
        return GIVEN_UP in self.notes

    @property
    def flaky(self) -> bool:
        """True when the run passed, but not at its first attempt."""
        return self.status == "passed" and self.attempts > 1
