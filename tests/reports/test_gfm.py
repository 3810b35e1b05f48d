"""Text in Markdown: shown as it is, whatever it says. Rendered by GitHub's own parser."""

import re

import pytest
from hypothesis import given

from reports.formats.markdown_escape import code, fence, inert
from tests.reports.hostile import NASTY, assert_inert, rendered, texts

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def one_line(text: str) -> str:
    return " ".join(CONTROL.sub(" ", text).split()).replace("\u200b", "") or "–"


@pytest.mark.long
@given(texts)
def test_prose_says_what_the_text_says_and_nothing_else_happens(text: str) -> None:
    shown = inert(text, 10_000)
    for markdown in (shown, f"### {shown}", f"- {shown}", f"- **{shown}**", f"- a\n- {shown}\n- b", f"**{shown}** (x)"):
        page = rendered(markdown)
        assert not page.xpath("//li//ul | //ol | //hr")
        assert one_line(text) in one_line(page.text_content())
        assert_inert(page)


@given(texts)
def test_code_in_a_cell_stays_in_its_cell(text: str) -> None:
    page = rendered(f"| a | b |\n| --- | --- |\n| {code(text, 10_000, cell=True)} | {inert(text, 10_000)} |\n")
    assert len(page.xpath("//tbody/tr")) == 1
    assert len(page.xpath("//tbody/tr/td")) == 2
    assert one_line(page.xpath("//td/code")[0].text_content()) == one_line(text)
    assert_inert(page)


@given(texts)
def test_a_fence_holds_every_line(text: str) -> None:
    page = rendered(f"before\n\n{fence(text, 10_000)}\n\nafter")
    assert [one.tag for one in page] == ["p", "pre", "p"]
    assert page[2].text_content().strip() == "after"


@pytest.mark.parametrize("text", NASTY)
def test_each_known_trick_is_shown(text: str) -> None:
    page = rendered(f"{inert(text)}\n\n{code(text)}\n\n{fence(text)}")
    assert_inert(page)


def test_what_is_too_long_ends_with_dots() -> None:
    assert inert("a" * 500, 10) == "aaaaaaaaa…"
    assert code("a" * 500, 10) == "`aaaaaaaaa…`"
    assert fence("a" * 500, 10) == "```text\naaaaaaaaa…\n```"
