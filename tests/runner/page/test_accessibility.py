"""Pages that are checked at the end of a step: what is found, where, and that the page neither prevents nor notices it."""

import io
import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, sync_playwright

from runner.accessibility import (
    AffectedElement,
    Audit,
    AuditScope,
    Violation,
    identify_element,
    normalise_selector,
    read_audit,
)
from runner.browser.chromium import Browser
from runner.measures import measure_run, measure_step
from runner.page.accessibility.page_audit import audit_page
from runner.redaction import Redactor
from runner.result import StepResult
from runner.settings.parsers.accessibility import TAGS, parse_rules_off, parse_switch, parse_tags
from tests.conftest import Monitor
from tests.pages import answer, serving_pages
from tests.support.needs import needs
from tests.support.thorough import thorough_but

PATIENCE = 60.0
"""Seconds for a check that has to succeed."""
HEAD = "<!doctype html><html lang=en><title>t</title>"
BAD = f"{HEAD}<h1>Teas</h1><img src=/tea.png><p style='color:#999'>pale</p>"


@pytest.fixture(scope="module")
@needs("browser")
def opened(chromium: Browser) -> Iterator[BrowserContext]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium.path)
        yield started.new_context()
        started.close()


def check(context: BrowserContext, address: str, scope: AuditScope | None = None, redactor: Redactor | None = None) -> Audit:
    """What is found on a page."""
    page = context.new_page()
    page.goto(address)
    with audit_page(page, scope or AuditScope(), redactor or Redactor(), PATIENCE) as (audit, _):
        pass
    page.close()
    return audit


def rules(audit: Audit) -> dict[str, int]:
    return {one.rule: one.count for one in audit.violations}


@pytest.mark.thorough
def test_frames_of_every_site_and_shadow_roots_are_checked_past_a_policy_and_a_page_that_replaces_everything(
    opened: BrowserContext,
) -> None:
    page = f"""{HEAD}<meta http-equiv=Content-Security-Policy content="script-src 'sha256-x' 'unsafe-inline'"><h1>a</h1><img src=x id=i>
        <div id=host><template shadowrootmode=open><button class=inner></button></template></div>
        <iframe src=/in title=a></iframe><iframe src=http://localhost:OWN/out title=b></iframe><iframe src=/in hidden title=c></iframe>
        <script>document.querySelectorAll = () => []; Element.prototype.matches = () => {{ throw 1 }}; globalThis.axe = {{}};
        getComputedStyle = null; JSON.stringify = () => 'no';
        addEventListener('message', (event) => document.body.append(document.createElement('blink')))</script>"""

    def shown(request: BaseHTTPRequestHandler) -> None:
        answer(request, page.replace("OWN", request.headers["Host"].partition(":")[2]).encode())

    with serving_pages({"/": shown, "/in": "<a href=/x></a>", "/out": "<input>"}) as site:
        audit = check(opened, site)
    assert (audit.problems, audit.failed) == ((), False)
    assert rules(audit) == {"image-alt": 1, "button-name": 1, "link-name": 1, "label": 1}
    targets = {one.rule: one.elements[0].target for one in audit.violations}
    assert targets["button-name"] == "#host >>> button"
    assert targets["link-name"].endswith(" >>> a")
    assert targets["label"].endswith(" >>> input")
    image = next(one for one in audit.violations if one.rule == "image-alt")
    assert (image.impact, image.elements[0].html) == ("critical", '<img src="x" id="i">')
    assert image.help_url.startswith("https://dequeuniversity.com/rules/axe/")
    assert "Element does not have an alt attribute" in image.elements[0].summary


def test_the_page_notices_nothing_and_nothing_is_requested(opened: BrowserContext) -> None:
    page = f"""{HEAD}<link rel=stylesheet href=/style.css><h1>a</h1><img src=/tea.png><iframe src=/in title=a></iframe><script>
        globalThis.seen = []; new MutationObserver((all) => seen.push(all.length)).observe(document, {{subtree: true, childList: true,
        attributes: true}}); addEventListener('message', () => seen.push('message')); addEventListener('scroll', () => seen.push('scroll'))
    </script>"""
    shown = opened.new_page()
    with serving_pages({"/": page, "/in": "<img src=/in.png>"}) as site:
        shown.goto(site)
        asked: list[str] = []
        shown.on("request", lambda request: asked.append(request.url))
        with audit_page(shown, AuditScope(), Redactor(), PATIENCE) as (audit, _):
            assert rules(audit) == {"image-alt": 2}
        assert shown.evaluate("[seen.length, 'axe' in window, 'journeyAudit' in window]") == [0, False, False]
        assert asked == []
    shown.close()


@pytest.mark.thorough
def test_what_is_checked_can_be_chosen_and_a_wrong_choice_is_said(opened: BrowserContext) -> None:
    with serving_pages({"/": BAD}) as site:
        assert rules(check(opened, site)) == {"image-alt": 1, "color-contrast": 1}
        assert rules(check(opened, site, AuditScope(include=("p",)))) == {"color-contrast": 1}
        assert rules(check(opened, site, AuditScope(exclude=("p",)))) == {"image-alt": 1}
        assert rules(check(opened, site, AuditScope(tags=("wcag143",)))) == {"color-contrast": 1}
        off = check(opened, site, AuditScope(off={"image-alt": "logos", "no-such-rule": "x"}))
        assert rules(off) == {"color-contrast": 1}
        assert off.problems == ("axe has no rule no-such-rule, which is to be off",)
        nothing = check(opened, site, AuditScope(include=(".gone",)))
        assert nothing.failed
        assert nothing.problems == ("the page was not checked: it has no element that matches .gone",)
        wrong = check(opened, site, AuditScope(exclude=("p[",)))
        assert wrong.failed
        assert "the page was not checked: " in wrong.problems[0]


def test_every_tag_that_a_setting_can_name_has_rules(opened: BrowserContext) -> None:
    page = opened.new_page()
    page.goto("about:blank")
    page.evaluate((Path(__file__).parents[3] / "runner" / "page" / "axe.js").read_text())
    known = set(page.evaluate("axe.getRules().flatMap((rule) => rule.tags)"))
    page.close()
    assert set(TAGS) <= known
    for tag in known - set(TAGS):
        if tag.startswith(("wcag", "cat.", "section508")) and not tag.endswith("-obsolete"):
            parse_tags([tag])


@pytest.mark.thorough
def test_a_page_of_many_elements_is_checked_as_far_as_the_time_goes_and_says_what_is_missing(opened: BrowserContext) -> None:
    page = opened.new_page()
    page.set_content(f"{HEAD}<h1>a</h1>" + "<div><a href=/x><p>tea</p></a></div>" * 12_500)
    with audit_page(page, AuditScope(), Redactor(), 2) as (audit, _):
        assert "took too long" in " ".join(audit.problems)
    # Nothing goes on in it, and the same document can be checked again.
    page.evaluate(f"document.body.innerHTML = {BAD[BAD.index('<h1>') :]!r}")
    with audit_page(page, AuditScope(), Redactor(), PATIENCE) as (audit, _):
        assert (rules(audit), audit.problems) == ({"image-alt": 1, "color-contrast": 1}, ())
    page.close()


def test_a_page_that_goes_or_has_gone_is_a_problem_of_the_check_alone(opened: BrowserContext) -> None:
    page = opened.new_page()
    page.close()
    with audit_page(page, AuditScope(), Redactor(), PATIENCE) as (audit, _):
        assert audit.failed
    assert opened.browser
    with opened.browser.new_context() as context:
        leaving = context.new_page()
        leaving.set_content(f"{HEAD}<h1>a</h1>" + "<p>tea</p>" * 3000)
        leaving.evaluate("setTimeout(() => { location.href = 'about:blank' }, 100)")
        with audit_page(leaving, AuditScope(), Redactor(), PATIENCE) as (audit, _):
            # It has left before or meanwhile: what is checked is what came, or the check says that it could not be.
            assert audit.failed != ("document-title" in rules(audit))
        # A tab alone may be forgotten while it leaves (tab_closing.cjs, which is not loaded here).


def test_secrets_are_hidden_also_where_axe_shortens_them(opened: BrowserContext) -> None:
    page = f"{HEAD}<h1>a</h1><a href='/reset/first-half-sesame/last-half.html'></a><img src=x data-key='sesame-4711'>"
    redactor = Redactor()
    redactor.hide("first-half-sesame/last-half.html")
    redactor.hide("sesame-4711")
    with serving_pages({"/": page}) as site:
        audit = check(opened, site, redactor=redactor)
    assert rules(audit) == {"link-name": 1, "image-alt": 1}
    text = str(audit)
    assert "last-half" not in text
    assert "sesame" not in text
    assert "•••" in text


LIST = "<ul>{}</ul>"


def name_findings(page: Page, body: str) -> list[tuple[str, str]]:
    """Both names of each finding on a page with this body."""
    page.set_content(f"{HEAD}<main><h1>a</h1>{body}</main>")
    with audit_page(page, AuditScope(), Redactor(), PATIENCE) as (audit, _):
        assert audit.violations
    return [identify_element(one.rule, element) for one in audit.violations for element in one.elements]


def is_new(context: BrowserContext, before: str, after: str) -> bool:
    """Whether the second body has a finding that the first one has not."""
    page = context.new_page()
    known = {name for names in name_findings(page, before) for name in names}
    found = [known.isdisjoint(names) for names in name_findings(page, after)]
    page.close()
    return any(found)


@pytest.mark.parametrize(
    ("before", "after"),
    thorough_but(
        2,
        [
            (LIST.format("<li id=a><img src=1><li>b<li>c"), LIST.format("<li>c<li>b<li id=a><img src=1>")),
            (LIST.format("<li><img src=1>" * 2), LIST.format("<li><img src=9>" * 5)),
            ("<button id=:r1a:></button>", "<button id=:r3f:></button>"),
            ("<button id=b-9f86d081884c></button>", "<button id=b-60303ae22b99></button>"),
            ("<button class='css-1q2w3e pay'></button>", "<button class='css-8u7y6t pay'></button>"),
            ("<button class=pay></button>", "<div><section><button class=pay></button></section></div>"),
            ("<div></div><button></button>", "<button></button><div></div>"),
        ],
    ),
    ids=["reordered", "longer list", "React's ids", "hash", "generated class", "a new element around it", "other place"],
)
def test_what_was_there_before_is_not_new(opened: BrowserContext, before: str, after: str) -> None:
    assert not is_new(opened, before, after)


@pytest.mark.parametrize(
    "after",
    thorough_but(
        1,
        [
            "<img src=1><p><button></button></p>",
            "<img src=1><form><input></form>",
            "<img src=1><section><img src=1 class=hero></section>",
        ],
    ),
    ids=["another rule", "another element", "the same rule elsewhere"],
)
def test_what_was_not_there_is_new(opened: BrowserContext, after: str) -> None:
    assert is_new(opened, "<img src=1>", after)


def test_selectors_are_compared_without_positions_and_numbers() -> None:
    assert normalise_selector("#row-4821 > li:nth-child(3)") == "#row-* > li"
    assert normalise_selector("#\\:r1a\\: > .css-1f0c9ab") == "#* > .css-*"
    # A word of letters is no hash, whatever letters it has.
    assert normalise_selector(".facade > #cafe") == ".facade > #cafe"
    element = AffectedElement(target="#a", path="html > body > iframe:nth-child(2) >>> html > body")
    assert identify_element("x", element)[0] == "x in html > body > iframe >>> html > body"


STEPS = """
    @journey
    def walk(page, step, secrets):
        secrets["WORD"].reveal()
        with step("plain"):
            page.goto("/")
        with step("asked"):
            page.goto("/two")
            step.axe(off={"color-contrast": "the brand"})
        with step("missed", soft=True):
            step.axe()
            assert page.title() == "x"
"""


def test_a_step_is_checked_when_it_or_the_setting_asks_for_it(monitor: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = monitor.folder / "secrets"
    secrets.mkdir()
    (secrets / "WORD").write_text("sesame-4711")
    two = f"{BAD}<p><button style='position:absolute;top:1500px;left:50px;width:200px'></button>sesame-4711"
    with serving_pages({"/": BAD, "/two": two}) as site:
        result = monitor.run(STEPS, base_url=site, secrets_dir="secrets")
    plain, asked, missed = map(read_audit, result.steps)
    assert plain is None
    assert missed is None
    assert asked is not None
    assert (rules(asked), asked.off) == ({"button-name": 1, "image-alt": 1}, {"color-contrast": "the brand"})
    assert measure_step(result.steps[1])["axe.critical"] == 2
    assert "axe.critical" not in measure_step(result.steps[0])
    pictures = [one.path for one in result.artifacts if one.kind == "accessibility"]
    assert [element.picture for one in asked.violations for element in one.elements] == pictures
    assert pictures == ["accessibility/asked.png", "accessibility/asked-2.png"]
    with Image.open(io.BytesIO((monitor.saved() / pictures[0]).read_bytes())) as image:
        # 24 pixels around it, though it is below the window.
        assert image.size[0] == 200 + 48
    assert "sesame" not in (monitor.saved() / "result.json").read_text()


def test_the_setting_checks_every_step_and_nothing_of_it_is_in_a_time(monitor: Monitor) -> None:
    page = f"{BAD}<button onclick='this.textContent = 1'>go</button>" + "<p>tea</p>" * 300
    code = """
        @journey
        def walk(page, step):
            with step("open"):
                page.goto("/")
            with step("click"):
                page.get_by_role("button").click()
                expect(page.get_by_role("button")).to_have_text("1")
    """
    with serving_pages({"/": page}) as site:
        result = monitor.run(code, base_url=site, accessibility="on", accessibility_pictures="off", accessibility_exclude=["p"])
    audits = [read_audit(one) for one in result.steps]
    assert [rules(one) for one in audits if one] == [{"image-alt": 1}] * 2
    assert not any(one.kind == "accessibility" for one in result.artifacts)
    assert measure_run(result)["axe.critical"] == 2
    first, second = result.steps
    assert first.started_at is not None
    assert second.started_at is not None
    assert audits[0] is not None
    # It came between the end of one step and the beginning of the next, each as its own clock has it.
    between = (second.started_at - first.started_at).total_seconds() - (first.wall_seconds or 0)
    assert between >= audits[0].seconds
    assert [one.clock for one in result.steps] == ["page", "page"]
    assert all(one.kind != "long-task" or one.at_seconds <= (second.wall_seconds or 0) for one in second.long_tasks)


def test_a_check_outside_of_a_step_or_with_wrong_words_is_an_error_of_the_journey(monitor: Monitor) -> None:
    outside = monitor.run("@journey\ndef walk(page, step):\n    step.axe()\n    with step('a'):\n        page.goto('/')\n")
    assert outside.failure is not None
    assert "step.axe() is called outside of a step" in outside.failure.message
    wrong = monitor.run(
        "@journey\ndef walk(page, step):\n    with step('a'):\n        page.goto('/')\n        step.axe(tags=['wcag2A'])\n"
    )
    assert wrong.failure is not None
    assert "tags: 'wcag2A' is not a tag of axe" in wrong.failure.message


def test_expect_accessible_names_what_it_found_and_passes_what_is_milder(monitor: Monitor) -> None:
    code = """
        from runner import expect_accessible
        @journey
        def walk(page, step):
            with step("open"):
                page.goto("/")
                expect_accessible(page, exclude=["img", "p"])
                expect_accessible(page, impact="critical", exclude=["img"])
            with step("all"):
                expect_accessible(page)
    """
    with serving_pages({"/": BAD}) as site:
        result = monitor.run(code, base_url=site, screenshots="off")
    assert [one.status for one in result.steps] == ["passed", "failed"]
    assert result.failure is not None
    lines = result.failure.message.splitlines()
    assert "2 elements break 2 rules of accessibility" in lines[0]
    assert "critical image-alt: Images must have alternative text: img" in lines
    assert "  picture: pictures/all-accessibility-1.png" in lines
    assert (monitor.saved() / "pictures/all-accessibility-1.png").is_file()


def test_what_settings_accept() -> None:
    assert (parse_switch("on"), parse_switch(False)) == ("on", "off")
    with pytest.raises(ValueError, match="'retain-on-failure' is not valid; choose one of off, on"):
        parse_switch("retain-on-failure")
    assert parse_tags("wcag2a wcag143 cat.color") == ("wcag2a", "wcag143", "cat.color")
    with pytest.raises(ValueError, match="'wcag2A' is not a tag of axe"):
        parse_tags(["wcag2A"])
    assert parse_rules_off('color-contrast = "the brand"') == {"color-contrast": "the brand"}
    with pytest.raises(ValueError, match="region: '' is not a reason; write why it is not checked"):
        parse_rules_off({"region": ""})


def test_a_check_that_failed_has_no_figures() -> None:
    violation = Violation(rule="r", impact="minor", help="h", count=3)
    found = {"accessibility": {"failed": True, "violations": [{"rule": "r", "impact": "minor", "help": "h", "count": 3}]}}
    step = StepResult(name="a", index=0, status="passed", signals=found)
    assert read_audit(step) == Audit(failed=True, violations=(violation,))
    assert not [name for name in measure_step(step) if name.startswith("axe.")]


def test_what_checks_pages_is_not_imported_by_those_who_do_not() -> None:
    code = """
        import sys, json
        import runner.workers.main, runner.execution.run, runner.pytest_plugin.item_run, runner.artifacts.recording
        print(json.dumps([one for one in sys.modules if one.startswith(("runner.page.accessibility", "runner.artifacts.accessibility"))]))
    """
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == []
