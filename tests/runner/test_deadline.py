"""The alarm that ends a run inside its worker."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import pytest

from runner.browser.deadline import DeadlineReached, deadline, end_on_interrupt
from tests.support.wait import let_pass


def test_an_endless_loop_in_the_journey_is_ended_and_named_as_its_own_code() -> None:
    def loop() -> None:
        with deadline(0.05):
            while True:
                pass

    with pytest.raises(DeadlineReached, match=r"not finished after 0\.05 s") as caught:
        loop()
    assert caught.value.waiting is False


def test_a_block_that_ends_in_time_is_not_disturbed_later() -> None:
    with deadline(0.05):
        done = True
    let_pass(0.1, "the deadline of a block that has ended must not be raised")
    assert done


def test_an_inner_deadline_does_not_cancel_the_outer_one() -> None:
    def nested() -> None:
        with deadline(0.1):
            with deadline(5):
                pass
            let_pass(5, "the outer deadline ends it")

    with pytest.raises(DeadlineReached) as caught:
        nested()
    assert caught.value.seconds == 0.1


def test_a_hastened_deadline_leaves_the_journeys_own_code_its_time() -> None:
    with deadline(30) as end:
        end.hasten(0.01)
        began = time.monotonic()
        while time.monotonic() < began + 0.1:
            pass
        done = True
    assert done
    end.hasten(0.01)
    let_pass(0.05, "a deadline that is hastened after its block must not be raised")


@pytest.fixture
def foreign_alarm() -> Iterator[list[str]]:
    """An alarm of somebody else's, in half a second; what it has done."""
    rang: list[str] = []

    def ring(*_: object) -> None:
        rang.append("rang")
        raise TimeoutError("the other's")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    yield rang
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.real_time
def test_an_alarm_that_somebody_else_has_set_goes_off_inside_and_only_once(foreign_alarm: list[str]) -> None:
    def wait() -> None:
        with deadline(5):
            let_pass(4, "the other's alarm ends it")

    with pytest.raises(TimeoutError, match="the other's"):
        wait()
    let_pass(0.15, "the alarm must not go off again")
    assert foreign_alarm == ["rang"]


@pytest.mark.real_time
def test_a_deadline_that_is_due_before_a_foreign_alarm_leaves_that_one_set(foreign_alarm: list[str]) -> None:
    def loop() -> None:
        with deadline(0.03):
            while True:
                pass

    with pytest.raises(DeadlineReached):
        loop()
    with pytest.raises(TimeoutError, match="the other's"):
        let_pass(4, "the other's alarm ends it")
    assert foreign_alarm == ["rang"]


def test_a_lifted_deadline_lets_somebody_look() -> None:
    with deadline(0.05) as end:
        end.lift()
        let_pass(0.15, "a deadline that was lifted must not be raised")
        done = True
    assert done


def swallow(seconds: float) -> None:
    with suppress(BaseException):
        let_pass(seconds, "something ends it")


def test_a_block_that_swallows_its_deadline_ends_with_it() -> None:
    went_on = []

    def block() -> None:
        with deadline(0.05):
            swallow(30)
            went_on.append(True)

    with pytest.raises(DeadlineReached):
        block()
    assert went_on


@pytest.mark.real_time
def test_what_waits_again_after_it_swallowed_the_deadline_is_ended_again() -> None:
    def block() -> None:
        with deadline(0.05):
            swallow(30)
            let_pass(30, "the deadline is raised again")

    with pytest.raises(DeadlineReached):
        block()


def sleep_forever() -> None:
    while True:
        swallow(30)


def loop_forever() -> None:
    while True:
        try:
            while True:
                pass
        except:  # noqa: E722 (what a journey may write)
            pass


def nest_loops_forever() -> None:
    while True:
        try:
            while True:
                try:
                    sleep_forever()
                except:  # noqa: E722
                    continue
        except:  # noqa: E722
            with suppress(BaseException):
                loop_forever()


# A signal may come while an object is removed: what it raises there is dropped, and raised again by the next one.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("code", [sleep_forever, loop_forever, nest_loops_forever])
def test_a_loop_that_swallows_everything_is_ended(monkeypatch: pytest.MonkeyPatch, code: Callable[[], None]) -> None:
    monkeypatch.setattr("runner.browser.deadline.AGAIN", 0.05)

    def block() -> None:
        with deadline(0.05):
            code()

    before = sys.gettrace()
    with pytest.raises(DeadlineReached):
        block()
    assert sys.gettrace() is before


@pytest.mark.parametrize("swallows", [sleep_forever, partial(swallow, 30)])
def test_blocks_of_code_that_swallows_everything_hear_of_its_end(
    monkeypatch: pytest.MonkeyPatch, swallows: Callable[[], None]
) -> None:
    monkeypatch.setattr("runner.browser.deadline.AGAIN", 0.05)
    ended = []

    @contextmanager
    def block(name: str) -> Iterator[None]:
        try:
            yield
        finally:
            ended.append(name)

    def code() -> None:
        while True:
            with (
                block("outer"),
                block("inner"),
            ):
                swallows()
                swallows()

    with pytest.raises(DeadlineReached), deadline(0.05):
        code()
    assert ended[:2] == ["inner", "outer"]
    assert len(ended) % 2 == 0


@pytest.mark.real_time
def test_a_swallowed_interrupt_ends_the_block() -> None:
    def block() -> None:
        with deadline(30) as end, end_on_interrupt(end):
            with suppress(BaseException):
                signal.raise_signal(signal.SIGINT)
            let_pass(30, "Ctrl-C is raised again")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
