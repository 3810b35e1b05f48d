"""From what Playwright's recorder wrote, in full, to journeys."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.authoring.recorder.write_journey import WrittenJourney, write
from runner.dsl.discovery import load_journeys
from runner.errors import RecordingError
from tests.conftest import Monitor
from tests.runner.recorder.conftest import RECORDINGS
from tests.support.thorough import thorough_but

ROOT = Path(__file__).parents[3]
NAMES = sorted(one.stem for one in RECORDINGS.iterdir())
Reading = Callable[[str], str]


def script(*lines: str, header: str = "context = browser.new_context()") -> str:
    """What the recorder writes around the lines of a walk."""
    body = "\n".join(f"    {line}" for line in lines)
    return f"""import re
from playwright.sync_api import Playwright, sync_playwright, expect


def run(playwright: Playwright) -> None:
    browser = playwright.chromium.launch(headless=False)
    {header}
    page = context.new_page()
{body}
    page.close()

    # ---------------------
    context.close()
    browser.close()


with sync_playwright() as playwright:
    run(playwright)
"""


def body(recording: WrittenJourney) -> str:
    """The lines of the journey's function, without comments and indentation of the whole."""
    function = ast.parse(recording.text).body[-1]
    assert isinstance(function, ast.FunctionDef)
    lines = recording.text.splitlines()[function.body[1].lineno - 1 :]
    return "\n".join(line.removeprefix("    ") for line in lines if not line.strip().startswith("#"))


@pytest.mark.parametrize("name", thorough_but(2, NAMES))
def test_every_recording_becomes_a_journey_in_the_form_of_our_own(recording: Reading, tmp_path: Path, name: str) -> None:
    written = write(recording(name), name)
    file = tmp_path / "walk.py"
    file.write_text(written.text)
    (journey,) = load_journeys(file)
    assert journey.name == name
    assert journey.step_names == written.steps
    assert set(journey.secret_names) == set(written.secrets)
    for check in (["format", "--check"], ["check"]):
        command = [sys.executable, "-m", "ruff", *check, "--no-cache", "--config", str(ROOT / "pyproject.toml"), str(file)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_was_done_or_checked_is_lost(recording: Reading, name: str) -> None:
    methods = r"\.(goto|click|dblclick|fill|check|uncheck|select_option|set_input_files|press|to_\w+)\("
    done = [found for line in recording(name).splitlines() for found in re.findall(methods, line)]
    kept = re.findall(methods, body(write(recording(name), name)))
    # A click into a field that is filled in next, and the Tab that leads to another, are what filling in does itself.
    for method in ("click", "press"):
        while done.count(method) > kept.count(method):
            done.remove(method)
    assert sorted(kept) == sorted(done)


def test_a_bought_tea_has_the_steps_that_a_person_would_name(recording: Reading) -> None:
    written = write(recording("buy"), "buy")
    assert written.steps == (
        "open the home page",
        "open Tieguanyin Oolong oolong tea",
        "add to cart",
        "check out",
        "sign in",
        "continue to payment",
        "pay now",
        "open receipt",
    )
    assert (written.base_url, written.secrets) == ("http://127.0.0.1:8000", ("PASSWORD", "CARD_NUMBER"))


def test_a_bought_tea_can_be_bought_again(recording: Reading, monitor: Monitor, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "PASSWORD").write_text("oolong-and-milk")
    (folder / "CARD_NUMBER").write_text("4242 4242 4242 4242")
    result = monitor.run(write(recording("buy"), "buy").text, secrets_dir=folder)
    assert (result.failure, result.status) == (None, "passed")
    assert all(step.clock == "page" for step in result.steps)
    # The wait for a page is counted where it was caused: each document is loaded in the step that led to it.
    loaded = {step.name: [one.url.removeprefix(monitor.shop) for one in step.navigations] for step in result.steps}
    assert loaded["add to cart"] == ["/cart"]
    assert loaded["sign in"] == ["/checkout"]
    assert [one.partition("/LK-")[0] for one in loaded["open receipt"]] == ["/receipt"]


def test_a_step_ends_when_what_the_next_one_begins_with_is_there() -> None:
    written = write(script('page.goto("http://a.test/")', 'page.get_by_role("link", name="Tea").click()'), "walk")
    assert body(written) == (
        'with step("open the home page"):\n'
        '    page.goto("/")\n'
        '    page.get_by_role("link", name="Tea").wait_for()\n\n'
        'with step("open Tea"):\n'
        '    page.get_by_role("link", name="Tea").click()\n'
        "    page.wait_for_load_state()"
    )


def test_what_was_checked_ends_its_step_and_nothing_is_added() -> None:
    check = 'expect(page.get_by_role("heading", name="Teas")).to_be_visible()'
    written = write(
        script('page.goto("http://a.test/")', check, 'page.get_by_role("button", name="Next").click()', check), "walk"
    )
    assert body(written).count(check) == 2
    assert "wait_for" not in written.text
    assert "Nothing was checked" not in written.text


def test_the_same_button_twice_is_no_sign_that_the_page_has_answered() -> None:
    click = 'page.get_by_role("button", name="Next").click()'
    written = write(script('page.goto("http://a.test/")', click, click), "walk")
    assert written.steps == ("open the home page", "next", "next 2")
    assert body(written).count("page.wait_for_load_state()") == 2


def test_a_popup_stays_together_with_the_click_that_opens_it(recording: Reading) -> None:
    assert body(write(recording("buy"), "buy")).endswith(
        'with step("open receipt"):\n'
        "    with page.expect_popup() as page1_info:\n"
        '        page.get_by_role("button", name="Open receipt").click()\n'
        "    page1 = page1_info.value\n"
        "    page1.wait_for_load_state()"
    )


def test_what_is_done_in_a_popup_is_waited_for_there() -> None:
    written = write(
        script(
            'page.goto("http://a.test/")',
            "with page.expect_popup() as page1_info:",
            '    page.get_by_role("link", name="Help").click()',
            "page1 = page1_info.value",
            'page1.get_by_role("link", name="Contact").click()',
            "page1.close()",
            'page.get_by_role("link", name="Home").click()',
        ),
        "walk",
    )
    assert '    page1 = page1_info.value\n        page1.get_by_role("link", name="Contact").wait_for()' in written.text
    assert "page1.close()" in written.text
    assert written.steps == ("open the home page", "open Help", "open Contact", "open Home")


def test_a_dialog_and_a_download_stay_with_their_click(recording: Reading) -> None:
    code = body(write(recording("widgets"), "widgets"))
    assert (
        '    page.once("dialog", lambda dialog: dialog.dismiss())\n    page.get_by_role("button", name="Delete").click()\n'
        in code
    )
    assert 'with page.expect_download():\n        page.get_by_role("link", name="Download").click()\n' in code


def test_addresses_of_the_site_become_relative_and_others_stay() -> None:
    written = write(
        script(
            'page.goto("https://shop.test")',
            'page.goto("https://shop.test/cart?x=1#pay")',
            'page.goto("https://shop.test.evil.test/")',
            'page.goto("https://bank.test/pay")',
            'expect(page).to_have_url("https://shop.test/thanks")',
        ),
        "walk",
    )
    assert re.findall(r'(?:goto|url)\("(.*)"\)', written.text) == [
        "/",
        "/cart?x=1#pay",
        "https://shop.test.evil.test/",
        "https://bank.test/pay",
        "/thanks",
    ]
    assert written.base_url == "https://shop.test"
    assert written.steps == ("open the home page", "open cart", "open shop.test.evil.test", "open bank.test pay")


def test_an_address_that_was_typed_into_a_field_stays_as_it_is() -> None:
    typed = 'page.get_by_label("Website").fill("https://shop.test/me")'
    written = write(script('page.goto("https://shop.test/")', typed), "walk")
    assert f"        {typed}\n" in written.text


def test_a_password_in_an_address_is_left_out() -> None:
    written = write(script('page.goto("https://me:oolong@shop.test/a")', 'page.goto("https://me:oolong@other.test/")'), "walk")
    assert "oolong" not in written.text
    assert written.base_url == "https://shop.test"
    assert 'goto("https://other.test/")' in written.text
    assert any("basic_auth" in note for note in written.notes)


def test_a_page_that_did_not_come_is_no_step() -> None:
    written = write(script('page.goto("http://a.test/")', 'page.goto("chrome-error://chromewebdata/")'), "walk")
    assert written.steps == ("open the home page",)


def test_what_the_recorder_was_told_of_the_browser_is_noted(recording: Reading) -> None:
    notes = write(recording("phone"), "phone").notes
    assert [note.partition(";")[0] for note in notes] == [
        "recorded with **playwright.devices['Pixel 7']",
        "recorded with locale='de-DE'",
    ]


def test_a_second_tab_needs_the_context() -> None:
    written = write(
        script('page.goto("http://a.test/")', "page1 = context.new_page()", 'page1.goto("http://a.test/b")'), "walk"
    )
    assert "from runner import BrowserContext, Page, Step, journey\n" in written.text
    assert "def walk(page: Page, context: BrowserContext, step: Step) -> None:" in written.text
    assert '        page1 = context.new_page()\n        page1.goto("/b")\n' in written.text


def test_a_pattern_brings_its_import() -> None:
    line = r'page.locator("div").filter(has_text=re.compile(r"^Total \d+$")).click()'
    written = write(script('page.goto("http://a.test/")', line), "walk")
    assert "import re\n\nfrom runner import" in written.text
    assert f"        {line}\n" in written.text
    assert written.steps[1] == "click Total"


def test_a_line_that_is_too_long_is_broken_at_its_arguments() -> None:
    words = "a tea that is described at such length that no line of a program could ever hold all of it without a break"
    written = write(script('page.goto("http://a.test/")', f'page.get_by_role("link", name="{words}").click()'), "walk")
    assert f'        page.get_by_role(\n            "link", name="{words}"\n        ).click()\n' in written.text
    assert written.steps[1] == "open a tea that is described at such length that"


def test_a_name_that_is_not_pythons_goes_into_the_decorator(tmp_path: Path) -> None:
    for name, function in (("buy-tea", "buy_tea"), ("2.tea", "journey_2_tea"), ("page", "journey_page")):
        written = write(script('page.goto("http://a.test/")'), name)
        assert f'@journey(name="{name}", base_url="http://a.test")\ndef {function}(' in written.text
        file = tmp_path / "walk.py"
        file.write_text(written.text)
        assert [one.name for one in load_journeys(file)] == [name]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("page.goto(", "is not Python"),
        ("x = 1\n", "has no function with `playwright` or `page`"),
        ("async def run(playwright):\n    pass\n", "has no function"),
        ("", "has no function"),
    ],
)
def test_what_is_no_recording_is_refused(text: str, message: str) -> None:
    with pytest.raises(RecordingError, match=re.escape(message)):
        write(text, "walk")


def test_an_empty_recording_has_no_steps() -> None:
    assert write(script(), "walk").steps == ()


def test_a_journey_holds_its_site_unless_that_is_the_base_url_of_the_project() -> None:
    recorded = script('page.goto("http://a.test/")')
    for site, declared in (
        (None, '@journey(base_url="http://a.test")'),
        ("http://b.test", '@journey(base_url="http://a.test")'),
    ):
        assert f"{declared}\ndef walk(" in write(recorded, "walk", site).text
    assert "@journey\ndef walk(" in write(recorded, "walk", "http://a.test/").text
