"""A failure at one place alerts when another place has it too, or when enough places have it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from runner.archive.archive import Saved
from runner.archive.run_id import run_id
from runner.scheduler.alerts.evaluator import AlertEvaluator
from runner.settings.load_settings import load_settings
from runner.store import Store
from runner.store.scheduling.locations import LocationReport
from runner.store.scheduling.requested_runs import confirmation_id
from tests.support.services.dashboard import made
from tests.support.services.databases import empty_database
from tests.support.thorough import thorough_but
from tests.support.wait import wait_until

PLACES = ("frankfurt", "oregon", "tokyo")


class World:
    """A journey that is walked at three places, and what the schedulers there would send."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.store = Store(url)
        self.settings = load_settings(Path("/"), {"alert_after": 2, "locations": PLACES, **settings}, {})
        self.outcomes: list[tuple[str, str]] = []
        self.runs = 0
        self._evaluators = {place: self._evaluator() for place in PLACES}
        self.up(*PLACES)

    def _evaluator(self) -> AlertEvaluator:
        def count(_: str, location: str, outcome: str) -> None:
            self.outcomes.append((location, outcome))

        places = self.settings.locations
        return AlertEvaluator(self.settings, self.store, ("t",), lambda *_: "", lambda: None, lambda _: places, count)

    def up(self, *places: str) -> None:
        """These places have given a sign of life, the others never."""
        now = datetime.now(UTC)
        reports = [LocationReport(location=one, seen_at=now if one in places else None) for one in PLACES]
        self.store.locations.report("s", reports, now)

    def run(self, place: str, status: str) -> str:
        """A run on the schedule of a place; its id."""
        self.runs += 1
        at = datetime.now(UTC) - timedelta(hours=1) + timedelta(seconds=self.runs)
        result = replace(made(status=status), id=run_id(), location=place, started_at=at, slot_at=at)
        self.store.add(result)
        self._evaluators[place].evaluate_run(Saved(result, Path("/nowhere")))
        return result.id

    def asked(self, run: str) -> str:
        """The place that is asked to confirm a run."""
        request = self.store.requested_runs.read(confirmation_id(run))
        assert request is not None
        assert (request.reason, request.about_run) == ("confirm", run)
        return request.runs[0].location

    def answer(self, run: str, status: str) -> None:
        """The place that was asked has made the run."""
        request = self.store.requested_runs.read(confirmation_id(run))
        assert request is not None
        (wanted,) = request.runs
        now = datetime.now(UTC)
        assert self.store.requested_runs.claim(wanted.id, "s", now)
        result = replace(made(status=status), id=wanted.id, location=wanted.location, started_at=now, slot_at=None)
        self.store.add(replace(result, trigger="confirm"))

    def settled(self, count: int) -> tuple[str, str]:
        """The newest of so many outcomes."""
        wait_until(lambda: len(self.outcomes) >= count)
        # It is counted before messages about it are stored.
        place = self.outcomes[-1][0]
        wait_until(lambda: not self._evaluators[place].confirmations.waiting)
        return self.outcomes[-1]

    @property
    def titles(self) -> list[str]:
        return [one.title.partition(" after ")[0] for one in self.store.alerts.unsent(("t",))]

    @property
    def newest(self) -> str:
        return self.store.alerts.unsent(("t",))[-1].body

    def close(self) -> None:
        for one in self._evaluators.values():
            one.confirmations.stop(10)
        self.store.close()


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return empty_database(request, tmp_path)


BOTH = pytest.mark.parametrize("url", thorough_but(1, ["sqlite", "postgres"]), indirect=True)
ONE = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def world(url: str, request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(url, **getattr(request, "param", {"confirm": "elsewhere"}))
    yield made
    made.close()


@pytest.mark.long
@BOTH
def test_a_failure_that_another_place_has_too_alerts_at_once(world: World) -> None:
    failed = world.run("oregon", "failed")
    assert (world.asked(failed), world.titles) == ("tokyo", [])
    world.answer(failed, "failed")
    assert world.settled(1) == ("oregon", "confirmed")
    wait_until(lambda: world.titles == ["buy is failing (oregon)"])
    assert "confirmed by run" in world.newest
    assert "at tokyo" in world.newest
    again = world.run("oregon", "failed")
    assert world.store.requested_runs.read(confirmation_id(again)) is None, "what has alerted needs no confirmation"
    world.run("oregon", "passed")
    assert world.titles == ["buy is failing (oregon)", "buy has recovered"]


@pytest.mark.long
@ONE
def test_a_failure_that_no_other_place_has_is_counted_as_a_matter_of_that_place(world: World) -> None:
    for number in (1, 2, 3):
        failed = world.run("tokyo", "failed")
        assert world.asked(failed) == "frankfurt", "after the last of the list comes the first"
        world.answer(failed, "passed")
        assert world.settled(number) == ("tokyo", "refuted")
    assert world.titles == []


@ONE
def test_a_place_that_is_down_is_not_asked_and_without_any_the_alert_says_that_it_was_not_confirmed(world: World) -> None:
    world.up("frankfurt", "oregon")
    assert world.asked(world.run("oregon", "failed")) == "frankfurt"
    world.up("frankfurt")
    world.run("frankfurt", "failed")
    assert world.settled(1) == ("frankfurt", "unconfirmed")
    assert world.titles == [], "alert_after wants two"
    world.run("frankfurt", "failed")
    wait_until(lambda: world.titles == ["buy is failing (frankfurt)"])
    assert "not confirmed: no other location answers" in world.newest


@ONE
@pytest.mark.parametrize("world", [{"confirm": "elsewhere", "confirm_within": "1ms", "alert_after": 1}], indirect=True)
def test_an_answer_that_does_not_come_holds_up_no_alert_beyond_its_bound(world: World) -> None:
    world.run("oregon", "failed")
    wait_until(lambda: world.titles == ["buy is failing (oregon)"])
    assert "not confirmed: tokyo has not answered in time" in world.newest


@pytest.mark.long
@ONE
def test_a_run_in_which_the_other_monitor_fails_confirms_nothing(world: World) -> None:
    failed = world.run("oregon", "failed")
    world.answer(failed, "error")
    assert world.settled(1) == ("oregon", "unconfirmed")


@pytest.mark.long
@ONE
@pytest.mark.parametrize("world", [{"confirm": "same", "alert_after": 1}], indirect=True)
def test_a_failure_can_be_confirmed_at_its_own_place(world: World) -> None:
    failed = world.run("oregon", "failed")
    assert (world.asked(failed), world.titles) == ("oregon", [])
    world.answer(failed, "failed")
    wait_until(lambda: world.titles == ["buy is failing (oregon)"])


@BOTH
def test_a_scheduler_that_begins_takes_up_what_the_one_before_has_asked_for(world: World) -> None:
    failed = world.run("oregon", "failed")
    for one in world._evaluators.values():
        one.confirmations.stop(10)
    world.answer(failed, "failed")
    later = world._evaluator()
    at = datetime.now(UTC)
    later.resume(Saved(replace(made(status="failed"), id=failed, location="oregon", ended_at=at, slot_at=at), Path("/")))
    wait_until(lambda: world.titles == ["buy is failing (oregon)"])
    later.confirmations.stop(10)


@BOTH
@pytest.mark.parametrize("world", [{"alert_locations": "2 of 3", "alert_after": 1}], indirect=True)
def test_two_of_three_places_have_to_fail(world: World) -> None:
    world.run("oregon", "failed")
    assert world.titles == []
    world.run("tokyo", "failed")
    assert world.titles == ["buy is failing (oregon, tokyo)"]
    assert "it fails at 2 of 3 locations (oregon, tokyo)" in world.newest
    world.run("frankfurt", "failed")
    world.run("frankfurt", "passed")
    assert len(world.titles) == 1, "it is one alert"
    world.run("tokyo", "passed")
    assert world.titles[1:] == ["buy has recovered"]


@ONE
@pytest.mark.parametrize("world", [{"alert_locations": 2, "alert_after": 1}], indirect=True)
def test_a_place_that_is_down_has_no_say(world: World) -> None:
    world.run("oregon", "failed")
    world.up("frankfurt", "tokyo")
    world.run("frankfurt", "failed")
    assert world.titles == [], "the failure of a place that is gone is not one of the site now"
    world.up("frankfurt")
    world.run("frankfurt", "failed")
    assert world.titles == ["buy is failing (frankfurt)"], "where one place is left, it decides"


@pytest.mark.thorough
@pytest.mark.long
@ONE
@pytest.mark.parametrize("world", [{"alert_locations": "2 of 3", "alert_after": 1, "confirm": "elsewhere"}], indirect=True)
def test_a_refuted_failure_is_not_one_of_the_places(world: World) -> None:
    first = world.run("oregon", "failed")
    world.answer(first, "passed")
    world.settled(1)
    second = world.run("tokyo", "failed")
    world.answer(second, "failed")
    world.settled(2)
    assert world.titles == []
    third = world.run("oregon", "failed")
    world.answer(third, "failed")
    wait_until(lambda: world.titles == ["buy is failing (oregon, tokyo)"])
