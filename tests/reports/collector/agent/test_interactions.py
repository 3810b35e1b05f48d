"""What a visitor does, told without what was typed."""

import pytest
from playwright.sync_api import Page

from tests.support.services.receiver import Receiver, acts, leave, look_at, vitals


def test_a_click_is_told_as_role_and_name(page: Page, receiver: Receiver, tea_shop: str) -> None:
    look_at(page, f"{tea_shop}/product/mint")
    page.get_by_role("button", name="Add to cart").click()
    page.wait_for_url("**/cart")
    view = receiver.view("/product/mint")
    assert acts(view) == [("click", "button", "Add to cart"), ("submit", "form", "")]
    assert view.interaction_counts == {"click": 1, "submit": 1}
    assert 0 < view.interactions[0].at_seconds < 60
    assert "inp" in vitals(view)


@pytest.mark.thorough
def test_every_kind_of_field_is_told_by_its_label(page: Page, receiver: Receiver, tea_shop: str) -> None:
    page.goto(f"{tea_shop}/switch/fields")
    page.get_by_label("Name").press_sequentially("Ada")
    page.get_by_label("Note").press_sequentially("no sugar")
    page.get_by_label("Size").press("l")
    page.get_by_text("Wrap as a gift").click()
    page.locator(".greeting").click()
    page.get_by_role("textbox", name="Leaves").press_sequentially("8 g")
    page.get_by_role("button", name="Weigh").click()
    page.locator("#tile").click()
    page.get_by_label("Name").press("Enter")
    page.get_by_test_id("send-order").click()
    page.get_by_test_id("saved-card").click()
    leave(page)
    view = receiver.view("/switch/fields")
    assert acts(view) == [
        ("change", "textbox", "Name"),
        ("change", "textbox", "Note"),
        ("change", "combobox", "Size"),
        ("click", "checkbox", "Wrap as a gift"),
        ("change", "checkbox", "Wrap as a gift"),
        ("click", "textbox", "Greeting"),
        ("change", "textbox", "Leaves"),
        ("click", "button", "Weigh them"),
        ("click", "", ""),
        ("keyboard", "textbox", "Name"),
        ("submit", "form", "Order"),
        ("click", "button", "Send"),
        ("submit", "form", "Order"),
        ("click", "button", ""),
    ]
    assert [one.test_id for one in view.interactions if one.test_id] == ["tile", "send-order", "saved-card"]


def test_a_long_name_is_cut(page: Page, receiver: Receiver) -> None:
    page.goto(receiver.page(f"<button>{'tea ' * 500}</button>"))
    page.get_by_role("button").click()
    leave(page)
    (click,) = receiver.view("/page").interactions
    assert click.name == ("tea " * 25)
