"""Why something did not pass."""

from msgspec.structs import replace

from reports.text.problems import list_run_problems
from reports.text.smoke_problems import list_check_problems, list_smoke_problems
from runner.result import Failure
from tests.reports.samples import FAILED, OVER, RUN, RUNS, SLOWER, SMOKES, run, smoke


def test_what_failed_comes_before_what_was_missed() -> None:
    found = list_smoke_problems(smoke("failed", SLOWER, OVER, FAILED))
    assert [one.kind for one in found] == ["failed", "budget", "budget", "baseline"]


def test_a_soft_step_and_the_step_that_ended_the_run_are_two_problems() -> None:
    soft = Failure(kind="assertion", message="no banner", step="open the shop")
    saved = run("failed")
    steps = (replace(saved.result.steps[0], status="failed", failure=soft), *saved.result.steps[1:])
    found = list_run_problems(replace(saved.result, steps=steps), saved.folder)
    assert [(one.step, one.summary) for one in found] == [
        ("pay", "Locator expected to be visible"),
        ("open the shop", "no banner"),
    ]
    assert found[0].trace == "/repo/runs/buy/x/trace.zip"


def test_a_failure_that_says_nothing_is_a_problem_all_the_same() -> None:
    (one,) = list_run_problems(run("failed", failure=None, steps=()).result)
    assert (one.type, one.message) == ("failed", "the run is failed, and does not say why")
    (other,) = list_smoke_problems(SMOKES["no steps"])
    assert (other.place, other.type) == ("bare", "failed")
    (empty,) = list_run_problems(run("error", failure=Failure(kind="monitor", message=""), steps=()).result)
    assert (empty.summary, empty.text) == ("", f"see: journey show {RUN}")


def test_cancelled_and_passed_runs_have_none() -> None:
    assert [list_run_problems(saved.result) for saved in (*RUNS["cancelled"], *RUNS["passed"], *RUNS["flaky"])] == [[], [], []]


def test_a_budget_that_names_no_line_is_told_at_the_journey() -> None:
    result = smoke("missed", OVER)
    whole, step = list_check_problems(OVER, result)
    assert [(one.file, one.line) for one in (step, whole)] == [("/repo/journeys/buy.py", 9), ("/repo/journeys/buy.py", 6)]
    assert [one.line for one in list_check_problems(replace(OVER, file="", line=0), result)] == [None, 9]
