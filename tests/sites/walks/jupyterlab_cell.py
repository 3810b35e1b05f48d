"""JupyterLab: a large single-page app that works over web sockets."""

from typing import Any

from playwright.sync_api import Page

from runner import expect, journey


@journey(timeout="110s")
def jupyterlab_cell(page: Page, step: Any) -> None:
    """Opens the lab, makes a notebook, runs a cell."""
    with step("open the lab"):
        page.goto("/lab?reset")
        expect(page.get_by_text("Launcher", exact=True).first).to_be_visible(timeout=60_000)
    with step("make a notebook"):
        page.locator(".jp-LauncherCard[data-category=Notebook]").first.click()
        expect(page.locator(".jp-Notebook .jp-Cell").first).to_be_visible(timeout=60_000)
        # Before its kernel is ready the lab throws away what is to be run.
        expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=60_000)
    with step("run a cell"):
        page.locator(".jp-Notebook .cm-content").first.click()
        page.keyboard.type("6 * 7")
        page.keyboard.press("Shift+Enter")
        expect(page.locator(".jp-OutputArea-output").get_by_text("42")).to_be_visible(timeout=60_000)
