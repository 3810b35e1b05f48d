"""A queue that tries again until it succeeds."""

import threading
from collections.abc import Iterator

import pytest

from runner.scheduler.results.retry_queue import RetryQueue
from tests.support.wait import wait_until


class Worker:
    """What a queue calls; it fails for the keys in `refused` and stops in `process` while `hold` is not set."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.hold = threading.Event()
        self.hold.set()
        self.began: list[str] = []
        self.did: list[tuple[str, int]] = []
        self.failures: list[tuple[str, str]] = []
        self.queue = RetryQueue[int](
            "test",
            self.process,
            error=ConnectionError,
            failed=lambda key, error: self.failures.append((key, str(error))),
            done=lambda key, item: self.did.append((key, item)),
            first_pause=0.01,
            longest_pause=0.02,
        )

    def process(self, key: str, item: int) -> None:
        self.began.append(key)
        assert self.hold.wait(30)
        if key in self.refused:
            raise ConnectionError(f"no {item}")


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    made.hold.set()
    made.queue.stop(30)


def test_items_are_processed_in_order_and_once(worker: Worker) -> None:
    for number in range(100):
        worker.queue.put(str(number), number)
    assert worker.queue.stop(30) == 0
    assert worker.did == [(str(number), number) for number in range(100)]


def test_an_item_that_fails_is_tried_again_and_does_not_hold_up_the_others(worker: Worker) -> None:
    worker.refused = {"a"}
    worker.queue.put("a", 1)
    worker.queue.put("b", 2)
    wait_until(lambda: worker.did == [("b", 2)] and len(worker.failures) >= 2)
    assert (worker.queue.waiting, set(worker.failures)) == (1, {("a", "no 1")})
    worker.refused = set()
    wait_until(lambda: worker.did == [("b", 2), ("a", 1)])
    assert worker.queue.waiting == 0


def test_a_waiting_item_is_replaced_by_a_newer_one_of_its_key(worker: Worker) -> None:
    worker.hold.clear()
    worker.queue.put("first", 0)
    wait_until(lambda: worker.began)
    assert worker.queue.put("a", 1) is None
    assert worker.queue.put("a", 2) == 1
    worker.hold.set()
    wait_until(lambda: worker.did == [("first", 0), ("a", 2)])


def test_an_item_that_is_replaced_while_it_is_processed_leaves_the_newer_one(worker: Worker) -> None:
    worker.hold.clear()
    worker.queue.put("a", 1)
    wait_until(lambda: worker.began)
    worker.queue.put("a", 2)
    worker.hold.set()
    wait_until(lambda: worker.did == [("a", 1), ("a", 2)])
    assert worker.queue.waiting == 0


def test_stopping_ends_after_a_failure_and_says_how_much_is_left(worker: Worker) -> None:
    worker.hold.clear()
    worker.refused = {"a"}
    worker.queue.put("a", 1)
    wait_until(lambda: worker.began)
    worker.queue.put("b", 2)
    stopped: list[int] = []
    stopping = threading.Thread(target=lambda: stopped.append(worker.queue.stop(30)))
    stopping.start()
    # Only when it knows that it is to stop may the first item fail.
    wait_until(lambda: worker.queue._stopping)
    worker.hold.set()
    stopping.join(30)
    assert (stopped, worker.failures) == ([2], [("a", "no 1")])
