"""Where journeys say that they are walked, and which slots each place has."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.dsl.plan import Plan
from runner.dsl.slots.schedule import Schedule
from runner.errors import ConfigError
from runner.scheduler.loader import LoadedJourneys, LoadRequest, PlannedJourney, load_in_subprocess
from runner.scheduler.slots import Key
from runner.scheduler.timetable import Timetable
from runner.settings.load_settings import load_settings

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
PLACES = ("frankfurt", "oregon", "office")


def planned(*places: str, at: str = "frankfurt", rotate: bool = False, every: float = 60.0) -> LoadedJourneys:
    plan = Plan(journey="buy", file=Path("buy.py"), location=at)
    return LoadedJourneys((PlannedJourney(plan, Schedule(every=every), places, rotate),))


def slots(schedule: Schedule, count: int, start: datetime = NOW) -> list[datetime]:
    found = [schedule.after("buy", start)]
    while len(found) < count:
        found.append(schedule.after("buy", found[-1]))
    return found


def test_a_scheduler_walks_what_names_its_own_place() -> None:
    timetable = Timetable(Path())
    timetable.apply(planned(*PLACES, at="oregon"), NOW)
    assert list(timetable.entries) == [Key("buy", "oregon")]
    assert timetable.entries[Key("buy", "oregon")].plan.location == "oregon"
    changes = timetable.apply(planned("frankfurt", at="oregon"), NOW)
    assert ([entry.key for entry in changes.removed], timetable.entries) == ([Key("buy", "oregon")], {})
    assert timetable.locations == {"buy": ("frankfurt",)}


def test_without_a_list_a_journey_is_walked_wherever_the_scheduler_is() -> None:
    timetable = Timetable(Path())
    timetable.apply(planned(at="anywhere"), NOW)
    (entry,) = timetable.entries.values()
    assert (entry.key, entry.label) == (Key("buy", "anywhere"), "buy")


def test_a_scheduler_of_all_places_has_an_entry_for_each_and_changes_one_alone() -> None:
    timetable = Timetable(Path(), everywhere=True)
    changes = timetable.apply(planned(*PLACES), NOW)
    assert [entry.label for entry in changes.added] == ["buy at frankfurt", "buy at oregon", "buy at office"]
    assert len({entry.next_at for entry in timetable.entries.values()}) == 1
    kept = timetable.entries[Key("buy", "oregon")]
    kept.busy = True
    changes = timetable.apply(planned("oregon", "tokyo"), NOW)
    assert [entry.location for entry in changes.added] == ["tokyo"]
    assert [entry.location for entry in changes.removed] == ["frankfurt", "office"]
    assert timetable.entries[Key("buy", "oregon")] is kept


@pytest.mark.parametrize(
    "schedule",
    [
        Schedule(every=60),
        Schedule(every=7.5),
        Schedule(cron="*/5 * * * *"),
        Schedule(cron="0 9,17 * * mon-fri"),
        Schedule(cron="0 3 * * sun", timezone="Europe/Berlin"),
        Schedule(cron="15 2 1 * *"),
    ],
)
def test_places_in_turn_have_each_slot_once_whoever_counts_and_from_when(schedule: Schedule) -> None:
    turns = schedule.at_places(PLACES, rotate=True)
    every = slots(schedule, 12)
    owners = [next(name for name, one in turns.items() if one.latest("buy", slot) == slot) for slot in every]
    # Whichever is first, the others follow in the same order.
    first = PLACES.index(owners[0])
    assert owners == [PLACES[(first + number) % 3] for number in range(12)]
    for name, one in turns.items():
        mine = [slot for slot, owner in zip(every, owners, strict=True) if owner == name]
        assert slots(one, 4) == mine
        # After a restart at any time, and on a machine whose clock is wrong by half a minute.
        for skew in (-30, 30):
            found = one.after("buy", mine[1] + timedelta(seconds=skew))
            assert [place for place, other in turns.items() if other.latest("buy", found) == found] == [name]


def test_a_change_of_the_clock_repeats_no_slot_of_a_place() -> None:
    schedule = Schedule(cron="30 2 * * *", timezone="Europe/Berlin")
    turns = schedule.at_places(["frankfurt", "oregon"], rotate=True)
    for before in (datetime(2026, 3, 26, tzinfo=UTC), datetime(2026, 10, 22, tzinfo=UTC)):
        every = slots(schedule, 6, before)
        both = sorted(slot for one in turns.values() for slot in slots(one, 3, before))
        assert both == every


def test_journeys_and_settings_name_places(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text('location = "oregon"\nlocations = ["frankfurt", "oregon"]\nrotate = true\n')
    folder = tmp_path / "journeys"
    folder.mkdir()
    (folder / "shop.py").write_text(
        "from runner import check, journey\n"
        "@journey(every='5m')\ndef everywhere(page): ...\n"
        "@journey(every='5m', locations=['the office (2nd floor)'], rotate=False)\ndef inside(page): ...\n"
        "@check(every='5m', locations=[])\ndef here(http): http.get('http://shop.example/')\n"
    )
    loaded = {one.plan.journey: one for one in load_in_subprocess(LoadRequest(start=tmp_path)).planned}
    assert loaded["everywhere"].places == ("frankfurt", "oregon")
    assert [schedule.turn for schedule in loaded["everywhere"].schedules().values()] == [0, 1]
    assert loaded["inside"].places == ("the office (2nd floor)",)
    assert loaded["here"].places == ("oregon",)
    text = {"JOURNEY_LOCATIONS": "tokyo, oregon", "JOURNEY_ROTATE": "false"}
    settings = load_settings(tmp_path, {}, text)
    assert (settings.locations, settings.rotate) == (("tokyo", "oregon"), False)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["x" * 101], "more than 100 characters"),
        (["a\tb"], "cannot be seen"),
        (["oregon", "oregon"], "twice"),
        ([" oregon"], "space"),
        ([""], "empty"),
        ([3], "not a text"),
        (7, "not a list"),
        ([f"place {number}" for number in range(21)], "too many"),
    ],
)
def test_a_name_that_cannot_be_a_label_is_refused(tmp_path: Path, names: object, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_settings(tmp_path, {"locations": names}, {})


def test_the_run_that_another_place_has_left_stays_a_run_of_that_place() -> None:
    timetable = Timetable(Path())
    timetable.apply(planned(*PLACES, at="oregon"), NOW)
    left = timetable.find_plan("buy", "frankfurt")
    assert left is not None
    assert left.location == "frankfurt"
    assert timetable.find_plan("pay", "frankfurt") is None
