"""Locators that are made of what a stranger's browser has sent."""

import pytest

from reports.codegen.action import Said
from reports.codegen.locators import list_candidates, locator_from_page, parse_locator


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
