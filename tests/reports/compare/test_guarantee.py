"""The two error rates, counted in a thousand made-up checks that look as often as they may."""

import pytest

from benchmarks.guarantee import WORLDS, changes, errors
from reports.compare import Rule
from tests.reports.compare.reference import stats

CHECKS = 1000
pytestmark = pytest.mark.thorough
RULE = Rule()


def at_most(rate: float, checks: int = CHECKS) -> int:
    """How many of the checks may go wrong by chance if the rate is true: more in one test of a hundred thousand."""
    return int(stats().binom.ppf(1 - 1e-5, checks, rate))


@pytest.mark.parametrize("paired", [True, False])
def test_no_change_is_hardly_ever_called_one(paired: bool) -> None:
    alarms, _ = errors(CHECKS, RULE, changes(RULE)["nothing"], paired, seed=11)
    assert alarms <= at_most(RULE.alarm)


@pytest.mark.parametrize(("change", "paired"), [("slower by the margin", True), ("faster by the margin", False)])
def test_at_the_margin_neither_error_is_more_frequent_than_it_may_be(change: str, paired: bool) -> None:
    alarms, same = errors(CHECKS, RULE, changes(RULE)[change], paired, seed=12)
    assert alarms <= at_most(RULE.alarm)
    assert {world.__name__: one for world, one in zip(WORLDS, same, strict=True) if one > at_most(RULE.miss)} == {}
    # Were no step at the edge of either error, this would show nothing.
    assert alarms > 0
    assert max(same) > CHECKS * 0.01


def test_a_rule_that_allows_more_errs_more_often() -> None:
    # So the counts above would show a rule that does not hold what it says.
    lax, checks = Rule(alarm=0.4, miss=0.4), CHECKS // 4
    alarms, same = errors(checks, lax, changes(lax)["slower by the margin"], True, seed=12)
    assert alarms > at_most(RULE.alarm, checks)
    assert max(same) > at_most(RULE.miss, checks)
