"""Prometheus' own web page, as Debian ships it: one document, everything after is drawn by its scripts."""

from typing import Any

from playwright.sync_api import Page

from runner import expect, journey


@journey
def prometheus_graph(page: Page, step: Any) -> None:
    """Runs a query, sees its table and its graph."""
    with step("open"):
        page.goto("/graph")
        expect(page.get_by_role("button", name="Execute")).to_be_visible()
    with step("run a query"):
        page.get_by_role("textbox", name="Expression").fill("vector(42)")
        page.get_by_role("button", name="Execute").click()
        expect(page.get_by_role("cell", name="42")).to_be_visible()
    with step("see the graph"):
        page.get_by_role("tab", name="Graph").click()
        expect(page.locator(".rickshaw_graph svg").first).to_be_visible()
