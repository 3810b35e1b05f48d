"""Places on the dashboard: which are up, a journey at several of them side by side, and a failure that is a matter of one."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from runner.store.scheduling.locations import LocationReport
from runner.store.scheduling.requested_runs import NewRequest, WantedRun, confirmation_id
from tests.support.services.dashboard import Visited, made

JSON = {"accept": "application/json"}
ODD = 'the "office" <b>&amp; more</b>'


@pytest.fixture
def served(dashboard: Callable[..., Visited]) -> Visited:
    """A journey at three places: it passes at two, and at the third its failure was refuted; one place is down."""
    served = dashboard()
    now = datetime.now(UTC)
    slot = now - timedelta(minutes=5)
    for place, status in (("frankfurt", "passed"), (ODD, "passed"), ("oregon", "failed")):
        run = replace(made(status=status), id=f"run-{place[:3].strip()}", location=place, started_at=slot, slot_at=slot)
        served.store.add(run)
    request = NewRequest(
        id=confirmation_id("run-ore"),
        who="",
        reason="confirm",
        runs=(WantedRun("run-second", "buy", "frankfurt"),),
        deadline=now,
        about_run="run-ore",
    )
    served.store.requested_runs.add(request, now)
    again = replace(made(status="passed"), id="run-second", location="frankfurt", started_at=now, slot_at=None)
    served.store.add(replace(again, trigger="confirm"))
    served.store.schedulers.register("s", "monitor.example", 1, "frankfurt", now)
    reports = [
        LocationReport(location="frankfurt", seen_at=now, workers=2, running=1, waiting=3, waiting_since=now),
        LocationReport(location=ODD, seen_at=now - timedelta(minutes=10)),
        LocationReport(location="tokyo"),
    ]
    served.store.locations.report("s", reports, now)
    return served


def words(served: Visited, path: str) -> str:
    answer = served.get(path)
    assert answer.status == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.body.decode()).split())


def test_the_page_of_locations_says_which_are_up_and_what_fails_at_one_only(served: Visited) -> None:
    shown = words(served, "/locations")
    assert "the &#34;office&#34; &lt;b&gt;&amp;amp; more&lt;/b&gt;, tokyo do not answer" in shown
    assert "frankfurt monitor.example up 2 1 3" in shown
    assert "oregon no scheduler names it" in shown
    assert "buy only here" in shown
    assert "tokyo down – – – none" in shown


@pytest.mark.long
def test_the_same_is_there_as_json(served: Visited) -> None:
    found = {one["location"]: one for one in served.get("/api/v1/locations", **JSON).json()["locations"]}
    assert {name: one["up"] for name, one in found.items()} == {"frankfurt": True, ODD: False, "oregon": None, "tokyo": False}
    assert found["oregon"]["failing"] == [{"journey": "buy", "run": "run-ore", "only_here": True}]
    assert (found["frankfurt"]["availability"], found["oregon"]["availability"]) == (1.0, 0.0)


@pytest.mark.long
def test_a_journey_has_its_places_side_by_side_and_each_leads_to_its_own_figures(served: Visited) -> None:
    shown = words(served, "/journeys/buy")
    assert re.search(r"Locations location newest run availability .* frankfurt .* passed 100.* oregon .* failed 0", shown)
    assert "All locations together" in words(served, "/journeys/buy?location=oregon")


@pytest.mark.long
def test_a_failure_that_was_refuted_links_to_the_other_run_and_back(served: Visited) -> None:
    failed = served.get("/runs/run-ore").body.decode()
    assert 'href="/runs/run-second"' in failed
    assert "A matter of oregon : the run at frankfurt" in words(served, "/runs/run-ore")
    assert "The same slot elsewhere: frankfurt passed" in words(served, "/runs/run-ore")
    second = words(served, "/runs/run-second")
    assert "This run was made to confirm a failure at oregon , and passed: a matter of oregon" in second


def test_with_one_place_nothing_is_said_of_places(dashboard: Callable[..., Visited]) -> None:
    alone = dashboard()
    run = made()
    alone.store.add(run)
    assert "Locations location newest run" not in words(alone, "/journeys/buy")
    assert "elsewhere" not in words(alone, f"/runs/{run.id}")
