"""The alarm that ends a run inside its worker."""

import time

import pytest

from runner.deadline import DeadlineReached, deadline


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
    time.sleep(0.1)
    assert done


def test_an_inner_deadline_does_not_cancel_the_outer_one() -> None:
    def nested() -> None:
        with deadline(0.1):
            with deadline(5):
                pass
            time.sleep(5)

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
    time.sleep(0.05)
