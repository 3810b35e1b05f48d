"""The interval that is shown, and the effect."""

from random import Random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.compare import effect, interval
from tests.reports.compare.reference import stats

VALUES = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=12)


@pytest.mark.thorough
@pytest.mark.parametrize("paired", [True, False])
def test_it_agrees_with_scipys_bootstrap(paired: bool) -> None:
    chance = Random(5)
    baseline = [chance.lognormvariate(-2, 0.3) for _ in range(40)]
    candidate = [one * chance.lognormvariate(0.2, 0.2) for one in baseline]

    def statistic(one: list[float], other: list[float]) -> float:
        return median(other) / median(one)

    theirs = (
        stats()
        .bootstrap(
            (baseline, candidate), statistic, paired=paired, vectorized=False, method="percentile", n_resamples=4000, rng=1
        )
        .confidence_interval
    )
    assert interval.ratio(baseline, candidate, 0.95, paired) == pytest.approx((theirs.low, theirs.high), rel=0.03)


@pytest.mark.thorough
def test_it_holds_the_truth_about_as_often_as_it_says() -> None:
    chance, held = Random(1), 0
    for _ in range(200):
        baseline = [chance.lognormvariate(-2, 0.1) for _ in range(18)]
        candidate = [1.2 * chance.lognormvariate(-2, 0.1) for _ in range(18)]
        low, high = interval.ratio(baseline, candidate, 0.95, paired=False)
        held += low <= 1.2 <= high
    assert 0.92 <= held / 200 <= 0.995


def test_less_confidence_is_a_narrower_interval() -> None:
    baseline, candidate = [0.1 + 0.01 * one for one in range(20)], [0.1 + 0.013 * one for one in range(20)]
    wide, narrow = (interval.ratio(baseline, candidate, one, paired=False) for one in (0.95, 0.5))
    assert wide[0] < narrow[0] <= narrow[1] < wide[1]


@given(VALUES, VALUES)
def test_the_effect_is_the_share_of_comparisons_won_less_those_lost(baseline: list[float], candidate: list[float]) -> None:
    balance = [(after > before) - (after < before) for after in candidate for before in baseline]
    assert effect.cliff(baseline, candidate) == pytest.approx(sum(balance) / len(balance))


@pytest.mark.long
@given(VALUES)
def test_the_effect_of_pairs_is_the_positive_ranks_less_the_negative(differences: list[float]) -> None:
    ranks = stats().rankdata([abs(one) for one in differences])
    expected = sum(rank * ((one > 0) - (one < 0)) for rank, one in zip(ranks, differences, strict=True)) / sum(ranks)
    assert effect.rank_biserial(differences) == pytest.approx(expected)
