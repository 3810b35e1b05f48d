"""Places whose scheduler or workers are gone: a matter of the monitor, never of the site; in both databases."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from runner.dsl.plan import Plan
from runner.dsl.slots.schedule import Schedule
from runner.scheduler.alerts.evaluator import AlertEvaluator
from runner.scheduler.loader import LoadedJourneys, PlannedJourney
from runner.scheduler.location_health import LocationMonitor, OwnLocation
from runner.scheduler.metrics_endpoint import Exporter
from runner.scheduler.timetable import Timetable
from runner.settings.settings import Settings
from runner.store import Store
from runner.store.scheduling.locations import LocationReport
from tests.support.services.databases import url as url

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Place(OwnLocation):
    """A scheduler at a place, whose clock may be wrong, and which can be cut off."""

    def __init__(self, url: str, name: str, owner: str, skew: float = 0.0) -> None:
        self.store = Store(url)
        self.skew = timedelta(seconds=skew)
        self.exporter = Exporter(with_runs=False)
        self.timetable = Timetable(Path())
        self._name = name
        self.serve("frankfurt", "oregon")
        evaluator = AlertEvaluator(Settings(), self.store, ("t",), lambda _name, _at: "", lambda: None)
        self._monitor = LocationMonitor(self.store, owner, self.timetable, self.exporter, evaluator, self)
        self.store.schedulers.register(owner, f"{self._name}.example", 1, self._name, NOW + self.skew)

    def serve(self, *names: str) -> None:
        plan = Plan(journey="buy", file=Path("buy.py"), location=self._name)
        self.timetable.apply(LoadedJourneys((PlannedJourney(plan, Schedule(every=60), names),)), NOW)

    def report(self, now: datetime) -> Sequence[LocationReport]:
        return [
            LocationReport(location=self._name, seen_at=now, workers=2, waiting=1, waiting_since=now - timedelta(seconds=5))
        ]

    def beat(self, seconds: float) -> dict[str, bool]:
        """A heartbeat so many seconds after NOW; which places are up."""
        return {one.location: one.up for one in self._monitor.beat(NOW + timedelta(seconds=seconds) + self.skew)}

    def stop(self) -> None:
        self._monitor.stop()

    def gauge(self, place: str) -> float | None:
        return self.exporter.registry.get_sample_value("synthetic_location_up", {"location": place})

    @property
    def messages(self) -> list[str]:
        return [one.title for one in self.store.alerts.unsent(("t",))]


@pytest.fixture
def places(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Place, Place]]:
    # A file can be shared by two schedulers of one process, which is all that is asked of it here.
    monkeypatch.setattr(Store, "shared", True)
    both = (Place(url, "frankfurt", "a"), Place(url, "oregon", "b", skew=30.0))
    yield both
    for one in both:
        one.store.close()


def test_two_places_that_beat_are_up_though_their_clocks_differ_by_half_a_minute(places: tuple[Place, Place]) -> None:
    here, there = places
    for at in range(0, 120, 10):
        here.beat(at)
        there.beat(at + 3)
    assert here.beat(121) == there.beat(123) == {"frankfurt": True, "oregon": True}
    assert (here.gauge("oregon"), there.gauge("frankfurt")) == (1.0, 1.0)
    assert here.messages == []


@pytest.mark.long
@pytest.mark.parametrize("ends", ["killed", "stopped"])
def test_a_place_that_is_gone_is_an_alert_of_the_monitor_sent_once_until_it_is_back(
    places: tuple[Place, Place], ends: str
) -> None:
    here, there = places
    here.beat(0)
    there.beat(0)
    if ends == "stopped":
        there.stop()
    for at in range(10, 200, 10):
        here.beat(at)
    assert here.beat(200) == {"frankfurt": True, "oregon": False}
    assert (here.gauge("frankfurt"), here.gauge("oregon")) == (1.0, 0.0)
    assert here.messages == ["The location oregon does not answer"]
    there.beat(201)
    here.beat(202)
    assert here.gauge("oregon") == 1.0
    (_, back) = here.messages
    assert back.startswith("The location oregon answers again")


def test_a_scheduler_that_begins_waits_for_the_others_before_it_says_that_they_are_gone(places: tuple[Place, Place]) -> None:
    here, _ = places
    assert here.beat(0) == {"frankfurt": True, "oregon": False}
    assert (here.messages, here.gauge("oregon")) == ([], None)
    here.beat(61)
    assert (here.messages, here.gauge("oregon")) == (["The location oregon does not answer"], 0.0)


def test_nothing_is_expected_of_a_place_that_was_removed_and_everything_of_one_that_was_added(
    places: tuple[Place, Place],
) -> None:
    here, _ = places
    here.beat(0)
    here.beat(61)
    here.serve("frankfurt", "tokyo")
    here.beat(71)
    assert (here.gauge("oregon"), here.gauge("tokyo")) == (None, None), "its scheduler may be about to begin"
    here.beat(132)
    assert here.gauge("tokyo") == 0.0
    assert [title.partition(" after ")[0] for title in here.messages] == [
        "The location oregon does not answer",
        "The location oregon answers again",
        "The location tokyo does not answer",
    ]
    here.serve("frankfurt")
    here.beat(142)
    assert here.gauge("frankfurt") is None, "with one place there is nothing to compare"


def test_what_waits_at_a_place_is_known_to_all(places: tuple[Place, Place]) -> None:
    here, there = places
    there.beat(0)
    (state,) = [one for one in here._monitor.beat(NOW + timedelta(seconds=31)) if one.location == "oregon"]
    assert (state.workers, state.waiting, state.hosts, state.schedulers) == (2, 1, ("oregon.example",), 1)
    assert here.exporter.registry.get_sample_value("synthetic_queue_length", {"location": "oregon"}) == 1.0
    assert replace(state, waiting_seconds=6.0) == state
