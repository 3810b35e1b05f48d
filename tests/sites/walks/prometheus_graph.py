"""Prometheus' own web page: a single-page app."""

from typing import Any

from playwright.sync_api import Page

from runner import expect, journey


@journey
def prometheus_graph(page: Page, step: Any) -> None:
    """Runs a query and sees its table and its graph."""
    with step("open"):
        page.goto("/graph")
        expect(page.get_by_role("button", name="Execute")).to_be_visible()
    with step("run a query"):
        page.locator(".cm-content").first.click()
        page.keyboard.type("vector(42)")
        page.get_by_role("button", name="Execute").click()
        expect(page.get_by_text("42", exact=True).first).to_be_visible()
    with step("see the graph"):
        page.get_by_role("tab", name="Graph").or_(page.get_by_text("Graph", exact=True)).last.click()
        expect(page.locator(".graph-chart, .graph").first).to_be_visible()
