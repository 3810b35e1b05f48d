"""The test for a saved baseline, against SciPy's and against counting by hand."""

from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.compare import rank_sum
from tests.reports.compare.reference import stats
from tests.support.thorough import thorough_but

FEW = st.lists(st.integers(0, 4).map(float), min_size=1, max_size=5)


@pytest.mark.long
@pytest.mark.parametrize(("first", "second"), thorough_but(2, [(1, 1), (3, 5), (8, 8), (20, 8), (40, 40), (60, 13)]))
def test_it_agrees_with_scipy_where_there_are_no_ties(first: int, second: int) -> None:
    chance = Random(first * second)
    for shift in (-0.5, 0.0, 0.5):
        low, high = [chance.gauss(0, 1) for _ in range(first)], [chance.gauss(shift, 1) for _ in range(second)]
        theirs = stats().mannwhitneyu(high, low, alternative="greater", method="exact").pvalue
        assert rank_sum.p_above(low, high) == pytest.approx(theirs, rel=1e-9)


@given(FEW, FEW)
def test_with_ties_its_error_stays_below_its_p(low: list[float], high: list[float]) -> None:
    # Every way to deal the values to the two sides is equally likely when both are alike.
    values, found = low + high, []
    for chosen in combinations(range(len(values)), len(low)):
        rest = [one for at, one in enumerate(values) if at not in chosen]
        found.append(rank_sum.p_above([values[at] for at in chosen], rest))
    for p in set(found):
        assert sum(one <= p for one in found) / len(found) <= p * (1 + 1e-12)


@given(FEW, FEW, st.data())
def test_a_slower_run_never_makes_it_less_sure(low: list[float], high: list[float], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(high) - 1))
    slower = [*high[:at], high[at] + data.draw(st.integers(1, 4)), *high[at + 1 :]]
    assert rank_sum.p_above(low, slower) <= rank_sum.p_above(low, high)


def test_two_equal_samples_show_nothing() -> None:
    assert rank_sum.p_above([2.0] * 20, [2.0] * 20) == 1.0


@pytest.mark.long
def test_beyond_the_exact_size_the_normal_curve_errs_to_the_safe_side(monkeypatch: pytest.MonkeyPatch) -> None:
    for first, second in ((100, 100), (400, 40), (5000, 13)):
        assert min(first, second) ** 2 * max(first, second) <= rank_sum.EXACT
        for exact_p in (0.02, 0.001, 0.0001):
            low, high = first * second // 2, first * second
            while low < high:
                middle = (low + high) // 2
                low, high = (low, middle) if rank_sum.chance(first, second, middle) <= exact_p else (middle + 1, high)
            exact = rank_sum.chance(first, second, low)
            with monkeypatch.context() as patch:
                patch.setattr(rank_sum, "EXACT", 0)
                assert exact <= rank_sum.chance(first, second, low) <= exact * 2
