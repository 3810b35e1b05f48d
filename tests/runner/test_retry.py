"""Whether a run makes another attempt, and when its signed-in state is renewed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner import journey
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.execution.retry import RetryPolicy
from runner.execution.sign_in import SignIn
from runner.redaction import NOTHING
from runner.result import Attempt, Status
from runner.settings.secrets import Secrets

PLAN = Plan(journey="walk", file=Path("walk.py"), timeout=60.0, retries=1)


def attempt(status: Status = "failed", seconds: float = 5.0) -> Attempt:
    return Attempt(number=1, status=status, started_at=datetime.now(UTC), duration_seconds=seconds, steps=())


def saved_state(file: Path) -> SignIn:
    file.write_text("{}")

    @journey
    def sign_in() -> None:
        """Never called here."""

    setup: Journey = vars(sign_in)["__journey__"]
    return SignIn(setup, PLAN, file, Secrets({}), NOTHING)


@pytest.mark.parametrize(("status", "repeats"), [("passed", False), ("failed", True), ("error", True), ("cancelled", False)])
def test_what_did_not_pass_is_tried_again(status: Status, repeats: bool) -> None:
    assert RetryPolicy(PLAN, None).repeats(status, 1.0) is repeats


def test_attempts_end_with_the_retries() -> None:
    retry = RetryPolicy(PLAN, None)
    assert retry.prepare_next(attempt()) is None
    assert not retry.repeats("failed", 1.0)


def test_all_attempts_share_the_timeout() -> None:
    retry = RetryPolicy(PLAN, None)
    assert not retry.repeats("failed", 60.0)
    retry.prepare_next(attempt(seconds=45.0))
    assert retry.seconds_left == 15.0


def test_an_attempt_with_an_older_state_is_followed_by_one_with_a_new_state_which_is_not_a_retry(tmp_path: Path) -> None:
    state = saved_state(tmp_path / "sign_in.json")
    retry = RetryPolicy(PLAN, state)
    assert retry.prepare_next(attempt()) == "the signed-in state was renewed with 'sign_in'"
    assert not state.file.exists()
    assert retry.repeats("failed", 1.0), "its only retry is still left"
    assert retry.prepare_next(attempt()) is None
    assert not retry.repeats("failed", 1.0)
