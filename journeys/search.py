"""A single-page app: the document is loaded once, everything after is a route."""

from runner import Page, Step, expect, journey


@journey(every="5m", tags=["catalogue"])
def search(page: Page, step: Step) -> None:
    """A visitor finds a tea in the single-page search, looks at it, and goes back."""
    with step("open the app"):
        page.goto("/app")
        expect(page.get_by_role("heading", name="Browse")).to_be_visible()

    with step("find black teas"):
        page.get_by_label("What are you looking for?").fill("black tea")
        page.get_by_role("button", name="Find").click()
        expect(page.get_by_text("2 found")).to_be_visible()

    with step("open one"):
        page.get_by_role("link", name="Lapsang Souchong").click()
        expect(page.get_by_role("heading", name="Lapsang Souchong")).to_be_visible()

    with step("go back to the list"):
        page.get_by_role("link", name="Back to the list").click()
        expect(page.get_by_role("heading", name="Browse")).to_be_visible()
