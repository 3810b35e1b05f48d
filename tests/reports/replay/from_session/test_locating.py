"""Locators that are made of what a stranger's browser has sent."""

import pytest

from reports.codegen import make_untried
from reports.codegen.action import Said
from reports.codegen.locators import list_candidates, locator_from_page, parse_locator
from runner.browser.chromium import Browser
from tests.reports.replay.from_session.tape import Tape, element, recording, text
from tests.reports.replay.from_session.visits import aside


@pytest.mark.parametrize(
    "code",
    [
        "page.evaluate('fetch(1)')",
        "page.get_by_text(open('/etc/passwd').read())",
        "__import__('os').system('true')",
        "page.context.browser.close()",
        "page.get_by_text('x') or quit()",
        "page.locator('a', **{'has': 1})",
        'page.get_by_text("a")\nimport os',
    ],
)
def test_what_is_no_plain_locator_never_becomes_code(code: str) -> None:
    assert parse_locator(code) is None


def test_what_playwright_writes_for_an_element_in_a_frame_starts_from_the_page_again() -> None:
    written = 'locator("#rebuilt").content_frame.locator("iframe[title=\\"Pay\\"]").content_frame.get_by_role("button", name="Pay now")'
    assert locator_from_page(written, 'locator("#rebuilt").content_frame') == (
        'page.locator(\'iframe[title="Pay"]\').content_frame.get_by_role("button", name="Pay now")'
    )


def test_a_name_that_is_masked_is_no_way_to_an_element() -> None:
    assert list_candidates(Said(role="button", name="••• ••••")) == []


def test_a_test_id_comes_before_role_and_name() -> None:
    found = list_candidates(Said(role="button", name="Buy", test_id="buy"))
    assert found[0].code == 'page.get_by_test_id("buy")'
    assert found[-1].code == 'page.get_by_role("button", name="Buy", exact=True)'


def test_a_name_with_quotes_stays_a_name() -> None:
    (found,) = list_candidates(Said(role="button", name='"); import os; ("'))
    assert parse_locator(found.code) is not None


@pytest.mark.thorough
def test_a_list_that_imitates_a_select_and_a_page_that_answers_in_its_own_time_are_walked(chromium: Browser) -> None:
    handle = element(10, "span", text(11, "Namespace"), role="combobox", tabindex="0", title="Namespace")
    # What is clicked is a part of the option, whose id is another each time.
    option = element(20, "div", element(21, "span", text(22, "Template")), role="option", id="ooui-5")
    before = element(30, "p", element(31, "a", text(32, "Tea"), href="/tea", title="Jump"))
    always = element(33, "p", element(34, "a", text(35, "Tea"), href="/tea", title="Structure"))
    tape = Tape().page(
        "/", handle, element(19, "div", option, role="listbox"), element(40, "button", text(41, "Go")), before, always
    )
    tape.click(10, role="combobox", name="Namespace").change()
    tape.mouse(21, 1).mouse(21, 0, 4).change(20, removed=20).click(40, name="Go")
    heading = (
        {"parentId": 4, "nextId": None, "node": element(50, "h2")},
        {"parentId": 50, "nextId": None, "node": text(51, "Server")},
    )
    tape.event(3, {"source": 0, "adds": heading, "removes": [{"parentId": 4, "id": 30}], "texts": [], "attributes": []}, 500)
    made = aside(make_untried, recording(tape.click(34, role="link", name="Tea")), chromium)
    code = [line.strip() for line in made.source.splitlines()]
    assert 'page.get_by_role("option", name="Template").click()' in code
    # Both links were there until the page had answered: neither the wait nor the click may take the other for it.
    answered = code.index('page.get_by_role("button", name="Go").click()') + 1
    assert code[answered] == 'expect(page.get_by_role("heading", name="Server", exact=True)).to_be_visible()'
    assert 'page.get_by_role("link", name="Tea", description="Structure").click()' in code
