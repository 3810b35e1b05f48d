"""When journeys run."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from runner.dsl.slots.schedule import Schedule
from runner.errors import ConfigError
from runner.settings.load_settings import load_settings
from runner.settings.parsers.values import parse_cron
from runner.settings.sections.maintenance import parse_windows

BERLIN = ZoneInfo("Europe/Berlin")


def slots(schedule: Schedule, start: datetime, count: int) -> list[datetime]:
    found = [schedule.after("buy", start)]
    while len(found) < count:
        found.append(schedule.after("buy", found[-1]))
    return found


def local(moments: list[datetime]) -> list[str]:
    return [f"{one.astimezone(BERLIN):%d %H:%M%z}" for one in moments]


@pytest.mark.parametrize("every", [0.25, 1, 7.3, 60, 300, 86_400])
def test_slots_are_an_interval_apart_and_the_same_whenever_they_are_asked_for(every: float) -> None:
    schedule = Schedule(every=every)
    start = datetime(2026, 3, 28, 23, 59, 59, 123456, UTC)
    found = slots(schedule, start, 200)
    assert found[0] > start
    assert all(abs((after - before).total_seconds() - every) < 0.002 for before, after in pairwise(found))
    for before, after in pairwise(found):
        between = before + (after - before) / 3
        assert (schedule.after("buy", between), schedule.latest("buy", between)) == (after, before)
        assert schedule.latest("buy", before) == before


def test_a_hundred_journeys_of_one_interval_are_spread_over_it() -> None:
    schedule = Schedule(every=300)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    offsets = sorted((schedule.after(f"journey-{number}", start) - start).total_seconds() for number in range(100))
    # Of a hundred, no half minute has none, and none has more than a fourth.
    for at in range(0, 300, 30):
        assert 0 < sum(at <= offset < at + 30 for offset in offsets) < 25


def test_a_fixed_time_that_the_clock_leaves_out_is_run_when_it_has_gone_forward() -> None:
    nightly = Schedule(cron="30 2 * * *", timezone="Europe/Berlin")
    assert local(slots(nightly, datetime(2026, 3, 28, tzinfo=BERLIN), 3)) == ["28 02:30+0100", "29 03:00+0200", "30 02:30+0200"]


def test_a_fixed_time_that_the_clock_shows_twice_is_run_once() -> None:
    nightly = Schedule(cron="30 2 * * *", timezone="Europe/Berlin")
    assert local(slots(nightly, datetime(2026, 10, 24, tzinfo=BERLIN), 3)) == [
        "24 02:30+0200",
        "25 02:30+0200",
        "26 02:30+0100",
    ]


@pytest.mark.parametrize("start", [datetime(2026, 3, 29, 0, 10, tzinfo=BERLIN), datetime(2026, 10, 25, 0, 10, tzinfo=BERLIN)])
def test_every_half_hour_is_every_half_hour_when_the_clock_changes(start: datetime) -> None:
    often = Schedule(cron="*/30 * * * *", timezone="Europe/Berlin")
    assert all(after - before == timedelta(minutes=30) for before, after in pairwise(slots(often, start, 12)))


def test_a_weekday_of_0_is_sunday() -> None:
    weekly = Schedule(cron="0 0 * * 0")
    assert slots(weekly, datetime(2026, 11, 24, tzinfo=UTC), 1)[0].strftime("%A") == "Sunday"


@pytest.mark.parametrize("expression", ["*/5 8-18 * * mon-fri", "30 2 * * *", "0 0 1 * *"])
def test_the_latest_slot_is_the_one_before_the_next(expression: str) -> None:
    schedule = Schedule(cron=expression, timezone="Europe/Berlin")
    found = slots(schedule, datetime(2026, 11, 20, 12, 3, tzinfo=UTC), 20)
    for before, after in pairwise(found):
        assert schedule.latest("buy", after - timedelta(seconds=1)) == before
        assert schedule.latest("buy", after) == after


def test_a_start_is_put_off_by_no_more_than_the_jitter_and_differently_each_time() -> None:
    schedule = Schedule(every=60, jitter=10)
    put_off = [schedule.put_off("buy", slot) for slot in slots(schedule, datetime(2026, 1, 1, tzinfo=UTC), 50)]
    assert 0 <= min(put_off) < 2 < 8 < max(put_off) <= 10


@pytest.mark.parametrize("wrong", ["61 * * * *", "* * * *", "@daily", "", 5, "0 0 31 2 *"])
def test_what_is_no_cron_expression_is_refused_with_an_example(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"is not a cron expression .*as in '\*/5 8-18"):
        parse_cron(wrong)


def test_a_window_is_open_from_its_time_for_its_duration_for_its_journeys() -> None:
    (window,) = parse_windows(
        [{"cron": "0 2 * * sun", "duration": "2h", "journeys": ["check*"], "timezone": "Europe/Berlin", "reason": "backup"}]
    )
    sunday = datetime(2026, 11, 22, tzinfo=BERLIN)
    assert window.ends("checkout", sunday.replace(hour=1, minute=59)) is None
    assert window.ends("checkout", sunday.replace(hour=2)) == sunday.replace(hour=4)
    assert window.ends("checkout", sunday.replace(hour=3, minute=59)) == sunday.replace(hour=4)
    assert window.ends("checkout", sunday.replace(hour=4)) is None
    assert window.ends("browse", sunday.replace(hour=3)) is None


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"duration": "2h"}, "cron and duration are required"),
        ({"cron": "0 2 * * sun"}, "cron and duration are required"),
        ({"cron": "0 2 * * sun", "duration": "2h", "until": 5}, "unknown: until; keys are cron, duration"),
        ({"cron": "0 2 * * sun", "duration": "long"}, "'long' is not a duration"),
        ({"cron": "2", "duration": "2h"}, "'2' is not a cron expression"),
        ({"cron": "0 2 * * sun", "duration": "2h", "timezone": "Berlin"}, "'Berlin' is not a time zone"),
        ({"cron": "0 2 * * sun", "duration": "2h", "journeys": "buy"}, "'buy' is not a list of names"),
    ],
)
def test_a_wrong_window_is_refused_with_what_is_wrong(table: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        parse_windows([table])


def test_the_address_of_a_database_is_checked_and_its_password_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="it is not the address of a database") as caught:
        load_settings(tmp_path, {}, {"JOURNEY_DATABASE": "mysql://me:geheim@db/x"})
    assert "geheim" not in str(caught.value)
    (tmp_path / "journey.toml").write_text('database = "postgresql://me:geheim@db/x"')
    with pytest.raises(ConfigError, match=r"must not contain a password.*JOURNEY_DATABASE") as caught:
        load_settings(tmp_path, {}, {})
    assert "geheim" not in str(caught.value)
