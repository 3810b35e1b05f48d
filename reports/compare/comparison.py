"""What a comparison is asked, and what it answers."""

from itertools import pairwise
from math import inf
from typing import Literal

from msgspec import Struct

Outcome = Literal["faster", "same", "slower", "undecided"]
Test = Literal["signed-rank", "rank-sum"]


class Rule(Struct, frozen=True, kw_only=True):
    """When a difference is one.

    `slower` is said when the candidate's latency is above the baseline's by more than the margin, `faster` when it is below by
    more than that, `same` when it is neither; each only with its error rate, which holds over all looks of a check. The margin is
    the tolerance or the floor, whichever is more.
    """

    tolerance: float = 0.10
    """Share of the baseline by which a latency may change without mattering."""
    floor_seconds: float = 0.017
    """A difference of less than this does not matter either, whatever its share.

    A frame at 60 Hz is 16.7 ms. A user sees nothing before the next one, pages that draw in animation callbacks change by whole
    frames, however small the cause, and two loads of one unchanged page differ by as much (docs/fidelity.md).
    """
    alarm: float = 0.01
    """The most that the chance of any `slower` or `faster` may be, in a check in which nothing has changed beyond the margin."""
    miss: float = 0.05
    """The most that the chance of `same` may be, for each step whose latency has changed beyond the margin."""
    confidence: float = 0.95
    """Of the interval that is shown."""
    looks: tuple[int, ...] = (8, 13, 18, 27, 40)
    """After how many measured runs a decision may be made; after the last, what is not clear is `undecided`.

    Eight pairs can say `same`. Thirteen are the fewest that can say `slower` where 23 steps or fewer are compared: if nothing has
    changed, all thirteen point one way once in 8192 times, which has to be seldom enough for all steps together.
    """

    def __post_init__(self) -> None:
        for key in ("tolerance", "floor_seconds"):
            if not 0 <= getattr(self, key) < inf:
                raise ValueError(f"{key} is {getattr(self, key)}; it must be 0 or more")
        for key, most in (("alarm", 0.5), ("miss", 0.5), ("confidence", 1.0)):
            if not 0 < getattr(self, key) < most:
                raise ValueError(f"{key} is {getattr(self, key)}; it must be above 0 and below {most:g}")
        if not self.looks or self.looks[0] < 1 or any(later <= one for one, later in pairwise(self.looks)):
            raise ValueError(
                f"looks are {list(self.looks)}; they must be numbers of runs, 1 or more, each above the one before"
            )


class Comparison(Struct, frozen=True, kw_only=True):
    """One step's latency, candidate against baseline."""

    outcome: Outcome
    test: Test
    """`signed-rank` for runs in pairs (Wilcoxon), `rank-sum` for a saved baseline (Mann–Whitney)."""
    runs: tuple[int, int]
    """How many measurements: of the baseline, of the candidate."""
    baseline_seconds: float
    """The median."""
    candidate_seconds: float
    """The median."""
    ratio: float
    """Of the medians, candidate to baseline."""
    interval: tuple[float, float]
    """Bootstrap interval of that ratio, with the rule's confidence."""
    effect: float
    """From -1 (every candidate faster) to 1 (every candidate slower): Cliff's delta, or the rank-biserial correlation of pairs."""
    p_slower: float
    """Of the test against 'not slower beyond the margin', at this look alone."""
    p_faster: float
    """Of the test against 'not faster beyond the margin'."""
    p_changed: float
    """Of the test against 'changed beyond the margin'; small means the same."""
    alarm_level: float = 0.0
    """`slower` and `faster` are said at this look if their p is not above it."""
    miss_level: float = 0.0
    """`same` is said at this look if `p_changed` is not above it."""
