"""The pictures on a run's page: those that were saved, those that the trace has, or why there are none."""

import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree

import pytest
from playwright.sync_api import Browser as Playwright
from playwright.sync_api import Page, expect

from reports.web.pages.artifacts import INERT
from reports.web.view_models.filmstrip import LARGEST_PICTURE, TraceSource, read_frames, read_picture
from runner.result import RunResult
from tests.conftest import Monitor
from tests.support.services.dashboard import Visited

WALK = """
@journey({options})
def walk(page, step):
    with step("open the shop"):
        page.goto("/")
        # A page that is left before it was painted has no picture.
        page.wait_for_timeout(500)
    with step("look at a tea"):
        page.goto("/product/sencha")
        page.wait_for_timeout(500)
"""
JSON = {"accept": "application/json"}


@pytest.fixture
def page(chrome: Playwright) -> Iterator[Page]:
    context = chrome.new_context()
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("console", lambda line: wrong.append(line.text) if line.type in {"error", "warning"} else None)
    yield opened
    assert wrong == []
    context.close()


def walked(monitor: Monitor, served: Visited, options: str) -> RunResult:
    result = monitor.run(WALK.format(options=options))
    assert result.status == "passed"
    served.store.add(result, monitor.saved())
    return result


def loaded(page: Page) -> list[int]:
    """The widths of the pictures that the page shows."""
    images = page.get_by_role("group", name="Pictures").get_by_role("img")
    expect(images.first).to_be_visible()
    for one in images.all():
        one.scroll_into_view_if_needed()
    page.wait_for_function("[...document.querySelectorAll('.film img')].every(one => one.complete)")
    widths: list[int] = page.evaluate("[...document.querySelectorAll('.film img')].map(one => one.naturalWidth)")
    return widths


@pytest.mark.thorough
def test_a_run_that_passed_shows_the_pictures_that_were_saved(
    dashboard: Callable[..., Visited], monitor: Monitor, page: Page
) -> None:
    served = dashboard()
    run = walked(monitor, served, 'screenshots="on"')
    page.goto(f"{served.address}/runs/{run.id}")
    assert len(loaded(page)) == 2
    assert min(loaded(page)) > 100
    expect(page.get_by_role("img", name="The page in “look at a tea”")).to_be_visible()


@pytest.mark.thorough
def test_without_them_it_shows_the_film_of_the_trace(dashboard: Callable[..., Visited], monitor: Monitor, page: Page) -> None:
    served = dashboard()
    run = walked(monitor, served, 'screenshots="off", trace="on"')
    told = served.get(f"/api/v1/runs/{run.id}", **JSON).json()["frames"]
    assert {one["step"] for one in told} == {"open the shop", "look at a tea"}
    times = [one["at_seconds"] for one in told]
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] <= run.duration_seconds
    page.goto(f"{served.address}/runs/{run.id}")
    widths = loaded(page)
    assert len(widths) == len(told)
    assert min(widths) > 100
    expect(page.get_by_role("group", name="Pictures")).to_contain_text("look at a tea")


@pytest.mark.long
def test_a_run_that_failed_shows_the_step_that_failed_and_how_it_came_there(
    dashboard: Callable[..., Visited], monitor: Monitor, page: Page
) -> None:
    served = dashboard()
    code = WALK.format(options="") + "        page.get_by_role('button', name='Nobody made this').click(timeout=700)\n"
    run = monitor.run(code)
    served.store.add(run, monitor.saved())
    page.goto(f"{served.address}/runs/{run.id}#why")
    expect(page.get_by_role("img", name="The page when “look at a tea” failed")).to_be_in_viewport()
    assert min(loaded(page)) > 100
    # By default only the step that failed has a picture of its own, which is shown above; what was before it is in the trace.
    film = page.get_by_role("group", name="Pictures")
    expect(film.get_by_role("img", name="The page in “look at a tea”")).to_have_count(0)
    expect(film.get_by_role("img", name="The page in “open the shop”").first).to_have_attribute("src", re.compile("/frames/"))


@pytest.mark.thorough
def test_where_there_is_none_the_page_says_which_setting_makes_them(
    dashboard: Callable[..., Visited], monitor: Monitor, page: Page
) -> None:
    served = dashboard()
    run = walked(monitor, served, "")
    page.goto(f"{served.address}/runs/{run.id}")
    pictures = page.get_by_role("region", name="Files")
    expect(pictures).to_contain_text('screenshots = "on"')
    expect(pictures).to_contain_text('trace = "on"')


@pytest.mark.thorough
def test_pictures_that_were_removed_are_not_called_never_made(
    dashboard: Callable[..., Visited], monitor: Monitor, page: Page
) -> None:
    served = dashboard()
    run = walked(monitor, served, 'screenshots="off", trace="on"')
    for file in monitor.saved().rglob("*.zip"):
        file.unlink()
    page.goto(f"{served.address}/runs/{run.id}")
    expect(page.get_by_role("region", name="Files")).to_contain_text("have been deleted")
    rmtree(monitor.saved())
    page.goto(f"{served.address}/runs/{run.id}")
    expect(page.get_by_text("The run's folder has been removed")).to_be_visible()


def test_a_picture_of_a_trace_is_asked_for_by_its_number_and_is_inert(
    dashboard: Callable[..., Visited], monitor: Monitor
) -> None:
    served = dashboard()
    run = walked(monitor, served, 'screenshots="off", trace="on", console="on"')
    kept = {one["kind"]: one["id"] for one in served.get(f"/api/v1/runs/{run.id}/artifacts", **JSON).json()["artifacts"]}
    trace = kept["trace"]
    answer = served.get(f"/artifacts/{trace}/frames/0")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.body.startswith(b"\xff\xd8\xff")
    assert {name: answer.headers[name.lower()] for name in INERT} == INERT
    other = next((number for kind, number in kept.items() if kind != "trace"), 99)
    for path in (
        f"/artifacts/{trace}/frames/99999",
        f"/artifacts/{trace}/frames/{10**30}",
        f"/artifacts/{trace}/frames/-1",
        f"/artifacts/{trace}/frames/trace.trace",
        f"/artifacts/{trace}/frames/..%2f..%2fresult.json",
        f"/artifacts/{other}/frames/0",
        f"/artifacts/{10**30}/frames/0",
    ):
        assert served.get(path).status == 404, path


def test_what_is_no_picture_or_no_trace_is_shown_to_nobody(tmp_path: Path) -> None:
    file = tmp_path / "trace.zip"
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("screencast/1.jpeg", b"<script>alert(1)</script>")
        made.writestr("screencast/2.svg", b"<svg onload='alert(1)'/>")
        made.writestr("screencast/3.jpeg", b"\xff\xd8\xff" + b"0" * LARGEST_PICTURE)
        made.writestr("screencast/4.jpeg", b"\xff\xd8\xff all right")
        made.writestr("trace.trace", b'{"type":"screencast-frame"\n{"type":"before","method":"tracingGroup"}\n')
    assert [read_picture(TraceSource(file), number) for number in range(4)] == [
        None,
        None,
        (b"\xff\xd8\xff all right", "image/jpeg"),
        None,
    ]
    assert read_frames(TraceSource(file), 1, ["open"]) == ()
    file.write_bytes(b"no zip at all")
    assert (read_picture(TraceSource(file), 0), read_frames(TraceSource(file), 1, ["open"])) == (None, ())
    assert read_frames(TraceSource(tmp_path / "gone.zip"), 1, ["open"]) == ()
