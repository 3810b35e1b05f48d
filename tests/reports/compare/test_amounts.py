"""What can be counted: a difference that repeats needs no test, noise is judged by ranks."""

import pytest

from reports.compare import Rule
from reports.compare.amounts import compare_amounts

NOISY = [100.0, 130, 90, 120, 110, 140, 95, 125, 105, 135, 115, 98, 122]


@pytest.mark.parametrize(
    ("baseline", "candidate", "outcome"),
    [([5.0] * 3, [6.0] * 3, "more"), ([5.0] * 3, [4.0] * 3, "less"), ([5.0] * 3, [5.0] * 3, "same")],
)
@pytest.mark.parametrize("paired", [True, False])
def test_a_difference_that_repeats_is_exact(
    baseline: list[float], candidate: list[float], outcome: str, *, paired: bool
) -> None:
    found = compare_amounts("bytes", baseline, candidate, Rule(), 3, paired)
    assert (found.outcome, found.exact, found.p) == (outcome, True, None)
    assert found.interval == (found.difference, found.difference)


def test_two_runs_do_not_repeat() -> None:
    assert compare_amounts("bytes", [5.0, 5], [6.0, 6], Rule(), 1, paired=True).outcome == "varies"


def test_noise_is_judged_by_ranks() -> None:
    more = compare_amounts("bytes", NOISY, [one + 50 for one in NOISY], Rule(), 1, paired=True)
    assert (more.outcome, more.exact) == ("more", False)
    assert more.p == 1 / 2**13
    assert more.interval[0] <= 50 <= more.interval[1]
    assert compare_amounts("bytes", NOISY, [*NOISY[1:], NOISY[0]], Rule(), 1, paired=True).outcome == "varies"
    # So many figures need more runs.
    assert compare_amounts("bytes", NOISY, [one + 50 for one in NOISY], Rule(), 30, paired=True).outcome == "varies"


def test_nothing_on_one_side_has_no_ratio_and_no_trouble() -> None:
    found = compare_amounts("font.bytes", [0.0] * 4, [900.0] * 4, Rule(), 0, paired=False)
    assert (found.outcome, found.difference) == ("more", 900.0)
