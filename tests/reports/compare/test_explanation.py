"""What a failed run's page says is different from the last run that passed."""

from datetime import UTC, datetime
from typing import Any

from reports.compare.explanation import explain_difference
from runner.result import Failure, Navigation, PageError, Request, Requests, RunResult, StepResult

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
SHOP = "https://shop.example"


def request(path: str, status: int | None = 200, failure: str = "") -> Request:
    return Request(
        url=SHOP + path, method="GET", kind="fetch", at_seconds=0.1, duration_seconds=0.1, status=status, failure=failure
    )


def run(*requests: Request, failed: bool = False, release: str = "", **step: Any) -> RunResult:
    """A run of one step that made these requests."""
    failure = Failure(kind="timeout", message="too late", step="pay") if failed else None
    status: Any = "failed" if failed else "passed"
    bad = tuple(one for one in requests if one.failure or (one.status or 0) >= 400)
    made = StepResult(
        name="pay", index=0, status=status, failure=failure, requests=Requests(entries=requests, failures=bad), **step
    )
    return RunResult(
        id="1", journey="buy", status=status, started_at=AT, ended_at=AT, duration_seconds=1.0, location="here", steps=(made,),
        failure=failure, release=release,
    )  # fmt: skip


def explain(now: RunResult, before: RunResult | None, **more: Any) -> str:
    return " ".join(explain_difference(now, before, AT if before else None, **more))


def test_a_status_that_changed_is_named_with_the_one_before() -> None:
    said = explain(run(request("/api/pay?cart=1", 500), failed=True), run(request("/api/pay?cart=2")))
    assert said == "GET /api/pay?cart=1 answered 500; in the last passed run it answered 200."


def test_a_request_without_an_answer_one_that_is_new_and_one_that_is_gone() -> None:
    said = explain(
        run(request("/a", None, "refused"), request("/new"), failed=True),
        run(request("/a"), request("/old"), request("/older")),
    )
    assert said == (
        "GET /a got no response; in the last passed run it answered 200. GET /new was not in the last passed run. "
        "GET /old and 1 more were made in the last passed run, and not in this one."
    )


def test_many_failed_requests_are_counted() -> None:
    said = explain(run(*(request(f"/{number}", 503) for number in range(5)), failed=True), run())
    assert "GET /0 answered 503. GET /1 answered 503. 3 more requests failed." in said


def test_another_page_new_errors_and_the_console() -> None:
    def page(path: str) -> tuple[Navigation, ...]:
        return (Navigation(url=SHOP + path, type="navigate", started_at=AT),)

    now = run(
        failed=True, navigations=page("/login"), page_errors=(PageError(message="x is undefined"), PageError(message="old"))
    )
    before = run(navigations=page("/receipt"), page_errors=(PageError(message="old"),))
    said = explain(now, before, console=["no token", "noise"], console_before=["noise"])
    assert said == (
        "The step loaded /login; in the last passed run it loaded /receipt. The page threw “x is undefined”. "
        "The console has, unlike in the last passed run, “no token”."
    )
    assert "The console has “no token”." in explain(now, before, console=["no token"])


def test_the_release_and_the_element_that_is_missing() -> None:
    said = explain(run(failed=True, release="1.8"), run(release="1.7"), missing="no button “Pay”; the buttons there: “Pay now”")
    assert said.startswith("No button “Pay”; the buttons there: “Pay now”.")
    assert said.endswith("The last passed run was of release 1.7, this one is of release 1.8.")
    assert explain(run(failed=True, release="1.8"), run(release="1.8")) == (
        "Its requests and their statuses are those of the last passed run, as far as the step got. Both runs are of release 1.8."
    )


def test_without_a_run_to_compare_with_only_what_is_known_is_said() -> None:
    now = run(request("/pay", 500), failed=True)
    assert explain(now, None) == "GET /pay answered 500. No earlier run passed, so there is nothing to compare with."
    gone = " ".join(explain_difference(now, None, AT))
    assert gone.endswith("The files of the last passed run have been removed, so its requests cannot be compared.")
    assert explain(run(), run()) == ""
