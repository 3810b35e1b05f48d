"""The result of a smoke check: frozen values, saved as JSON, from which every report is made.

Durations are seconds, sizes bytes. The runs themselves are saved in the archive like all others; they are named here by id.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from reports.compare import Comparison, Rule
from reports.compare.amounts import AmountComparison
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
    amounts: tuple[AmountComparison, ...] = ()
    """What it has received, compared with the baseline: bytes, requests and their parts. It is shown; only budgets of it count."""

    @property
    def looks_different(self) -> bool:
        """Whether its picture differs, unless a budget says how much it may."""
        different = self.picture is not None and self.picture.outcome == "different"
        return different and not any(one.figure == "picture" for one in self.budgets)

    @property
    def missed(self) -> bool:
        """Whether a budget is missed, it is slower than the baseline, or it looks different."""
        slower = self.comparison is not None and self.comparison.outcome == "slower"
        return slower or self.looks_different or any(one.missed for one in self.budgets)


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
