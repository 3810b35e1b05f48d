"""Whether a run makes another attempt, and when its signed-in state is renewed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from runner import journey
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.execution.retry import RetryPolicy
from runner.execution.sessions.sign_in import SignIn
from runner.redaction import NOTHING
from runner.result import Attempt, Failure, FailureKind, Status
from runner.settings.secrets import Secrets

PLAN = Plan(journey="walk", file=Path("walk.py"), timeout=60.0, retries=1)


def attempt(status: Status = "failed", seconds: float = 5.0, kind: FailureKind = "timeout") -> Attempt:
    failure = Failure(kind=kind, message="it did not pass")
    return Attempt(number=1, status=status, started_at=datetime.now(UTC), duration_seconds=seconds, failure=failure)


def saved_state(file: Path) -> SignIn:
    file.write_text("{}")

    @journey
    def sign_in() -> None:
        pytest.fail("never called here")

    setup: Journey = vars(sign_in)["__journey__"]
    return SignIn(setup, PLAN, file, Secrets({}), NOTHING)


@pytest.mark.parametrize(("status", "repeats"), [("passed", False), ("failed", True), ("error", True), ("cancelled", False)])
def test_what_did_not_pass_is_tried_again(status: Status, repeats: bool) -> None:
    assert RetryPolicy(PLAN, None).repeats(status, 1.0) is repeats


def test_attempts_end_with_the_retries() -> None:
    retry = RetryPolicy(PLAN, None)
    assert retry.end_attempt(attempt(), "", repeats=True) is None
    assert not retry.repeats("failed", 1.0)


def test_all_attempts_share_the_timeout() -> None:
    retry = RetryPolicy(PLAN, None)
    assert not retry.repeats("failed", 60.0)
    retry.end_attempt(attempt(seconds=45.0), "", repeats=True)
    assert retry.seconds_left == 15.0


LOSS = "GET https://shop.example/api/me was answered with 401"


def test_an_attempt_in_a_lost_session_is_followed_by_one_in_a_new_session_which_is_not_a_retry(tmp_path: Path) -> None:
    state = saved_state(tmp_path / "sign_in.json")
    retry = RetryPolicy(PLAN, state)
    assert retry.repeats("failed", 1.0, LOSS)
    assert retry.end_attempt(attempt(), LOSS, repeats=True) == f"the signed-in state was renewed with 'sign_in': {LOSS}"
    assert not state.file.exists()
    assert retry.repeats("failed", 1.0), "its only retry is still left"
    assert retry.end_attempt(attempt(), LOSS, repeats=True) is None
    assert not retry.repeats("failed", 1.0, LOSS), "the state is of this run"


@pytest.mark.parametrize(("kind", "kept"), [("timeout", False), ("journey", True), ("crash", True)])
def test_a_failure_that_has_nothing_to_do_with_the_session_is_not_walked_twice(
    tmp_path: Path, kind: FailureKind, kept: bool
) -> None:
    state = saved_state(tmp_path / "sign_in.json")
    retry = RetryPolicy(replace(PLAN, retries=0), state)
    assert not retry.repeats("failed", 1.0)
    assert retry.end_attempt(attempt(kind=kind), "", repeats=False) is None
    assert state.file.exists() is kept, "a failure of the site lets the next run sign in again"
