"""The result of a smoke check: frozen values, saved as JSON, from which every report is made.

Durations are seconds, sizes bytes. The runs themselves are saved in the archive like all others; they are named here by id.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from reports.compare import Comparison, Rule
from reports.compare.amounts import AmountComparison
from runner.accessibility import Impact
from runner.pictures.region import Region
from runner.result import Environment, Failure, Quarantine

Verdict = Literal["passed", "failed", "error", "missed"]
"""`failed`: a journey failed (the site) · `error`: the monitor failed · `missed`: a budget or the baseline was."""

PictureOutcome = Literal["same", "different", "undecided", "not compared"]


class BudgetCheck(Struct, frozen=True, kw_only=True):
    """One figure compared with its bound."""

    figure: str
    """One of those in docs/smoke.md."""
    statistic: str
    """`median`, or a percentile such as `p95`."""
    bound: float
    value: float | None
    """None when no run has the figure."""
    missed: bool
    where: str
    """Where the budget is written: a key of the settings, or file and line of the step."""


class PictureCheck(Struct, frozen=True, kw_only=True):
    """How a step's end looks, compared with the baseline; what varies between pictures of one side is not compared."""

    outcome: PictureOutcome
    share: float = 0.0
    """The pixels that differ as a share of all."""
    masked: float = 0.0
    """The pixels that are not compared, as they vary, as a share of all."""
    regions: tuple[Region, ...] = ()
    """Where it differs, the largest first, at most 50."""
    region_count: int = 0
    pictures: tuple[int, int] = (0, 0)
    """How many there are of the baseline and of the candidate."""
    baseline_size: tuple[int, int] = (0, 0)
    """Width and height in CSS pixels."""
    candidate_size: tuple[int, int] = (0, 0)
    reason: str = ""
    """Why it is undecided or not compared."""
    files: dict[str, str] = field(default_factory=dict)
    """Names of pictures in the check's file of pictures: `candidate`, and if it is not the same `before after difference where`."""


class FindingCheck(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An element that breaks a rule of accessibility, and did not in the baseline."""

    rule: str
    impact: Impact
    help: str
    help_url: str = ""
    target: str
    """A selector of it."""
    html: str = ""
    count: int = 1
    """How many elements it stands for."""
    runs: int = 1
    """How many of the candidate's runs have it."""


class AccessibilityCheck(Struct, frozen=True, kw_only=True):
    """What was found on a step's page, compared with the baseline."""

    outcome: Literal["same", "new", "not compared"]
    new: tuple[FindingCheck, ...] = ()
    """The worst first, at most 50."""
    new_counts: dict[str, int] = field(default_factory=dict)
    """New elements, by impact."""
    sometimes: int = 0
    """Findings that no run of the baseline has, and at most half of the candidate's."""
    gone: int = 0
    """Findings that only the baseline has."""
    counts: dict[str, int] = field(default_factory=dict)
    """All elements, new or not, by impact; the most of a run."""
    audits: tuple[int, int] = (0, 0)
    """How many runs of the baseline and of the candidate were checked; a saved baseline is one."""
    names: tuple[str, ...] = ()
    """The names of the candidate's findings, by which later checks know them."""
    problems: tuple[str, ...] = ()
    """What was not checked, and why."""


class ProfiledFunction(Struct, frozen=True, kw_only=True):
    """A function of a step's CPU profile."""

    function: str
    url: str
    line: int
    column: int
    self_seconds: float
    total_seconds: float
    source: str = ""
    """File and line of the original code, by a source map of the release."""


class StepCheck(Struct, frozen=True, kw_only=True):
    """A step over all measured runs, or, with an empty name, the journey as a whole."""

    name: str
    figures: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """Each figure's values, in the order of the runs."""
    baseline_figures: dict[str, tuple[float, ...]] = field(default_factory=dict)
    comparison: Comparison | None = None
    """Of the latency; None without a baseline, and where either side lacks the step.

    Of the journey as a whole: of the sum of its steps' latencies, where two or more are compared.
    """
    budgets: tuple[BudgetCheck, ...] = ()
    note: str = ""
    """Such as: the baseline has no step of this name."""
    picture: PictureCheck | None = None
    """None where no pictures were taken."""
    accessibility: AccessibilityCheck | None = None
    """None where the page was not checked."""
    amounts: tuple[AmountComparison, ...] = ()
    """What it has received, compared with the baseline: bytes, requests and their parts. It is shown; only budgets of it count."""

    profile: tuple[ProfiledFunction, ...] = ()
    """The functions that took the most time of their own, in one run that was not counted."""

    @property
    def looks_different(self) -> bool:
        """Whether its picture differs, unless a budget says how much it may."""
        different = self.picture is not None and self.picture.outcome == "different"
        return different and not any(one.figure == "picture" for one in self.budgets)

    @property
    def less_accessible(self) -> bool:
        """Whether something is new in its accessibility, unless budgets say of which impact that may be."""
        new = self.accessibility is not None and self.accessibility.outcome == "new"
        return new and not any(one.figure.startswith("axe.") for one in self.budgets)

    @property
    def missed(self) -> bool:
        """Whether a budget is missed, it is slower than the baseline, looks different, or is less accessible."""
        slower = self.comparison is not None and self.comparison.outcome == "slower"
        return slower or self.looks_different or self.less_accessible or any(one.missed for one in self.budgets)


CostOutcome = Literal["costs", "saves", "nothing", "undecided"]


class Cost(Struct, frozen=True, kw_only=True):
    """One figure of a step with something, and with it blocked."""

    figure: str
    outcome: CostOutcome
    """`costs`: the site is slower or heavier with it; `nothing`: it is the same within the rule's tolerance (of times), or exactly."""
    without: float
    """The median."""
    present: float
    """The median with it."""
    interval: tuple[float, float]
    """Of the difference of the medians, at the rule's confidence (bootstrap)."""
    exact: bool = False
    """Whether the figure was the same in all runs of each side."""
    comparison: Comparison | None = None
    """Of times: the tests."""

    @property
    def difference(self) -> float:
        """What it costs."""
        return self.present - self.without


class BlockedStep(Struct, frozen=True, kw_only=True):
    """A step, or with an empty name all of them together, with something and with it blocked."""

    name: str
    costs: tuple[Cost, ...] = ()
    """Of `latency lcp bytes requests script.cpu`, those that were measured."""


class BlockCheck(Struct, frozen=True, kw_only=True):
    """What something costs that the site loads, from walks with it and without it."""

    name: str
    """The pattern of what was blocked, or the domain of one third party."""
    steps: tuple[BlockedStep, ...] = ()
    pairs: int = 0
    """Rounds in which the journey has passed with it and without."""
    runs: tuple[str, ...] = ()
    """Ids of the runs without it."""
    blocked_requests: int = 0
    """That were not sent in all of them; 0 where the pattern matches nothing."""
    given_up: bool = False
    """Whether the journey fails without it, so that its cost is not known."""
    failure: Failure | None = None
    """Of the first run without it that failed where the one with it passed."""
    failed_run: str | None = None
    failed_runs: int = 0


class UnusedFile(Struct, frozen=True, kw_only=True):
    """A script or a style sheet, and how much of it no step has used."""

    type: str
    url: str
    party: str
    """`first` or `third`; empty where that is not known."""
    bytes: int
    unused_bytes: int


class JourneyCheck(Struct, frozen=True, kw_only=True):
    """One journey of a smoke check."""

    name: str
    verdict: Verdict
    file: str = ""
    line: int = 0
    description: str = ""
    steps: tuple[StepCheck, ...] = ()
    whole: StepCheck = StepCheck(name="")
    """Figures, comparison and budgets of the journey as a whole: its duration, and sums over its steps."""
    runs: tuple[str, ...] = ()
    """Ids of the measured runs."""
    baseline_runs: tuple[str, ...] = ()
    """Ids of the runs against the other address, when both were measured."""
    flaky_runs: tuple[str, ...] = ()
    contended_runs: int = 0
    """How many were measured on a busy machine."""
    failure: Failure | None = None
    """Why the run failed that decided the verdict."""
    failed_run: str | None = None
    failed_folder: str | None = None
    failed_side: Literal["candidate", "baseline"] = "candidate"
    trace: str | None = None
    """Path of the failed run's trace."""
    quarantine: tuple[Quarantine, ...] = ()
    """What the settings say about setting the journey or its steps aside."""
    blocked: tuple[BlockCheck, ...] = ()
    """What was blocked to see what it costs."""
    unused: tuple[UnusedFile, ...] = ()
    """The files with the most unused bytes, from one run that was not counted; with `--coverage`."""
    coverage_run: str | None = None
    profile_run: str | None = None
    """Ids of the runs that were not counted, with coverage and with a CPU profile."""
    set_aside: bool = False
    """True when it has not passed, and all of that is in quarantine: then it does not decide the verdict of the whole check."""


class BaselineSource(Struct, frozen=True, kw_only=True):
    """What the candidate was compared with."""

    kind: Literal["saved", "against"]
    name: str
    """The file, name or address."""
    made_at: datetime | None = None
    environment: Environment = Environment()


class SmokeResult(Struct, frozen=True, kw_only=True):
    """One smoke check."""

    id: str
    """UUIDv7 (RFC 9562)."""
    verdict: Verdict
    started_at: datetime
    ended_at: datetime
    base_url: str | None
    location: str
    rule: Rule
    warm_up: int
    """Runs of each journey, on each side, that were not counted."""
    journeys: tuple[JourneyCheck, ...] = ()
    baseline: BaselineSource | None = None
    environment: Environment = Environment()
    fail_undecided: bool = False
    """Whether an `undecided` step counts as missed."""
    seed: int = 0
    """Of the order in which the two sides of each pair were measured."""
    stopped: bool = False
    """Whether it was ended from the keyboard, before it was done."""
    notes: tuple[str, ...] = ()
    pictures: str = ""
    """Path of the file with its pictures; empty if none were taken."""
    version: int = 1
