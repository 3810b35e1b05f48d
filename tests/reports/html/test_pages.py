"""The pages of smoke checks and of runs: in a real browser, from disk, whatever a journey is called."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from jinja2 import PackageLoader
from lxml import html
from msgspec import to_builtins
from msgspec.structs import replace
from PIL import Image
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Dialog, Page, expect, sync_playwright

from reports.formats.html import page as html_page
from reports.formats.html.run import load_run_templates, render_run
from reports.formats.html.runs import runs_html
from reports.formats.html.smoke import smoke_html
from reports.formats.html.suite import suite_html
from reports.smoke.picture_file import PictureFile
from reports.smoke.result import AccessibilityCheck, FindingCheck, PictureCheck, ProfiledFunction, SmokeResult
from reports.suite.entries import list_test_entries
from reports.text.smoke_text import format_verdict
from runner.accessibility import SIGNAL, AffectedElement, Audit, Violation
from runner.archive.archive import Saved
from runner.browser.chromium import Browser
from runner.pictures.region import Region
from runner.result import Artifact
from tests.reports.hostile import NASTY, hostile_run, hostile_smoke, texts
from tests.reports.html.test_suite import HELD_RUN, MIXED, many
from tests.reports.samples import RUN, RUNS, SMOKES
from tests.reports.samples import run as sample_run
from tests.reports.web.accessible import CONTRAST, violations
from tests.support.thorough import thorough_but

ALLOWED = {"html", "head", "meta", "title", "style", "body", "main", "header", "section", "nav", "h1", "h2", "h3", "h4"}
ALLOWED |= {"p", "span", "strong", "code", "br", "a", "ul", "li", "div", "dl", "dt", "dd", "details", "summary"}
ALLOWED |= {"table", "caption", "thead", "tbody", "tr", "th", "td"}
ALLOWED |= {"article", "fieldset", "legend", "label", "input"}
ALLOWED |= {"figure", "figcaption", "svg", "g", "line", "rect", "circle", "text"}
ALLOWED |= {"fieldset", "legend", "label", "input", "img"}


@pytest.fixture(scope="module")
def engine(chromium: Browser) -> Iterator[Chromium]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium.path)
        yield started
        started.close()


@pytest.fixture(scope="module")
def window(engine: Chromium) -> Page:
    """One for all tests, each of which shows pages of its own in it: opening one takes longer than most of them."""
    return engine.new_page(viewport={"width": 390, "height": 800})


class Shown:
    """A page that is open in a browser's window, and what it has asked for and complained of."""

    def __init__(self, window: Page, folder: Path) -> None:
        self.folder = folder
        self.page = window
        self.asked: list[str] = []
        self.problems: list[str] = []
        self._listeners: dict[str, Callable[[Any], None]] = {
            "request": lambda request: self.asked.append(request.url),
            "console": lambda message: self.problems.append(message.text),
            "pageerror": lambda error: self.problems.append(str(error)),
            "dialog": self._refuse,
        }
        for event, listener in self._listeners.items():
            self.page.on(event, listener)  # type: ignore[call-overload]

    def leave(self) -> None:
        """Shows nothing; the window is as it was."""
        for event, listener in self._listeners.items():
            self.page.remove_listener(event, listener)
        self.page.goto("about:blank")
        self.page.emulate_media(color_scheme="light")

    def _refuse(self, dialog: Dialog) -> None:
        self.problems.append(dialog.message)
        dialog.dismiss()

    def open(self, content: bytes) -> Page:
        file = self.folder / "report.html"
        file.write_bytes(content)
        self.page.goto(file.as_uri())
        return self.page

    def assert_quiet(self) -> None:
        """It asked for itself alone, ran nothing, and fits a phone."""
        assert self.problems == []
        assert {url for url in self.asked if not url.startswith("data:")} == {(self.folder / "report.html").as_uri()}
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        # Their rows are cards there, and waterfalls are drawn anew; a film strip still scrolls.
        assert self.page.evaluate(
            "[...document.querySelectorAll('.scroll:has(> table)')].every(one => one.scrollWidth <= one.clientWidth + 1)"
        ), "a table scrolls sideways"
        assert self.page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") == "1120px", "no style"


@pytest.fixture
def shown(window: Page, tmp_path: Path) -> Iterator[Shown]:
    opened = Shown(window, tmp_path)
    yield opened
    opened.leave()


@pytest.mark.parametrize("name", thorough_but(3, SMOKES))
def test_every_smoke_check_has_a_page_that_fits_a_phone_and_asks_for_nothing(name: str, shown: Shown) -> None:
    page = shown.open(smoke_html(SMOKES[name], shown.folder))
    expect(page.get_by_role("heading", level=1)).to_contain_text(format_verdict(SMOKES[name]))
    expect(page.get_by_role("heading", name="What failed")).to_have_count(int(SMOKES[name].verdict != "passed"))
    shown.assert_quiet()


@pytest.mark.parametrize("name", thorough_but(3, RUNS))
def test_runs_have_a_page_that_fits_a_phone_and_asks_for_nothing(name: str, shown: Shown) -> None:
    page = shown.open(runs_html(RUNS[name], shown.folder))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    shown.assert_quiet()


def test_what_failed_comes_first_with_its_code_and_how_to_look_at_it(shown: Shown) -> None:
    page = shown.open(smoke_html(SMOKES["failed"], shown.folder))
    expect(page.get_by_role("heading", level=2)).to_have_text(
        ["What failed", "buy ✗ failed", "search ✓ passed", "The rule", "Environment"]
    )
    expect(page.get_by_text("Locator expected to be visible")).to_be_visible()
    expect(page.get_by_text('expect(page.get_by_role("heading", name="Thank you"))')).to_be_visible()
    expect(page.get_by_text(f"journey trace {RUN}")).to_be_visible()


def test_links_to_the_failed_run_hold_where_the_page_lies(shown: Shown) -> None:
    folder = shown.folder / "runs" / "buy" / "a #1?"
    folder.mkdir(parents=True)
    (folder / "trace.zip").write_bytes(b"")
    (failed, _) = SMOKES["failed"].journeys
    moved = replace(failed, failed_folder=str(folder), trace=str(folder / "trace.zip"))
    page = shown.open(smoke_html(replace(SMOKES["failed"], journeys=(moved,)), shown.folder))
    assert page.get_by_role("link", name="the run's folder").get_attribute("href") == "./runs/buy/a%20%231%3F"
    address: str = page.get_by_role("link", name="its trace").evaluate("link => link.href")
    assert Path(unquote(urlsplit(address).path)).is_file()


def test_each_step_is_drawn_with_its_baseline_its_tolerance_and_its_budget(shown: Shown) -> None:
    page = shown.open(smoke_html(SMOKES["long"], shown.folder))
    strip, ratio = page.get_by_role("img").all()
    assert strip.get_attribute("aria-label") == (
        "latency: baseline median 0.403 s of 12 runs, candidate median 0.545 s of 12 runs"
    )
    assert ratio.get_attribute("aria-label") == "change of the median +35 % (+28 % to +43 %), tolerated -10 % to +10 %"
    assert [strip.locator(part).count() for part in (".before circle", ".after circle", ".median", ".band", ".budget")] == [
        12,
        12,
        2,
        1,
        1,
    ]
    expect(page.get_by_role("figure").first).to_contain_text("dashed: budget of p95 latency: 0.500 s")


def test_each_cell_names_its_column_where_rows_are_cards(shown: Shown) -> None:
    page = shown.open(runs_html(RUNS["several"], shown.folder))
    assert [one.get_attribute("data-label") for one in page.locator("tbody tr").last.locator("td").all()][:3] == [
        "status",
        "latency",
        "wall",
    ]
    labels = page.locator("table", has_text="ended by").first.locator("tbody tr").first.locator("td")
    assert [one.get_attribute("data-label") for one in labels.all()] == ["run", "latency", "wall", "ended by"]
    page = shown.open(render_run(RUNS["several"][0]))
    labels = page.locator("table", has_text="ended by").first.locator("tbody tr").first.locator("td")
    assert [one.get_attribute("data-label") for one in labels.all()] == [
        "status",
        "latency",
        "wall",
        None,
        "budget",
        "ended by",
    ]


def test_a_table_tells_the_same_to_those_who_do_not_see_the_drawing(shown: Shown) -> None:
    page = shown.open(smoke_html(SMOKES["slower"], shown.folder))
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="pay"))
    expect(row.get_by_role("cell")).to_have_text(["0.403 s", "0.545 s", "+35 % (+28 % to +43 %)", "slower", "–"])
    page.get_by_text("all values").first.click()
    expect(page.get_by_text("latency: 0.124 s, 0.120 s, ")).to_be_visible()
    expect(page.get_by_text("sums of ranks (Mann–Whitney)").first).to_be_visible()


def test_the_page_can_be_read_with_the_keyboard(shown: Shown) -> None:
    page = shown.open(smoke_html(SMOKES["slower"], shown.folder))
    page.keyboard.press("Tab")
    expect(page.get_by_role("group", name="Steps of buy")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("details").first).to_have_attribute("open", "")


def test_dark_and_light_have_their_own_colours(shown: Shown) -> None:
    page = shown.open(smoke_html(SMOKES["slower"], shown.folder))
    colours = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        colours.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert colours == ["rgb(255, 255, 255)", "rgb(21, 26, 24)"]


def test_several_runs_are_one_page_with_a_table_that_leads_to_each(shown: Shown) -> None:
    page = shown.open(runs_html(RUNS["several"], shown.folder))
    expect(page.get_by_role("heading", level=1)).to_have_text("3 runs: 1 failed, 1 error, 1 passed")
    page.get_by_role("article", name="search").get_by_role("link", name="All that it loaded").click()
    expect(page.get_by_role("heading", level=2, name="search ! error")).to_be_in_viewport()


def test_the_page_of_a_session_is_filtered_without_a_script(shown: Shown) -> None:
    page = shown.open(suite_html(list_test_entries([*MIXED, *many(20, 5)], {RUN: HELD_RUN}), shown.folder))
    shown.assert_quiet()
    page.get_by_label("1 flaky").check()
    expect(page.locator(".test:visible")).to_have_count(1)


def with_audit(saved: Saved) -> Saved:
    """A run whose first step was checked for accessibility, with the picture of an element."""
    elements = (
        AffectedElement(
            target="#a > img", path="html > body > img", html="<img src=1>", picture="accessibility/a.png", count=3
        ),
        AffectedElement(
            target="main >>> " + "b" * 200, path="html > b", html=f"<b>{'x' * 250}</b>", summary="Fix any:\n  this"
        ),
    )
    found = Audit(
        violations=(
            Violation(rule="image-alt", impact="critical", help="Images must have text", count=4, elements=elements, help_url="https://x.example/a"),
            Violation(rule="region", impact="moderate", help="Content must be in landmarks", count=1, elements=elements[1:], tags=("wcag2a",)),
        ),
        unclear=2, left_out=7, problems=("the frame #f was not checked: it took too long",), off={"label": "the brand"},
    )  # fmt: skip
    first, *others = saved.result.steps
    picture = saved.folder / "accessibility" / "a.png"
    picture.parent.mkdir(parents=True)
    Image.new("RGB", (80, 40), "teal").save(picture)
    artifact = Artifact(kind="accessibility", path="accessibility/a.png", bytes=picture.stat().st_size, step=first.name)
    steps = (replace(first, signals={SIGNAL: to_builtins(found)}), *others)
    return replace(saved, result=replace(saved.result, steps=steps, artifacts=(artifact,)))


def with_new_findings() -> SmokeResult:
    """A check of a step with two findings that its baseline has not."""
    result = SMOKES["slower"]
    new = tuple(
        FindingCheck(
            rule=impact,
            impact=impact,
            help=f"of {impact}",
            target="#a > img",
            html="<img src=1>",
            help_url="https://x.example/a",
        )
        for impact in ("critical", "minor")
    )
    found = AccessibilityCheck(
        outcome="new", new=new, new_counts={"critical": 1, "minor": 1}, counts={"critical": 3}, audits=(5, 5)
    )
    first = result.journeys[0]
    steps = tuple(replace(one, accessibility=found) for one in first.steps)
    return replace(result, journeys=(replace(first, steps=steps), *result.journeys[1:]))


def with_everything_twice(folder: Path) -> SmokeResult:
    """Two journeys with steps of the same names, each of which looks different and has new findings; a profile is made of each."""
    result = looks_different(folder)
    findings = with_new_findings().journeys[0].steps[0].accessibility
    profile = (
        ProfiledFunction(function="work", url="https://a.example/a.js", line=3, column=1, self_seconds=0.1, total_seconds=0.2),
    )
    first = result.journeys[0]
    steps = tuple(replace(one, accessibility=findings, profile=profile) for one in first.steps)
    return replace(result, journeys=tuple(replace(first, name=name, steps=steps) for name in ("buy", "look")))


PAGES: dict[str, Callable[[Path], bytes]] = {
    "smoke check": lambda folder: smoke_html(with_everything_twice(folder), folder),
    "run": lambda folder: render_run(with_audit(sample_run(folder=folder))),
    "runs": lambda folder: runs_html([with_audit(sample_run(folder=folder / name)) for name in "ab"], folder),
    "session": lambda folder: suite_html(list_test_entries([*MIXED, *many(20, 5)], {RUN: HELD_RUN}), folder),
}


@pytest.mark.long
@pytest.mark.parametrize("name", thorough_but(1, PAGES))
def test_each_page_is_accessible_on_a_phone_and_on_a_screen_light_and_dark(name: str, shown: Shown) -> None:
    page = shown.open(PAGES[name](shown.folder))
    shown.assert_quiet()
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    try:
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            for scheme, only in (("light", ()), ("dark", CONTRAST)):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                assert violations(page, [], only) == []
    finally:
        page.set_viewport_size({"width": 390, "height": 800})


def test_findings_are_shown_with_their_picture_and_filtered_by_impact(shown: Shown) -> None:
    page = shown.open(PAGES["run"](shown.folder))
    part = page.get_by_role("group", name="Accessibility of open the shop")
    expect(part).to_contain_text(
        "accessibility: 4 critical, 1 moderate in 2 rules; the frame #f was not checked: it took too long; 2 rules"
    )
    expect(part).to_contain_text("not checked: label, the brand")
    part.get_by_text("Images must have text").click()
    expect(part.get_by_alt_text("#a > img")).to_be_visible()
    part.get_by_label("moderate").check()
    expect(part.get_by_text("Images must have text")).to_be_hidden()
    expect(part.get_by_text("Content must be in landmarks")).to_be_visible()
    # Among the pictures of the page, an element would be lost.
    expect(page.get_by_role("group", name="Pictures of")).to_have_count(0)
    shown.assert_quiet()


@pytest.mark.parametrize("text", thorough_but(3, NASTY))
def test_a_hostile_journey_does_not_run(text: str, shown: Shown) -> None:
    for content in (
        smoke_html(hostile_smoke(text), shown.folder),
        runs_html([hostile_run(text), hostile_run(text)], shown.folder),
    ):
        page = shown.open(content)
        assert page.evaluate("document.querySelectorAll('script, img, iframe, object, base, form').length") == 0
        shown.assert_quiet()


@pytest.mark.long
@given(texts)
def test_whatever_a_page_says_it_is_text(text: str) -> None:
    for content in (smoke_html(hostile_smoke(text)), runs_html([hostile_run(text), hostile_run(text)], Path("/x"))):
        document = html.document_fromstring(content.decode())
        assert {one.tag for one in document.iter() if isinstance(one.tag, str)} <= ALLOWED
        assert not [name for one in document.iter() for name in one.attrib if name.startswith("on") or name == "style"]
        assert all(link.startswith(("file:///", "./", "#")) for link in document.xpath("//a/@href"))


def test_the_page_of_a_run_reads_no_template_that_was_not_read_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    html_page._environment.cache_clear()  # as in a new process
    load_run_templates()

    def refuse(*_: object) -> None:
        raise AssertionError("a template was read while a run waited for its page")

    monkeypatch.setattr(PackageLoader, "get_source", refuse)
    saved = RUNS["several"][0]
    assert saved.result.journey in render_run(saved).decode()


VIEWS = ("before", "after", "difference", "where")


def looks_different(folder: Path, name: str = "pay") -> SmokeResult:
    """A check whose step `pay` looks different, with its file of pictures."""
    file = folder / "check.pictures.zip"
    with PictureFile(file, "--pictures") as written:
        for view, colour in zip(VIEWS, ("navy", "green", "deeppink", "white"), strict=True):
            content = io.BytesIO()
            Image.new("RGB", (600, 300), colour).save(content, "WEBP", lossless=True)
            written.add(f"{view}.webp", content.getvalue())
    picture = PictureCheck(
        outcome="different",
        share=0.02,
        masked=0.1,
        regions=(Region(x=10, y=20, width=30, height=40, pixels=900),),
        region_count=3,
        pictures=(5, 5),
        files={view: f"{view}.webp" for view in VIEWS},
    )
    first = SMOKES["passed"].journeys[0]
    same = replace(picture, outcome="same", regions=(), files={})
    steps = tuple(
        replace(step, name=name, picture=picture) if number else replace(step, picture=same)
        for number, step in enumerate(first.steps)
    )
    return replace(SMOKES["passed"], journeys=(replace(first, verdict="missed", steps=steps),), pictures=str(file))


@pytest.mark.thorough
def test_a_step_that_looks_different_is_shown_side_by_side_marked_and_blinking_by_the_keyboard(shown: Shown) -> None:
    page = shown.open(smoke_html(looks_different(shown.folder), shown.folder))
    part = page.get_by_role("group", name="pay different")
    expect(part).to_contain_text("looks different from ")
    before, after, over = part.get_by_alt_text("baseline"), part.get_by_alt_text("candidate"), part.get_by_alt_text("pink")
    expect(before).to_be_visible()
    expect(after).to_be_visible()
    expect(over).to_be_hidden()
    part.get_by_role("radio", name="side by side").press("ArrowRight")
    expect(over).to_be_visible()
    expect(before).to_be_hidden()
    part.get_by_role("radio", name="differences").press("ArrowRight")
    expect(over).to_be_hidden()
    assert before.bounding_box() == after.bounding_box()
    assert part.locator(".after").evaluate("figure => getComputedStyle(figure).animationName") == "blink"
    part.get_by_text("where on the page").click()
    expect(part).to_contain_text("30 × 40 pixels at 10, 20 (900 differ); and 2 more")
    expect(page.get_by_role("heading", name="open the shop same")).to_be_visible()
    assert violations(page, []) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, []) == []
    shown.problems.clear()  # axe is not of this page
    shown.assert_quiet()


def test_pictures_that_are_gone_and_those_without_room_are_said_to_be(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    result = looks_different(shown.folder)
    monkeypatch.setattr("reports.formats.html.pictures.ROOM", 100)
    page = shown.open(smoke_html(result, shown.folder))
    expect(page.get_by_text("There is no room left in this page for these pictures")).to_be_visible()
    Path(result.pictures).unlink()
    page = shown.open(smoke_html(result, shown.folder))
    expect(page.get_by_text("The pictures are missing: ")).to_be_visible()
    shown.assert_quiet()
