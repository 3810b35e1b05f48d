"""The made-up week of the demo: complete, the same each time, and marked wherever it is shown."""

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace
from sqlalchemy import select, text
from typer.testing import CliRunner

from reports.compare.explanation import explain_difference
from reports.sample.broken_script import FILE, LINE, MESSAGE, SOURCE
from reports.sample.calendar import HOURS, NEWEST_RELEASE, NOTE
from reports.sample.runs import make_sample_runs
from reports.sample.visits import make_sample_visits
from reports.source_maps.frames import read_frames
from reports.source_maps.grouping import explain_errors
from reports.source_maps.map_store import MapStore, maps_folder
from reports.source_maps.resolver import resolve
from runner import demo
from runner.archive.archive import Archive
from runner.cli.all_commands import app
from runner.cli.demo import RELEASE
from runner.cli.demo_sample import make_sample_writer
from runner.result import Environment, Failure, Request, Requests, RunResult
from runner.settings.load_settings import load_settings
from runner.store import Store
from runner.store.samples import read_sample_end
from runner.store.tables.page_views import reasons
from tests.support.services.dashboard import Visited, made

SHOP = "http://127.0.0.1:8000"
TEMPLATES = Path(demo.__file__).parent / "templates"


def real_runs() -> list[RunResult]:
    """The demo's runs: browse fails, the others pass."""
    names = {"browse": "failed", "buy": "passed", "search": "passed", "stock": "passed"}
    return [
        replace(made(name, status, ago=5.0, location="local"), environment=Environment(base_url=SHOP), release=RELEASE)
        for name, status in names.items()
    ]


def test_every_made_up_run_says_that_it_is_a_sample_and_lies_before_the_real_ones() -> None:
    real = real_runs()
    end = min(one.started_at for one in real)
    runs = make_sample_runs(real, end)
    assert {one.journey for one in runs} == {"browse", "buy", "search", "stock"}
    assert all("sample" in one.tags and NOTE in one.notes for one in runs)
    assert all(end - timedelta(hours=HOURS) <= one.started_at < one.ended_at < end for one in runs)
    assert {one.status for one in runs} == {"passed", "failed", "error"}
    assert any(one.flaky for one in runs)
    assert not any(one.slot_at for one in runs), "rules of alerts and objectives would take them for scheduled runs"
    assert all(sum(step.wall_seconds or 0 for step in one.steps) < one.duration_seconds for one in runs)


def test_the_page_that_is_broken_now_answered_until_it_broke() -> None:
    url = f"{SHOP}/product/cracked-teapot"
    asked = Request(url=url, method="GET", kind="document", at_seconds=0.1, duration_seconds=0.1, status=500)
    found = Request(url=f"{SHOP}/search", method="GET", kind="document", at_seconds=0.1, duration_seconds=0.1, status=200)
    browse = real_runs()[0]
    passed, failed = (
        replace(browse.steps[-1], name=name, index=index, status=status, requests=Requests(entries=(request,)))
        for index, (name, status, request) in enumerate((("search", "passed", found), ("look", "failed", asked)))
    )
    failure = Failure(kind="http", message=f"HTTP 500 from {url}", step="look")
    real = replace(browse, failure=failure, steps=(passed, replace(failed, failure=failure)))
    runs = make_sample_runs([real], real.started_at)
    assert {one.status for one in runs} == {"passed", "failed"}
    for one in runs:
        assert [(request.url, request.status) for request in one.steps[-1].requests.entries] == [
            (url, 200 if one.status == "passed" else 500)
        ]
    newest_passed = next(one for one in reversed(runs) if one.status == "passed")
    assert "answered 500; in the last passed run it answered 200." in " ".join(
        explain_difference(runs[-1], newest_passed, None)
    )


@pytest.mark.thorough
@pytest.mark.long
def test_the_same_week_is_made_each_time() -> None:
    real = real_runs()
    end = datetime(2026, 6, 1, tzinfo=UTC)
    first, second = ([(one.journey, one.status, one.duration_seconds) for one in make_sample_runs(real, end)] for _ in range(2))
    assert first == second
    walks = [[(one.pages, one.received_at) for one in make_sample_visits(SHOP, end)] for _ in range(2)]
    assert walks[0] == walks[1]
    assert all(one.beacon.environment == "sample" and one.received_at < end for one in make_sample_visits(SHOP, end))


def test_the_newest_release_of_the_sample_is_that_of_the_demo() -> None:
    assert NEWEST_RELEASE == RELEASE


class Sampled(NamedTuple):
    """A folder with a sample, and the runs before which it was put."""

    folder: Path
    real: list[RunResult]
    said: str


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Sampled:
    """The sample that `journey demo` writes, to be copied: writing it takes longer than the tests."""
    folder = tmp_path_factory.mktemp("sampled")
    real = real_runs()
    return Sampled(folder, real, make_sample_writer(load_settings(folder, {}, {}))(real))


@pytest.mark.thorough
def test_each_page_says_until_when_it_shows_a_sample(
    dashboard: Callable[..., Visited], sampled: Sampled, tmp_path: Path
) -> None:
    shutil.copytree(sampled.folder, tmp_path, dirs_exist_ok=True)
    real = sampled.real
    served = dashboard()
    served.store.add(real[0])
    with served.store.snapshot() as connection:
        assert read_sample_end(connection) == min(one.started_at for one in real).replace(microsecond=0)
        session = connection.execute(text("SELECT id FROM sessions LIMIT 1")).scalar_one()
        view = connection.execute(text("SELECT id FROM page_views LIMIT 1")).scalar_one()
    made_up = next(served.archive.runs("buy")).result
    for path in (
        "/?range=7d",
        "/journeys/buy?range=7d",
        "/runs",
        f"/runs/{made_up.id}",
        "/users?range=7d",
        f"/users/views/{view}",
        "/users/journeys?range=7d",
        "/sessions?range=7d",
        f"/sessions/{session}",
        "/recordings",
        "/coverage",
    ):
        answer = served.get(path)
        assert (answer.status, "<strong>Sample data:</strong>" in answer.body.decode()) == (200, True), path
    assert "This run is a sample" in served.get(f"/runs/{made_up.id}").body.decode()
    assert "This run is a sample" not in served.get(f"/runs/{real[0].id}").body.decode()
    assert "browse is failing" in served.get("/?range=7d").body.decode()


def test_a_sample_is_never_mixed_with_what_was_measured(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {}, {})
    with Store(settings.database_url) as store:
        real = real_runs()
        assert store.samples.has_room()
        store.add(real[1])
    assert "so no sample week was added" in make_sample_writer(settings)(real)
    with Store(settings.database_url) as store:
        assert store.count() == 1


@pytest.mark.long
def test_without_a_sample_no_page_says_so(dashboard: Callable[..., Visited]) -> None:
    assert "Sample data" not in dashboard().get("/").body.decode()


@pytest.mark.thorough
@pytest.mark.long
def test_a_sample_is_written_once(sampled: Sampled) -> None:
    settings = load_settings(sampled.folder, {}, {})
    assert "a sample week was put before them" in sampled.said
    assert "so no sample week was added" in make_sample_writer(settings)(sampled.real)
    assert len(Archive(settings.runs_dir).journeys()) == 4


@pytest.mark.long
def test_the_error_of_the_sample_is_shown_with_its_code(sampled: Sampled, tmp_path: Path) -> None:
    shutil.copytree(sampled.folder, tmp_path, dirs_exist_ok=True)
    settings = load_settings(tmp_path, {}, {})
    with Store(settings.database_url) as store:
        maps = MapStore(store, maps_folder(settings))
        assert not explain_errors(store, maps, lambda lookups: [resolve(one) for one in lookups]).troubles
        with store.connected() as connection:
            (original,) = connection.execute(select(reasons.c.original).where(reasons.c.message == MESSAGE)).scalars()
    first = read_frames(original)[0]
    assert (first.path.endswith(FILE), first.line) == (True, LINE)
    assert "line!.total" in SOURCE.splitlines()[LINE - 1]


@pytest.mark.long
def test_visitors_of_the_sample_click_on_what_the_shop_has() -> None:
    arrivals = list(make_sample_visits(SHOP, datetime(2026, 6, 1, tzinfo=UTC)))
    clicked = {one.element: one for arrival in arrivals for view in arrival.beacon.views for one in view.interactions}
    shown = (
        "".join(file.read_text() for file in TEMPLATES.glob("*.html"))
        + (TEMPLATES.parent / "static" / "checkout.js").read_text()
    )
    assert len(clicked) == 6
    for element, one in clicked.items():
        assert one.name in shown
        classes = [name for part in element.split(">") for name in part.split(".")[1:]]
        assert all(re.search(rf'["\s]{name}["\s]', shown) for name in classes), element
    for arrival in arrivals:
        for view in arrival.beacon.views:
            dead = [one for one in view.interactions if one.type == "dead-click"]
            assert all(
                any(one.element == other.element and other.type == "click" for other in view.interactions) for one in dead
            )
    assert any(one.type == "dead-click" for arrival in arrivals for view in arrival.beacon.views for one in view.interactions)


def test_a_database_that_cannot_be_used_ends_no_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings(tmp_path, {"database": f"sqlite:///{tmp_path}"}, {})
    assert make_sample_writer(settings)(real_runs()).startswith("no sample week was added: ")


@pytest.mark.thorough
@pytest.mark.long
def test_the_commands_and_the_status_page_say_so_too(sampled: Sampled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(sampled.folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "journey.toml").write_text(
        '[slo.checkout]\njourneys = ["buy"]\nobjective = "90%"\n[status_page.journeys]\nbuy = "Checkout"\n'
    )
    listed = CliRunner().invoke(app, ["runs", "buy"]).output.splitlines()[1:]
    assert listed
    assert all(", sample" in line for line in listed)
    assert "sample data: the runs before " in CliRunner().invoke(app, ["slo", "show"]).output
    assert CliRunner().invoke(app, ["status-page", "build", "public"]).exit_code == 0
    assert "<strong>Sample data:</strong>" in (tmp_path / "public" / "index.html").read_text()
