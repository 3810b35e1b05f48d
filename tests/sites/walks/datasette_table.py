"""Datasette: server-rendered pages on SQLite."""

from typing import Any

from playwright.sync_api import Page

from runner import expect, journey


@journey
def datasette_table(page: Page, step: Any) -> None:
    """Opens a table, filters it, runs SQL of its own."""
    with step("open"):
        page.goto("/")
        expect(page.get_by_role("heading", name="Datasette")).to_be_visible()
    with step("open a table"):
        page.get_by_role("link", name="teas", exact=True).first.click()
        page.get_by_role("link", name="leaves", exact=True).first.click()
        expect(page.get_by_text("3 rows")).to_be_visible()
    with step("filter"):
        page.get_by_label("Column").or_(page.locator("select[name='_filter_column']")).first.select_option("name")
        page.locator("input[name='_filter_value']").first.fill("sencha")
        page.get_by_role("button", name="Apply").or_(page.locator("input[type=submit][value=Apply]")).first.click()
        expect(page.get_by_text("1 row where")).to_be_visible()
    with step("run SQL"):
        page.goto("/teas?sql=select+count(*)+as+pieces+from+leaves")
        expect(page.get_by_role("cell", name="3")).to_be_visible()
