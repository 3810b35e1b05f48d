"""The page of a journey: outages, days, maintenance."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from reports.web.render.uptime import draw_calendar, draw_uptime
from runner.result import Quarantine
from runner.settings.sections.maintenance import MaintenanceWindow
from runner.store.queries.history.days import DayCount
from runner.store.queries.history.outages import Outage, mean_recovery_seconds, read_outages
from runner.store.queries.time_range import Range
from tests.support.services.dashboard import Visited, made

NOW = datetime(2026, 11, 29, 18, 30, tzinfo=UTC)
EVERYTHING = Range(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


def outages_of(served: Visited, *runs: tuple[float, str], location: str = "berlin") -> list[Outage]:
    for ago, status in runs:
        served.store.add(made(ago=ago, status=status, location=location))
    with served.store.snapshot() as connection:
        return read_outages(connection, "buy", None, EVERYTHING)


def test_failed_runs_until_one_passes_are_one_outage(dashboard: Callable[..., Visited]) -> None:
    found = outages_of(
        dashboard(),
        (900, "failed"),
        (800, "passed"),
        (700, "failed"),
        (600, "error"),
        (500, "failed"),
        (400, "cancelled"),
        (300, "passed"),
        (200, "failed"),
    )
    assert [one.runs for one in found] == [1, 2, 1]
    assert [one.seconds and round(one.seconds, -1) for one in found] == [None, 400, 100]
    assert mean_recovery_seconds(found) == pytest.approx(250, abs=5)
    assert (found[0].step, found[0].message) == ("pay", "expected the cart, got nothing")


def test_each_location_has_its_own_outages_and_none_is_no_mean(dashboard: Callable[..., Visited]) -> None:
    served = dashboard()
    assert outages_of(served, (500, "failed"), location="berlin")[0].ended_at is None
    assert len(outages_of(served, (400, "passed"), location="oslo")) == 1
    assert len(outages_of(served, (300, "failed"), location="oslo")) == 2
    assert mean_recovery_seconds([]) is None


def test_the_page_lists_them_and_excludes_maintenance(dashboard: Callable[..., Visited]) -> None:
    always = MaintenanceWindow(cron="* * * * *", duration=3600.0, journeys=("buy",))
    other = MaintenanceWindow(cron="* * * * *", duration=3600.0, journeys=("search",))
    # Both at once: the time between them is read below.
    outage = [made(ago=900.0, status="failed"), made(ago=600.0, status="passed")]
    for windows, expected in ((always,), True), ((other,), False):
        served = dashboard(windows=windows)
        if expected:
            for one in outage:
                served.store.add(one)
        page = served.get("/journeys/buy").body.decode()
        assert ("100 % without maintenance" in page) is expected
        assert "5 min 0 s" in page
        assert "1 outage in the last hour" in page


@pytest.mark.long
def test_the_page_shows_what_is_set_aside_by_whom_and_until_when(dashboard: Callable[..., Visited]) -> None:
    held = Quarantine(
        journey="buy", step="pay", owner="<b>ann</b>", reason="late", until=date(2200, 1, 1), where="quarantine.x"
    )
    ended = Quarantine(journey="buy", owner="bob", reason="index", until=date(2020, 1, 1), where='quarantine."buy"')
    served = dashboard(quarantine=(held, ended, replace(held, journey="search", reason="not of this journey")))
    failed = made(status="failed", quarantine=(held,))
    served.store.add(failed)
    page = served.get("/journeys/buy").body.decode()
    assert "in quarantine</strong>, step “pay” until 2200-01-01: late" in page
    assert "&lt;b&gt;ann&lt;/b&gt;; it is run, and does not gate or alert" in page
    assert "quarantine over</strong> since 2020-01-01: index" in page
    assert "remove quarantine.&#34;buy&#34; from the settings" in page
    assert "not of this journey" not in page
    for address in ("/journeys/buy", "/runs", f"/runs/{failed.id}"):
        assert '">in quarantine</span>' in served.get(address).body.decode()


def day(ago: int, passed: int, failed: int = 0) -> DayCount:
    return DayCount(day=NOW.replace(hour=0, minute=0) - timedelta(days=ago), passed=passed, failed=failed, errors=0)


def test_the_bars_are_the_last_ninety_days_and_say_so_in_a_sentence() -> None:
    drawn = draw_uptime([day(100, 1, 1), day(10, 96, 4), day(1, 3, 1), day(0, 5)], NOW)
    assert [one.grade for one in drawn.bars if one.grade != "none"] == ["fair", "poor", "full"]
    assert drawn.bars[-1].title == "2026-11-29: 100 % available, 0 failed of 5 runs"
    assert drawn.bars[0].title == "2026-09-01: no runs"
    assert drawn.label == (
        "Last 90 days: 3 with runs, 1 of them without a failure; the worst was 2026-11-28 with 75.0 % available"
    )


def test_the_calendar_begins_with_the_first_week_that_had_runs_and_names_months() -> None:
    drawn = draw_calendar([day(59, 5), day(0, 5)], NOW)
    assert len(drawn.days) == 60
    assert min(one.x for one in drawn.days) == drawn.days[0].x
    assert [name for _, name in drawn.months] == ["Oct 2026", "Nov"]
    # The 29th of November is a Sunday: the last row.
    assert drawn.days[-1].y == max(one.y for one in drawn.days)
    assert [name for _, name in draw_calendar([day(0, 1)], NOW).months] == ["Nov 2026"]
