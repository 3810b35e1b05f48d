"""What a comparison is asked, and what it answers."""

from typing import Literal

from msgspec import Struct

Outcome = Literal["faster", "same", "slower", "undecided"]
Test = Literal["signed-rank", "rank-sum"]


class Rule(Struct, frozen=True, kw_only=True):
    """When a difference is one.

    `slower` is said when the candidate's latency is above the baseline's by more than the tolerance, `faster` when it is below
    by more than that, `same` when it is neither; each only with its error rate, which holds for all steps and all looks of one
    check together.
    """

    tolerance: float = 0.10
    """Share of the baseline by which a latency may change without mattering."""
    floor_seconds: float = 0.0
    """A difference of less than this does not matter either, whatever its share."""
    alarm: float = 0.01
    """The most that the chance of any `slower` or `faster` may be, in a check in which nothing has changed beyond the tolerance."""
    miss: float = 0.05
    """The most that the chance of any `same` may be where the latency has changed beyond the tolerance."""
    confidence: float = 0.95
    """Of the interval that is shown."""
    looks: tuple[int, ...] = (8, 12, 18, 27, 40)
    """After how many measured runs a decision may be made; after the last, what is not clear is `undecided`."""


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
    """Of the test against 'not slower beyond the tolerance'."""
    p_faster: float
    """Of the test against 'not faster beyond the tolerance'."""
    p_changed: float
    """Of the test against 'changed beyond the tolerance'; small means the same."""
