"""What a comparison says, of data whose truth is plain and of data that are odd."""

from collections.abc import Sequence
from math import isfinite
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reports.compare import Comparison, Rule, decide
from reports.compare.spending import levels

RULE = Rule()
LAST = len(RULE.looks) - 1
LATENCY = st.floats(0.001, 60, allow_nan=False)
SOME = st.integers(1, 40)


def latencies(middle: float, runs: int, noise: float = 0.03, seed: int = 1) -> list[float]:
    chance = Random(f"{seed} {middle}")
    return [middle * chance.lognormvariate(0, noise) for _ in range(runs)]


def compared(baseline: Sequence[float], candidate: Sequence[float], rule: Rule = RULE, **options: Any) -> Comparison:
    return decide(baseline, candidate, rule, **{"look": LAST, "family": 5, "paired": True, **options})


@st.composite
def pairs(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    runs = draw(SOME)
    one_side = st.lists(LATENCY, min_size=runs, max_size=runs)
    return draw(one_side), draw(one_side)


@pytest.mark.parametrize("paired", [True, False])
class TestAClearCase:
    def test_half_as_long_again_is_slower_at_the_second_look(self, paired: bool) -> None:
        found = compared(latencies(0.2, 13), latencies(0.3, 13), look=1, paired=paired)
        assert found.outcome == "slower"
        assert found.interval[0] < found.ratio < found.interval[1]
        assert found.ratio == pytest.approx(1.5, rel=0.05)
        assert found.effect == 1.0

    def test_two_thirds_is_faster(self, paired: bool) -> None:
        found = compared(latencies(0.3, 13), latencies(0.2, 13), look=1, paired=paired)
        assert (found.outcome, found.effect) == ("faster", -1.0)

    def test_no_change_is_the_same_at_the_first_look(self, paired: bool) -> None:
        found = compared(latencies(0.2, 8), latencies(0.2, 8, seed=2), look=0, paired=paired)
        assert found.outcome == "same"
        assert found.p_changed <= found.miss_level

    def test_a_change_of_just_the_margin_is_undecided(self, paired: bool) -> None:
        assert compared(latencies(0.2, 40), latencies(0.22, 40, seed=2), paired=paired).outcome == "undecided"

    def test_much_noise_is_undecided(self, paired: bool) -> None:
        found = compared(latencies(0.2, 18, 0.8), latencies(0.2, 18, 0.8, seed=2), look=2, paired=paired)
        assert found.outcome == "undecided"


def test_what_is_smaller_than_a_frame_does_not_matter() -> None:
    baseline, candidate = latencies(0.030, 8), latencies(0.040, 8)
    assert compared(baseline, candidate, look=0).outcome == "same"
    assert compared(latencies(0.030, 13), latencies(0.040, 13), Rule(floor_seconds=0.0)).outcome == "slower"


def test_a_pair_measured_in_a_slow_moment_counts_as_any_other() -> None:
    drift = [1 + pair % 7 for pair in range(13)]
    baseline = [one * slow for one, slow in zip(latencies(0.2, 13), drift, strict=True)]
    candidate = [one * slow for one, slow in zip(latencies(0.26, 13), drift, strict=True)]
    assert compared(baseline, candidate, look=1).outcome == "slower"
    # The same figures without their pairs say nothing.
    assert compared(baseline, candidate, look=1, paired=False).outcome == "undecided"


def test_a_few_runs_that_hung_change_nothing() -> None:
    baseline, candidate = latencies(0.2, 18), latencies(0.2, 18, seed=2)
    baseline[3], candidate[7] = 30.0, 20.0
    assert compared(baseline, candidate, look=2).outcome == "same"
    assert compared(baseline, candidate, look=2, paired=False).outcome == "same"


def test_a_saved_baseline_may_have_any_size() -> None:
    for size, outcome in ((1, "undecided"), (8, "same"), (50, "same"), (200, "same")):
        found = compared(latencies(0.2, size), latencies(0.2, 13, seed=2), look=1, paired=False)
        assert (found.outcome, found.runs, found.test) == (outcome, (size, 13), "rank-sum")


CONSTANTS = [(0.1, 0.1, "same"), (0.0, 0.0, "same"), (0.1, 0.2, "slower"), (0.0, 0.1, "slower"), (0.1, 0.0, "faster")]


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize(("baseline", "candidate", "outcome"), CONSTANTS)
def test_constant_values_are_compared_as_they_are(baseline: float, candidate: float, outcome: str, paired: bool) -> None:
    for runs in (40, 200):
        found = compared([baseline] * runs, [candidate] * runs, paired=paired)
        assert found.outcome == outcome
        assert found.interval == (found.ratio, found.ratio)
        assert (found.baseline_seconds, found.candidate_seconds) == (baseline, candidate)


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize(("baseline", "candidate", "outcome"), CONSTANTS)
def test_three_runs_are_too_few_to_say_anything(baseline: float, candidate: float, outcome: str, paired: bool) -> None:
    for runs in (1, 2, 3):
        assert compared([baseline] * runs, [candidate] * runs, paired=paired).outcome == "undecided"


def test_a_latency_of_zero_counts_as_the_least_that_the_clock_can_tell() -> None:
    assert compared([0.0] * 8, [0.1] * 8).ratio == pytest.approx(1000)
    assert compared([0.0] * 8, [0.0] * 8).ratio == 1.0


@pytest.mark.long
@given(pairs(), st.booleans(), st.integers(0, LAST))
def test_swapping_the_sides_mirrors_what_is_said(sides: tuple[list[float], list[float]], paired: bool, look: int) -> None:
    one = compared(sides[0], sides[1], look=look, paired=paired)
    other = compared(sides[1], sides[0], look=look, paired=paired)
    assert other.outcome == {"slower": "faster", "faster": "slower"}.get(one.outcome, one.outcome)
    assert (other.p_slower, other.p_faster, other.p_changed) == (one.p_faster, one.p_slower, one.p_changed)
    assert other.effect == pytest.approx(-one.effect)
    # Which of two equal samples is drawn first cannot be told.
    assume(paired or sorted(sides[0]) != sorted(sides[1]))
    assert other.interval == pytest.approx((1 / one.interval[1], 1 / one.interval[0]))


@pytest.mark.long
@given(pairs(), st.booleans(), st.sampled_from([0.25, 2.0, 16.0]))
def test_without_a_floor_the_unit_does_not_matter(sides: tuple[list[float], list[float]], paired: bool, times: float) -> None:
    rule = Rule(floor_seconds=0.0)
    one = compared(sides[0], sides[1], rule, paired=paired)
    scaled = [[value * times for value in side] for side in sides]
    other = compared(scaled[0], scaled[1], rule, paired=paired)
    assert (other.outcome, other.p_slower, other.p_faster, other.p_changed, other.effect) == (
        one.outcome,
        one.p_slower,
        one.p_faster,
        one.p_changed,
        one.effect,
    )
    assert other.ratio == pytest.approx(one.ratio)
    assert other.interval == pytest.approx(one.interval)


@pytest.mark.long
@given(pairs(), st.booleans(), st.floats(0.0, 5.0), st.data())
def test_a_slower_candidate_is_never_less_slow(
    sides: tuple[list[float], list[float]], paired: bool, by: float, data: st.DataObject
) -> None:
    baseline, candidate = sides
    at = data.draw(st.integers(0, len(candidate) - 1))
    slower = [*candidate[:at], candidate[at] + by, *candidate[at + 1 :]]
    before, after = compared(baseline, candidate, paired=paired), compared(baseline, slower, paired=paired)
    assert after.p_slower <= before.p_slower
    assert after.p_faster >= before.p_faster
    assert after.effect >= before.effect


@pytest.mark.long
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.data(), st.booleans())
def test_every_answer_can_be_saved_and_read_again(baseline: list[float], data: st.DataObject, paired: bool) -> None:
    runs = len(baseline) if paired else data.draw(SOME)
    candidate = data.draw(st.lists(st.floats(0, 1e6), min_size=runs, max_size=runs))
    found = compared(baseline, candidate, paired=paired)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Comparison) == found
    assert all(isfinite(one) for one in (found.ratio, *found.interval, found.effect))
    assert found.interval[0] <= found.interval[1]
    assert compared(baseline, candidate, paired=paired) == found


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("looks", [RULE.looks, (5,), (1, 2, 3), (10, 20, 300)])
def test_the_levels_of_all_looks_add_up_to_the_rate_at_most(looks: tuple[int, ...], paired: bool) -> None:
    for rate in (0.5, 0.05, 0.01 / 2 / 23, 1e-6):
        assert min(levels(rate, looks, paired)) >= 0
        assert sum(levels(rate, looks, paired)) <= rate * (1 + 1e-12)


@pytest.mark.parametrize("family", [1, 5, 14, 23])
def test_slower_can_be_said_at_the_second_look(family: int) -> None:
    assert compared([0.2] * 13, [0.3] * 13, look=1, family=family).outcome == "slower"


@pytest.mark.parametrize(
    ("baseline", "candidate", "options", "message"),
    [
        ([], [], {}, "each side needs one"),
        ([0.1], [0.1, 0.2], {}, "are not pairs"),
        ([0.1], [0.1], {"look": 5}, "look 5 is not one of the 5"),
        ([0.1], [0.1], {"look": -1}, "look -1 is not one of the 5"),
        ([0.1], [0.1], {"family": 0}, "one step at least, not 0"),
        ([0.1], [-0.1], {}, "-0.1 is not a latency"),
        ([float("nan")], [0.1], {}, "nan is not a latency"),
        ([0.1], [float("inf")], {}, "inf is not a latency"),
    ],
)
def test_what_cannot_be_compared_is_said(
    baseline: list[float], candidate: list[float], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        compared(baseline, candidate, **options)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("tolerance", -0.1),
        ("tolerance", float("nan")),
        ("floor_seconds", float("inf")),
        ("alarm", 0.0),
        ("miss", 0.5),
        ("confidence", 1.0),
        ("looks", ()),
        ("looks", (0, 8)),
        ("looks", (8, 8)),
    ],
)
def test_a_rule_that_makes_no_sense_names_the_key(key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=key):
        Rule(**{key: value})
    with pytest.raises(msgspec.ValidationError, match=key):
        msgspec.convert({key: value}, Rule)
