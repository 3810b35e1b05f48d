"""Time in which a scheduler could hear nobody is not silence: it gives up no run for it, and takes no place for down."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.archive.archive import Archive
from runner.archive.run_id import run_id
from runner.dispatch import celery_pool
from runner.dispatch.celery_pool import CeleryPool
from runner.dispatch.health import GAP, HEARTBEAT, SILENT, WorkerHealth
from runner.dispatch.in_flight import LOST_AFTER, MARGIN
from runner.dispatch.link import Delivery
from runner.dispatch.messages import Begun, Ended, Heartbeat, Message, write_message
from runner.dispatch.save_result import ResultSaver
from runner.dsl.plan import Plan
from runner.events import Moment, RunEnded
from runner.settings.settings import load_settings
from runner.workers.run_state import Slot
from tests.runner.dispatch.test_given_up import result

BROKER = "redis://broker.example"
LONG = 10 * SILENT


class Dispatching:
    """A scheduler's pool with a clock that is set by hand, and without the threads of its connections."""

    def __init__(self, folder: Path) -> None:
        self.now = 1000.0
        settings = load_settings(folder, {"runs_dir": folder / "runs", "broker": BROKER}, {})
        self.pool = CeleryPool(settings, "scheduler", folder, lambda: self.now)
        # As `open`, without a broker.
        self.pool._saver = ResultSaver(Archive(settings.runs_dir))
        self.pool._listeners = (self._hear,)
        self.pool._in.down = ""
        self.ended: list[str] = []

    def _hear(self, moment: Moment) -> None:
        if isinstance(moment, RunEnded):
            self.ended.append(moment.result.id)

    def turn(self, *messages: Message, after: float = 1.0) -> list[str]:
        """What is given up in the next turn of the loop."""
        self.now += after
        for one in messages:
            self.pool._inbox.put(write_message(one, "a"), Delivery(1, None) if isinstance(one, Ended) else None)
        self.pool.poll(0.0)
        return [one.run for one in self.pool.take_abandoned()]

    def live(self, seconds: float) -> list[str]:
        """The same in as many turns as usual."""
        return [run for _ in range(int(seconds)) for run in self.turn()]

    def beat(self, *runs: str) -> Heartbeat:
        """A heartbeat of the worker."""
        return Heartbeat(worker="a", location="oregon", version="1", sent_at=datetime.now(UTC), runs=runs)

    def begin(self) -> str:
        """A run that the worker has begun."""
        run = self.send()
        assert self.turn(self.beat(), Begun(run=run, worker="a")) == []
        return run

    def send(self) -> str:
        """A run that was sent, of a slot that is due now."""
        run, now = run_id(), datetime.now(UTC)
        self.pool.start_run(Plan(journey="buy", file=Path("/j.py"), location="oregon"), Slot(now, run, now))
        return run


@pytest.fixture
def dispatching(tmp_path: Path) -> Iterator[Dispatching]:
    found = Dispatching(tmp_path)
    with found.pool:
        yield found


def test_a_scheduler_that_was_stopped_hears_what_has_come_before_it_gives_up_a_run(dispatching: Dispatching) -> None:
    begun, sent = dispatching.begin(), dispatching.send()
    assert dispatching.turn(after=LONG) == [], "nothing that waited at the broker has come yet"
    assert dispatching.pool.health.is_up("oregon")
    answer = Ended(result=result(), worker="a")
    assert dispatching.turn(Begun(run=sent, worker="a"), answer, dispatching.beat(begun, sent)) == []
    assert dispatching.live(LOST_AFTER - 2 * GAP) == []


def test_what_is_still_silent_after_a_gap_is_given_up(dispatching: Dispatching) -> None:
    begun, sent = dispatching.begin(), dispatching.send()
    dispatching.turn(after=LONG)
    assert dispatching.live(SILENT) == [begun]
    assert dispatching.live(dispatching.pool._settings.max_delay + MARGIN) == [sent]


def test_a_place_is_not_down_for_another_thread_that_goes_on_first_after_a_gap(dispatching: Dispatching) -> None:
    dispatching.begin()
    dispatching.now += LONG
    (place,) = dispatching.pool.report(datetime.now(UTC))
    assert place.workers == 1


def test_no_run_is_given_up_while_nothing_can_be_received(dispatching: Dispatching) -> None:
    begun = dispatching.begin()
    dispatching.pool._in.down = "the broker is away"
    assert dispatching.live(LONG) == []
    dispatching.pool._in.down = ""
    assert dispatching.live(LOST_AFTER - 2 * GAP) == []
    assert dispatching.live(3 * GAP) == [begun]


def test_no_run_is_given_up_while_messages_wait_to_be_handled(
    dispatching: Dispatching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(celery_pool, "BATCH", 1)
    begun = dispatching.begin()
    other = Begun(run=run_id(), worker="b")
    assert [run for _ in range(int(LONG)) for run in dispatching.turn(other)] == []
    assert dispatching.live(SILENT + GAP) == [begun]


def test_no_run_is_given_up_while_the_broker_keeps_results_back(
    dispatching: Dispatching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(celery_pool, "PREFETCHED", 1)
    begun = dispatching.begin()
    waiting = result()
    dispatching.turn(Ended(result=waiting, worker="a"))
    assert dispatching.live(LONG) == [], "its result may be behind one that is not stored"
    dispatching.pool.confirm(waiting.id)
    assert dispatching.live(SILENT + GAP) == [begun]


def test_heartbeats_that_have_waited_do_not_say_that_the_workers_clock_is_behind() -> None:
    now = 1000.0
    health = WorkerHealth(lambda: now, lambda: now)

    def hear(sent_at: float) -> float:
        beat = Heartbeat(worker="a", location="oregon", version="1", sent_at=datetime.fromtimestamp(sent_at, UTC))
        health.hear(beat)
        return health.seconds_ahead("a")

    assert hear(now) == 0.0
    now += LONG
    assert {hear(now - waited) for waited in range(int(LONG) - 5, 0, -int(HEARTBEAT))} == {0.0}
    assert [hear(now - 40), hear(now - 40)] == [0.0, -40.0], "a clock that was set back goes on to be behind"
    assert hear(now) == 0.0
