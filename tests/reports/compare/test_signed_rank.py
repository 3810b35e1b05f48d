"""The test for pairs, against SciPy's and against counting by hand."""

from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reports.compare import signed_rank
from tests.reports.compare.reference import stats
from tests.support.thorough import thorough_but

FloatArray = NDArray[np.float64]
SMALL = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=8)


def capped_sum(values: FloatArray, axis: int) -> FloatArray:
    """The positive ranks, none above a third of the number, rounded up."""
    ranks = stats().rankdata(np.abs(values), axis=axis)
    total: FloatArray = np.sum(np.minimum(ranks, np.ceil(values.shape[axis] / 3)) * (values > 0), axis=axis)
    return total


@pytest.mark.long
@pytest.mark.parametrize("pairs", thorough_but(4, [2, 3, 5, 8, 13]))
def test_it_agrees_with_scipys_count_of_all_choices_of_signs(pairs: int) -> None:
    chance = Random(pairs)
    for shift in (-0.5, 0.0, 0.5):
        values = [chance.gauss(shift, 1) for _ in range(pairs)]
        theirs = stats().permutation_test(
            (np.array(values),),
            capped_sum,
            permutation_type="samples",
            alternative="greater",
            n_resamples=2**14,
            vectorized=True,
        )
        assert signed_rank.p_above(values) == pytest.approx(theirs.pvalue, rel=1e-9)


@pytest.mark.long
@pytest.mark.parametrize("pairs", [18, 27, 40])
def test_without_a_cap_it_is_wilcoxons(pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed_rank, "capped", lambda pairs: range(1, pairs + 1))
    signed_rank._ways.cache_clear()
    chance = Random(pairs)
    for shift in (-0.5, 0.0, 0.5):
        values = [chance.gauss(shift, 1) for _ in range(pairs)]
        theirs = stats().wilcoxon(values, alternative="greater", method="exact").pvalue
        assert signed_rank.p_above(values) == pytest.approx(theirs, rel=1e-9)
    signed_rank._ways.cache_clear()


def test_a_pair_in_which_a_run_hung_weighs_no_more_than_the_larger_ones() -> None:
    usual = [0.01 * one for one in range(1, 18)]
    assert signed_rank.p_above([*usual, -30.0]) == signed_rank.p_above([*usual, -0.08]) < 0.001


@given(st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=6))
def test_with_ties_and_zeros_it_is_the_largest_p_that_breaking_them_can_give(values: list[float]) -> None:
    moves = product((-0.001, 0.001), repeat=len(values))
    broken = [signed_rank.p_above([one + by for one, by in zip(values, move, strict=True)]) for move in moves]
    assert signed_rank.p_above(values) == max(broken)


@given(SMALL)
def test_with_ties_its_error_stays_below_its_p(values: list[float]) -> None:
    # All choices of signs are equally likely when both sides are alike; so often may p be so small.
    found = [
        signed_rank.p_above([one * sign for one, sign in zip(values, signs, strict=True)])
        for signs in product((-1, 1), repeat=len(values))
    ]
    for p in set(found):
        assert sum(one <= p for one in found) / len(found) <= p


@given(SMALL, st.data())
def test_a_larger_difference_never_makes_it_less_sure(values: list[float], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(values) - 1))
    larger = [*values[:at], values[at] + data.draw(st.integers(1, 4)), *values[at + 1 :]]
    assert signed_rank.p_above(larger) <= signed_rank.p_above(values)


def test_all_pairs_one_way_is_as_seldom_as_so_many_coins_of_one_side() -> None:
    assert signed_rank.p_above([3.0] * 13) == 1 / 8192
    assert signed_rank.p_above([-3.0] * 13) == 1.0
    assert signed_rank.p_above([0.0] * 13) == 1.0


def test_the_largest_attainable_p_is_one_that_can_be_seen_and_the_next_is_too_large() -> None:
    for pairs in (8, 13, 27):
        seen = sorted({signed_rank.chance(pairs, ranks) for ranks in range(sum(signed_rank.capped(pairs)) + 1)})
        for at_most in (0.0001, 0.004, 0.02, 0.3):
            below = [one for one in seen if one <= at_most]
            assert signed_rank.attainable(pairs, at_most) == (below[-1] if below else 0.0)


def test_beyond_the_exact_size_the_normal_curve_errs_to_the_safe_side(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = signed_rank.EXACT
    for exact_p in (0.02, 0.001, 0.00001):
        ranks = next(one for one in range(sum(signed_rank.capped(pairs))) if signed_rank.chance(pairs, one) <= exact_p)
        exact = signed_rank.chance(pairs, ranks)
        with monkeypatch.context() as patch:
            patch.setattr(signed_rank, "EXACT", 0)
            assert exact <= signed_rank.chance(pairs, ranks) <= exact * 1.3
