"""Checks on the dashboard: marked, with the phases of their calls, and without boxes for what only a browser has."""

import re
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from reports.formats.html.run import render_run
from reports.web.services.next_runs import JourneyFacts
from runner.archive.archive import Saved
from runner.result import Environment, RunResult, StepResult
from tests.support.services.dashboard import Visited, made


def made_check() -> RunResult:
    """A run of a check whose second call was not made."""
    phases = {"resolve": 0.002, "connect": 0.011, "tls": 0.023, "processing": 0.041, "transfer": 0.001}
    steps = (
        StepResult(name="GET /health", index=0, status="passed", latency_seconds=0.078, wall_seconds=0.078, phases=phases),
        StepResult(name="expiry of shop.example", index=1, status="skipped"),
    )
    return replace(made(journey="answers", kind="check"), steps=steps, environment=Environment(runner="0.1.0"))


@pytest.mark.long
def test_a_check_is_marked_and_its_run_shows_phases_and_nothing_of_a_browser(dashboard: Callable[..., Visited]) -> None:
    facts = {
        "answers": JourneyFacts(file="/srv/shop.py", line=1, owner="", runbook="", kind="check"),
        "buy": JourneyFacts(file="/srv/buy.py", line=1, owner="", runbook=""),
    }
    served = dashboard(facts=lambda: facts)
    run = made_check()
    served.store.add(run, served.archive.save(run, served.archive.scratch(run.id)))
    served.store.add(made())
    overview = served.get("/?range=1h").body.decode()
    assert overview.count('<span class="soft small">check</span>') == 1
    journey = served.get("/journeys/answers?range=1h").body.decode()
    assert '<span class="soft">check</span>' in journey
    assert "Page load phases" not in journey
    assert "Phases of each call" in journey
    columns = re.findall(r'<th role="columnheader" scope="col" class="number">(\w+)</th>', journey.partition('id="phases"')[2])
    assert columns[:6] == ["resolve", "connect", "tls", "processing", "transfer", "runs"]
    (known,) = served.get("/api/v1/journeys/answers/phases?range=1h").json()["phases"]
    assert (known["step"], known["phases"]["tls"]) == ("GET /health", 0.023)
    assert "Page load phases" in served.get("/journeys/buy?range=1h").body.decode()
    page = served.get(f"/runs/{run.id}").body.decode()
    assert '<span class="soft">check</span>' in page
    assert "Phases of each call" in page
    assert "23.0 ms" in page
    for absent in ("What each step loaded", "No pictures were kept", 'id="files"', "Playwright", "nothing was loaded"):
        assert absent not in page


def test_the_report_of_a_check_shows_phases(dashboard: Callable[..., Visited]) -> None:
    served = dashboard()
    run = made_check()
    folder = served.archive.save(run, served.archive.scratch(run.id))
    page = render_run(Saved(run, folder)).decode()
    assert "Phases of each call" in page
    assert "23.0 ms" in page
    for absent in ("What each step loaded", "Artifacts", "nothing was loaded"):
        assert absent not in page
