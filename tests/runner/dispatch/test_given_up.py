"""What was said of a run when it was given up makes room for its result."""

from pathlib import Path

from msgspec.structs import replace

from runner.archive.archive import Archive, Saved
from runner.archive.run_id import run_id
from runner.result import GIVEN_UP, RunResult, Status
from runner.scheduler.recovery import store_saved_runs
from runner.scheduler.results.store_queue import StoreQueue
from runner.store import Store
from tests.support.saved_runs import START


def result(status: Status = "passed", notes: tuple[str, ...] = ()) -> RunResult:
    """A run without steps."""
    return RunResult(
        id=run_id(START),
        journey="buy",
        status=status,
        started_at=START,
        ended_at=START,
        duration_seconds=1.0,
        location="oregon",
        notes=notes,
    )


def test_a_result_that_waited_for_the_database_replaces_what_another_scheduler_has_said_meanwhile(
    url: str, tmp_path: Path
) -> None:
    assumed = result("error", (GIVEN_UP,))
    true = replace(result(), id=assumed.id)
    stored: list[Saved] = []
    with Store(url) as store:
        store.add(assumed)
        for one in (true, assumed, true):
            queue = StoreQueue(store, stored.append)
            queue.put(one, tmp_path)
            assert queue.stop(30.0) == 0
            assert (store.count(), store.count(status="passed")) == (1, 1)
    assert [one.result.id for one in stored] == [true.id] * 3


def test_a_scheduler_that_starts_stores_its_saved_result_in_place_of_what_another_has_said(url: str, tmp_path: Path) -> None:
    assumed = result("error", (GIVEN_UP,))
    archive = Archive(tmp_path / "runs")
    archive.save(replace(result(), id=assumed.id), archive.scratch(assumed.id))
    with Store(url) as store:
        store.add(assumed)
        for _ in range(2):
            store_saved_runs(store, archive)
            assert (store.count(), store.count(status="passed")) == (1, 1)
        assert store.given_up_among([assumed.id]) == set()


def test_a_result_takes_the_place_of_what_was_given_up_once(url: str) -> None:
    given_up = result("error", (GIVEN_UP,))
    late = replace(result(), id=given_up.id)
    with Store(url) as store:
        store.add(given_up, Path("/given-up"))
        assert store.is_given_up(given_up.id)
        assert store.replace(late, Path("/late"))
        assert not store.is_given_up(late.id)
        assert not store.replace(late, Path("/again")), "a result that came twice"
        assert not store.add(late)
        assert (store.count(), store.count(status="passed", folder="/late")) == (1, 1)
        with store.snapshot() as connection:
            hours = connection.exec_driver_sql("SELECT passed, error FROM run_hours").all()
            days = connection.exec_driver_sql("SELECT passed, error FROM run_days").all()
        assert hours == days == [(1, 0)]
