"""How a smoke check goes on, when it ends, and what it says: decided of runs whose figures are known."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from reports.formats.html.smoke import smoke_html
from reports.formats.junit import smoke_junit
from reports.formats.markdown import smoke_markdown
from reports.smoke import verdict
from reports.smoke.baseline import Baseline, JourneyBaseline
from reports.smoke.check import Check, reference
from reports.smoke.question import Question, looks, rule
from reports.smoke.result import SmokeResult
from reports.terminal.smoke_summary import render_smoke
from reports.text.amount_text import list_weight_lines
from reports.text.headline import format_headline
from runner.archive.run_id import run_id
from runner.dsl.plan import Plan
from runner.events import RunEnded
from runner.result import Environment, Requests, Weight
from runner.settings.load_settings import load_settings
from runner.settings.sections.budgets import parse_budgets
from tests.reports.smoke.measured import (
    CANDIDATE,
    NOW,
    QUICK,
    REFERENCE,
    check,
    failed,
    journeys,
    one_after_the_other,
    run,
    sides,
)


def saved(open_: float = 0.1, **steps: float) -> Baseline:
    figures = {name: {"latency": tuple(value + n / 1e6 for n in range(8))} for name, value in {"open": open_, **steps}.items()}
    return Baseline(
        made_at=datetime(2026, 5, 1, tzinfo=UTC), journeys={"buy": JourneyBaseline(steps=figures)}, location="local"
    )


def outcomes(result: SmokeResult) -> dict[str, str]:
    return {
        step.name: step.comparison.outcome if step.comparison else step.note for one in result.journeys for step in one.steps
    }


def test_without_a_baseline_each_journey_is_run_so_many_times(tmp_path: Path) -> None:
    result, rounds = check(tmp_path, sides(0.1, 0.1), ("buy", "look"), runs=3, warm_up=2)
    assert [one.name for one in rounds] == ["warm-up 1 of 2", "warm-up 2 of 2", "round 1 of 3", "round 2 of 3", "round 3 of 3"]
    assert [len(one.runs) for one in result.journeys] == [3, 3]
    assert len(result.journeys[0].steps[0].figures["latency"]) == 3
    assert (result.verdict, format_headline(result)) == ("passed", "passed: 2 journeys in 3 runs each")


@pytest.mark.long
def test_journeys_take_turns_and_so_do_the_two_sides_in_a_random_order(tmp_path: Path) -> None:
    asked: list[tuple[str, bool]] = []
    made = sides(0.1, 0.1)

    def noted(of: Plan) -> RunEnded:
        asked.append((of.journey, of.base_url == CANDIDATE))
        return made(of)

    check(tmp_path, noted, ("buy", "look"), against=REFERENCE, seed=1)
    pairs = [asked[at : at + 2] for at in range(0, len(asked), 2)]
    assert [pair[0][0] for pair in pairs[:4]] == ["buy", "look", "buy", "look"]
    assert all(pair[0][0] == pair[1][0] and {side for _, side in pair} == {True, False} for pair in pairs)
    assert {pair[0][1] for pair in pairs} == {True, False}
    first = list(asked)
    asked.clear()
    check(tmp_path, noted, ("buy", "look"), against=REFERENCE, seed=1)
    assert asked == first
    asked.clear()
    check(tmp_path, noted, ("buy", "look"), against=REFERENCE, seed=2)
    assert asked != first


def test_slower_than_the_other_site_is_missed_and_the_first_line_says_by_how_much(tmp_path: Path) -> None:
    result, rounds = check(tmp_path, sides(2.63, 2.14), against=REFERENCE)
    assert (result.verdict, outcomes(result)) == ("missed", {"open": "slower", "pay": "slower"})
    assert format_headline(result) == (
        f"missed: buy, step “open”: 23 % slower than {REFERENCE} (2.140 s → 2.630 s, +23 % to +23 %, 5 and 5 runs), 1 of 1 journey"
    )
    assert (len(rounds), rounds[-1].decided) == (5, (2, 2))
    assert (result.baseline and result.baseline.kind, result.baseline and result.baseline.environment.base_url) == (
        "against",
        REFERENCE,
    )
    (one,) = result.journeys
    assert (len(one.runs), len(one.baseline_runs)) == (5, 5)
    assert one.whole.baseline_figures["duration"][0] < one.whole.figures["duration"][0]


def test_the_same_as_the_other_site_passes_at_the_first_look(tmp_path: Path) -> None:
    result, rounds = check(tmp_path, sides(1.0, 1.0), against=REFERENCE)
    assert (result.verdict, outcomes(result), len(rounds)) == ("passed", {"open": "same", "pay": "same"}, 5)
    assert format_headline(result) == f"passed: 1 journey, no step is more than 10 % slower than {REFERENCE}"


def test_faster_passes(tmp_path: Path) -> None:
    result, _ = check(tmp_path, sides(1.0, 2.0), against=REFERENCE)
    assert (result.verdict, outcomes(result)) == ("passed", {"open": "faster", "pay": "faster"})


@pytest.mark.parametrize(("fail", "said"), [(False, "passed"), (True, "missed")])
def test_what_is_never_clear_is_undecided_after_the_last_look(tmp_path: Path, fail: bool, said: str) -> None:
    result, rounds = check(tmp_path, sides(1.0, 1.0, noise=0.2), against=REFERENCE, fail_undecided=fail)
    assert (result.verdict, set(outcomes(result).values()), len(rounds)) == (said, {"undecided"}, 8)
    if fail:
        assert format_headline(result).startswith(f"missed: buy, step “open”: undecided against {REFERENCE}, too close ")
    else:
        assert format_headline(result).startswith("nothing decided: 1 journey, 2 of 2 steps undecided")


def in_opposite_directions(candidate: float) -> Callable[[Plan], RunEnded]:
    """Two steps, of which one takes as much longer as the other takes less: each is noisy, and both together are not."""
    counts = {CANDIDATE: 0, REFERENCE: 0}

    def made(of: Plan) -> RunEnded:
        base = of.base_url or CANDIDATE
        counts[base] += 1
        shift = (0.4 if counts[base] % 2 else -0.4) * (1 if base == CANDIDATE else -1)
        value = candidate if base == CANDIDATE else 1.0
        return run(of, {"open": value + shift + counts[base] / 1e6, "pay": value - shift})

    return made


def test_a_journey_is_compared_as_a_whole_which_is_steadier_than_its_steps(tmp_path: Path) -> None:
    result, rounds = check(tmp_path, in_opposite_directions(1.2), against=REFERENCE)
    whole = result.journeys[0].whole.comparison
    assert (set(outcomes(result).values()), whole and whole.outcome) == ({"undecided"}, "slower")
    assert (result.verdict, len(rounds)) == ("missed", 8)
    assert format_headline(result).startswith(
        f"missed: buy: all steps together 20 % slower than {REFERENCE} (2.000 s → 2.400 s"
    )


@pytest.mark.parametrize("fail", [False, True])
def test_a_whole_that_is_the_same_is_told_where_no_step_is_decided(tmp_path: Path, fail: bool) -> None:
    result, _ = check(tmp_path, in_opposite_directions(1.0), against=REFERENCE, fail_undecided=fail)
    assert result.journeys[0].whole.comparison
    assert result.journeys[0].whole.comparison.outcome == "same"
    assert result.verdict == ("missed" if fail else "passed")
    if not fail:
        assert format_headline(result) == (
            f"passed: 1 journey, 2 of 2 steps undecided, all steps together not more than 10 % slower than {REFERENCE}"
        )


@pytest.mark.long
def test_an_undecided_whole_fails_nothing_and_is_not_waited_for(tmp_path: Path) -> None:
    clear, count = sides(1.0, 1.0), 0

    def made(of: Plan) -> RunEnded:
        nonlocal count
        count += 1
        # A step that only the first walks have is noisy, and each walk that lacks it leaves the sum without a pair.
        both = {step.name: step.latency_seconds or 0.0 for step in clear(of).result.steps}
        return run(of, both if count <= 2 else {"open": both["open"]})

    result, rounds = check(tmp_path, made, against=REFERENCE, fail_undecided=False)
    whole = result.journeys[0].whole.comparison
    assert outcomes(result)["open"] == "same"
    assert whole is None or whole.outcome == "undecided"
    assert (result.verdict, rounds[-1].decided) == ("passed", (1, 2))


def test_a_journey_of_one_step_is_compared_as_that_step(tmp_path: Path) -> None:
    result, _ = check(tmp_path, lambda of: run(of, {"open": 1.0}), against=REFERENCE)
    assert (outcomes(result), result.journeys[0].whole.comparison) == ({"open": "same"}, None)


def test_against_a_saved_baseline_the_whole_is_compared_where_the_steps_are_the_same(tmp_path: Path) -> None:
    before = saved(0.1, pay=0.2)
    whole = {"latency": tuple(0.3 + n / 1e6 for n in range(8))}
    journey = replace(before.journeys["buy"], whole=whole)
    result, _ = check(tmp_path, sides(0.3, 0.3), saved=replace(before, journeys={"buy": journey}))
    assert result.journeys[0].whole.comparison
    assert result.journeys[0].whole.comparison.outcome == "slower"
    result, _ = check(tmp_path, sides(0.3, 0.3), saved=saved(0.1))
    assert result.journeys[0].whole.comparison is None


def test_a_decided_step_keeps_its_outcome_while_the_others_are_measured_on(tmp_path: Path) -> None:
    count = 0

    def made(of: Plan) -> RunEnded:
        nonlocal count
        count += 1
        noisy = 1.0 + (0.2 if count % 4 in {0, 1} else -0.2)
        # From the sixth round on, what was clearly slower is not any more.
        clear = 2.0 if of.base_url == CANDIDATE and count <= 10 else 1.0
        return run(of, {"open": clear, "pay": noisy})

    result, rounds = check(tmp_path, made, against=REFERENCE)
    assert outcomes(result) == {"open": "slower", "pay": "undecided"}
    (one,) = result.journeys
    assert one.steps[0].comparison
    assert one.steps[0].comparison.runs == (5, 5)
    assert (len(rounds), len(one.steps[0].figures["latency"])) == (8, 8)


def test_a_journey_whose_steps_are_decided_is_not_measured_further(tmp_path: Path) -> None:
    clear, noisy = sides(1.0, 1.0), sides(1.0, 1.0, noise=0.2)
    result, rounds = check(
        tmp_path, lambda of: (clear if of.journey == "buy" else noisy)(of), ("buy", "look"), against=REFERENCE
    )
    assert [len(one.runs) for one in result.journeys] == [5, 8]
    assert [len(one.runs) for one in rounds] == [2] * 5 + [1] * 3


def test_a_failed_journey_is_not_measured_further_and_the_others_go_on(tmp_path: Path) -> None:
    made = one_after_the_other(failed, lambda of: run(of, {"open": 0.1, "pay": 0.1}))
    result, _ = check(tmp_path, made, ("buy", "look"), runs=3)
    assert [(one.verdict, len(one.runs)) for one in result.journeys] == [("failed", 1), ("passed", 3)]
    assert (result.verdict, format_headline(result)) == ("failed", "failed: buy, step “pay”: it is not there, 1 of 2 journeys")
    (buy, _) = result.journeys
    assert (buy.failed_run, buy.failed_folder) == (buy.runs[0], f"/runs/{buy.runs[0]}")
    assert buy.failure
    assert buy.failure.kind == "assertion"


def test_with_keep_going_it_is_measured_to_its_end_and_fails_all_the_same(tmp_path: Path) -> None:
    made = one_after_the_other(failed, lambda of: run(of, {"open": 0.1, "pay": 0.1}))
    result, _ = check(tmp_path, made, runs=3, keep_going=True)
    (buy,) = result.journeys
    assert (buy.verdict, len(buy.runs), len(buy.whole.figures["duration"])) == ("failed", 3, 2)


def test_an_error_of_the_monitor_is_not_a_failure_of_the_site(tmp_path: Path) -> None:
    result, _ = check(tmp_path, lambda of: failed(of, "error"))
    assert (result.verdict, format_headline(result)) == ("error", "error: buy, step “pay”: it is not there, 1 of 1 journey")


def test_a_failure_comes_before_an_error_and_an_error_before_a_miss(tmp_path: Path) -> None:
    slow = parse_budgets({"*": {"duration": "10ms"}})

    def made(of: Plan) -> RunEnded:
        return {"buy": lambda: failed(of, "error"), "look": lambda: failed(of)}.get(of.journey, lambda: run(of, {"open": 1}))()

    assert check(tmp_path, made, ("slow", "buy", "look"), budgets=slow)[0].verdict == "failed"
    assert check(tmp_path, made, ("slow", "buy"), budgets=slow)[0].verdict == "error"
    assert check(tmp_path, made, ("slow",), budgets=slow)[0].verdict == "missed"


def test_a_broken_reference_is_an_error_of_which_nothing_can_be_said(tmp_path: Path) -> None:
    good = sides(0.1, 0.1)
    result, _ = check(tmp_path, lambda of: failed(of) if of.base_url == REFERENCE else good(of), against=REFERENCE)
    (buy,) = result.journeys
    assert (result.verdict, buy.failed_side, len(buy.runs), len(buy.baseline_runs)) == ("error", "baseline", 1, 1)
    assert format_headline(result).startswith(
        f"error: buy, step “pay”: not passed on the reference site {REFERENCE}, so nothing can be said: it is not"
    )


def test_a_site_that_fails_is_told_first_where_the_reference_fails_too(tmp_path: Path) -> None:
    result, _ = check(tmp_path, failed, against=REFERENCE)
    assert (result.verdict, result.journeys[0].failed_side) == ("failed", "candidate")


def test_against_a_saved_baseline_only_the_candidate_is_measured(tmp_path: Path) -> None:
    result, rounds = check(tmp_path, sides(0.2, 9), saved=saved(0.1, pay=0.2), saved_name="main")
    assert outcomes(result) == {"open": "slower", "pay": "same"}
    (buy,) = result.journeys
    assert (len(buy.runs), buy.baseline_runs, len(rounds)) == (5, (), 5)
    assert buy.steps[0].comparison
    assert buy.steps[0].comparison.test == "rank-sum"
    assert format_headline(result) == (
        "missed: buy, step “open”: 100 % slower than main (0.100 s → 0.200 s, +100 % to +100 %, 8 and 5 runs), 1 of 1 journey"
    )


def test_a_step_on_one_side_alone_is_a_note_and_no_failure(tmp_path: Path) -> None:
    result, _ = check(tmp_path, sides(0.1, 9), saved=saved(0.1, checkout=3.0), saved_name="main")
    assert result.verdict == "passed"
    assert outcomes(result) == {
        "open": "same",
        "pay": "the baseline has no step of this name",
        "checkout": "only the baseline has a step of this name",
    }


def test_a_journey_that_the_baseline_lacks_is_a_note_and_run_as_without_one(tmp_path: Path) -> None:
    result, _ = check(tmp_path, sides(0.1, 9), ("buy", "look"), saved=saved(0.1, pay=0.1), saved_name="main", runs=2)
    assert [(one.verdict, len(one.runs)) for one in result.journeys] == [("passed", 5), ("passed", 2)]
    assert "the baseline has no journey 'look': it was not compared" in result.notes
    assert result.journeys[1].whole.note == "the baseline has no journey of this name"


def test_a_baseline_measured_otherwise_is_a_note(tmp_path: Path) -> None:
    other = Baseline(
        made_at=NOW,
        journeys=saved(0.1, pay=0.1).journeys,
        environment=Environment(browser="chromium 150", base_url="http://old.example", runner="1"),
        location="office",
    )
    result, _ = check(tmp_path, sides(0.1, 9), saved=other, saved_name="main", location="ci")
    (note,) = result.notes
    assert note == (
        "the baseline was measured otherwise: browser chromium 150 → chromium 156, "
        f"base URL http://old.example → {CANDIDATE}, location office → ci"
    )


def test_crowded_and_flaky_runs_are_counted_and_told(tmp_path: Path) -> None:
    made = one_after_the_other(lambda of: run(of, {"open": 0.1}, contended=True, attempts=2), lambda of: run(of, {"open": 0.1}))
    result, _ = check(tmp_path, made, runs=3)
    (buy,) = result.journeys
    assert (buy.contended_runs, buy.flaky_runs, result.verdict) == (1, buy.runs[:1], "passed")
    assert result.notes == (
        "buy is flaky: 1 of 3 runs passed only at a later attempt",
        "latencies may be too high, as the machine was crowded in 1 of 3 runs of buy",
    )


def test_a_warm_up_run_that_fails_is_told_and_not_counted(tmp_path: Path) -> None:
    result, _ = check(tmp_path, one_after_the_other(failed, lambda of: run(of, {"open": 0.1, "pay": 1.0})), warm_up=1, runs=2)
    assert (result.verdict, len(result.journeys[0].runs)) == ("passed", 2)
    assert result.notes[0].startswith("a warm-up run of buy ended failed in step 'pay' and was not counted (run ")


def test_a_stopped_check_has_not_passed_and_knows_what_it_had(tmp_path: Path) -> None:
    good = sides(0.1, 0.1)

    def made(of: Plan) -> RunEnded:
        if len(begun.measurements[0].candidate) == 2:
            raise KeyboardInterrupt
        return good(of)

    begun = Check(Question(runs=3, warm_up=0), journeys(tmp_path, "buy"))
    with pytest.raises(KeyboardInterrupt):
        begun.measure(made, lambda _: None)
    result = verdict.result(begun, run_id(), NOW, stopped=True)
    (buy,) = result.journeys
    assert (result.verdict, result.stopped, len(buy.runs)) == ("error", True, 2)
    assert format_headline(result) == "error: buy: stopped from the keyboard after 2 runs, 1 of 1 journey"


def test_budgets_of_steps_are_held_on_the_median_with_the_line_that_gives_them(tmp_path: Path) -> None:
    latencies = iter((0.1, 0.9, 0.3))

    def made(of: Plan) -> RunEnded:
        ended = run(of, {"open": 0.1, "pay": next(latencies)})
        first, second = ended.result.steps
        return run(of, {}, steps=(first, replace(second, budget_seconds=0.2)))

    result, _ = check(tmp_path, made, runs=3)
    (held,) = result.journeys[0].steps[1].budgets
    assert (held.figure, held.statistic, held.bound, held.value, held.missed) == ("latency", "median", 0.2, 0.3, True)
    assert held.where == f"{tmp_path / 'walks.py'}:5"
    assert format_headline(result) == (
        f"missed: buy, step “pay”: median latency of 0.300 s is over the budget of 0.200 s ({held.where}), 1 of 1 journey"
    )


def test_budgets_of_the_settings_are_held_on_the_median_or_a_percentile(tmp_path: Path) -> None:
    latencies = iter((0.1, 0.2, 0.3, 0.4, 5.0))
    asked = parse_budgets(
        {"buy/p*": {"latency": 0.3, "latency_p90": 3.0, "latency_p50": 0.2}, "b*": {"latency": 0.2, "inp": 1}}
    )
    result, _ = check(tmp_path, lambda of: run(of, {"pay": next(latencies)}), budgets=asked)
    (buy,) = result.journeys
    assert [(one.statistic, one.value, one.missed) for one in buy.steps[0].budgets] == [
        ("median", 0.3, False),
        ("p90", pytest.approx(3.16), True),
        ("p50", 0.3, True),
    ]
    assert [(one.figure, one.value, one.missed) for one in buy.whole.budgets] == [("latency", 0.3, True), ("inp", None, False)]
    assert 'budgets."b*".inp: no run has this figure, so nothing was compared with it' in result.notes


def test_the_rule_comes_from_the_settings(tmp_path: Path) -> None:
    told = rule(load_settings(tmp_path, {"smoke_tolerance": "20%,5ms", "smoke_alarm": 0.2, "smoke_looks": "3,6"}, {}))
    assert (told.tolerance, told.floor_seconds, told.alarm, told.looks) == (0.2, 0.005, 0.2, (3, 6))
    assert rule(load_settings(tmp_path, {"smoke_max_runs": 10}, {})).looks == (8, 10)


def test_more_runs_than_the_rule_has_looks_bring_further_looks() -> None:
    assert looks((8, 12), 100) == (8, 12, 18, 27, 40, 60, 90, 100)
    assert looks((8, 12), 3) == (3,)
    assert looks((8, 12), 12) == (8, 12)


def test_each_site_has_a_signed_in_state_of_its_own(tmp_path: Path) -> None:
    ((_, of),) = journeys(tmp_path, "buy")
    other = reference(Plan(journey="buy", file=of.file, state_file=Path("runs/.state/sign_in.json")), REFERENCE)
    assert (other.base_url, other.state_file) == (REFERENCE, Path("runs/.state/sign_in@http___reference_example.json"))
    assert reference(of, REFERENCE).state_file is None


def test_credentials_in_an_address_are_not_told(tmp_path: Path) -> None:
    result, _ = check(tmp_path, sides(1, 1), base_url="http://me:hunter2@candidate.example", runs=1, rule=QUICK)
    assert "hunter2" not in str(result)


def test_what_a_step_receives_is_compared_and_shown_and_fails_nothing(tmp_path: Path) -> None:
    both = sides(0.1, 0.1)

    def made(of: Plan) -> RunEnded:
        ended = both(of)
        size = 1500 if of.base_url == CANDIDATE else 1000
        requests = Requests(
            ok=1,
            transfer_bytes=size,
            weight=(Weight(host="a", type="script", party="first", requests=1, transfer_bytes=size, decoded_bytes=3 * size),),
        )
        steps = (replace(ended.result.steps[0], requests=requests), *ended.result.steps[1:])
        return replace(ended, result=replace(ended.result, steps=steps))

    result, _ = check(tmp_path, made, against=REFERENCE)
    assert result.verdict == "passed"
    step, other = result.journeys[0].steps
    assert {one.figure: (one.outcome, one.exact) for one in step.amounts} == {
        "requests": ("same", True),
        "bytes": ("more", True),
        "decoded_bytes": ("more", True),
        "script.requests": ("same", True),
        "script.bytes": ("more", True),
        "script.decoded_bytes": ("more", True),
        "first_party.requests": ("same", True),
        "first_party.bytes": ("more", True),
    }
    assert other.amounts == ()
    line = "open: bytes 1.0 kB → 1.5 kB (+500 B, +50 %, in each run)"
    assert list_weight_lines(result.journeys[0])[0].startswith(line)
    assert "script bytes" in smoke_html(result).decode()
    assert "1.5 kB" in smoke_markdown(result)
    assert "weight: bytes 1.0 kB → 1.5 kB" in smoke_junit(result)
    console = Console(width=200, file=StringIO(), record=True)
    console.print(render_smoke(result))
    assert "script bytes 1.0 kB → 1.5 kB" in console.export_text()
