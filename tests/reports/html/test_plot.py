"""Where things lie in the drawings."""

import math
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reports.compare import Rule
from reports.formats.html.plot import LEFT, RIGHT, WIDTH, draw_ratio, draw_strip
from reports.smoke.result import StepCheck
from tests.reports.samples import SMOKES, budget, step

RULE = Rule(floor_seconds=0.02)
seconds = st.floats(0, 1e5, allow_nan=False)


def test_the_tolerance_lies_around_the_baselines_median() -> None:
    drawn = draw_strip(step("pay", 0.54, before=0.4, outcome="slower"), RULE)
    assert drawn is not None
    assert drawn.band is not None
    before, after = drawn.series
    assert sum(drawn.band) / 2 == pytest.approx(before.median, abs=0.2)
    assert after.median > drawn.band[1]
    assert (before.name, after.name, len(after.dots)) == ("baseline", "candidate", 12)


def test_the_floor_widens_the_tolerance_of_a_fast_step() -> None:
    fast, slow = (draw_ratio(step("a", middle, before=middle), RULE) for middle in (0.05, 0.5))
    assert fast is not None
    assert slow is not None
    assert "tolerated -40 % to +40 %" in fast.title
    assert "tolerated -10 % to +10 %" in slow.title


def test_no_axis_shows_a_time_below_zero() -> None:
    drawn = draw_strip(step("a", 0.01, before=0.01), RULE)
    assert drawn is not None
    assert drawn.band is not None
    assert drawn.band[0] >= LEFT
    assert [tick.label for tick in drawn.ticks if tick.label.startswith("-")] == []


def test_without_a_baseline_there_is_one_row_and_no_ratio() -> None:
    alone = step("a")
    drawn = draw_strip(alone, RULE)
    assert drawn is not None
    assert ([one.name for one in drawn.series], drawn.band, draw_ratio(alone, RULE)) == (["runs"], None, None)


def test_a_bound_that_is_far_off_does_not_press_the_values_together() -> None:
    near, far = (draw_strip(step("a", budgets=[budget(0.1, bound)]), RULE) for bound in (0.15, 5.0))
    assert near is not None
    assert far is not None
    assert (len(near.budgets), len(far.budgets)) == (1, 0)


def test_a_journey_as_a_whole_is_drawn_by_its_duration() -> None:
    drawn = draw_strip(SMOKES["over"].journeys[0].whole, RULE)
    assert drawn is not None
    assert drawn.title.startswith("duration: runs median 0.908 s")


def test_a_ratio_below_one_lies_left_of_it_as_far_as_its_inverse_lies_right() -> None:
    slower = step("a", 0.5, before=0.4, outcome="slower")
    assert slower.comparison is not None
    doubled = draw_ratio(replace(slower, comparison=replace(slower.comparison, ratio=2.0, interval=(1.5, 3.0))), RULE)
    halved = draw_ratio(replace(slower, comparison=replace(slower.comparison, ratio=0.5, interval=(1 / 3, 2 / 3))), RULE)
    assert doubled is not None
    assert halved is not None
    assert doubled.ratio - doubled.one == pytest.approx(halved.one - halved.ratio, abs=0.2)


@pytest.mark.parametrize("broken", [math.nan, math.inf, 0.0])
def test_a_ratio_that_is_none_is_not_drawn(broken: float) -> None:
    one = step("a", 0.5, before=0.4)
    assert one.comparison is not None
    assert draw_ratio(replace(one, comparison=replace(one.comparison, ratio=broken)), RULE) is None


@given(st.lists(seconds, min_size=1, max_size=60), st.lists(seconds, max_size=60))
def test_every_value_lies_in_the_drawing_in_the_order_of_the_axis(after: list[float], before: list[float]) -> None:
    one = StepCheck(name="a", figures={"latency": tuple(after)}, baseline_figures={"latency": tuple(before)})
    drawn = draw_strip(one, RULE)
    assert drawn is not None
    assert 1 <= len(drawn.ticks) <= 12
    for series, values in zip(drawn.series, [values for values in (before, after) if values], strict=True):
        places = [dot.x for dot in series.dots]
        assert len(places) == len(values)
        assert places == sorted(places)
        assert all(LEFT <= x <= WIDTH - RIGHT for x in (*places, series.median))
        assert all(0 <= dot.y <= drawn.height - 18 for dot in series.dots)
        assert series.label == f"{median(values):.3f} s"
