"""Looking around: pages that the server renders."""

from runner import Page, Params, Step, expect, journey


@journey(every="5m", tags=["catalogue"])
def browse(page: Page, step: Step, params: Params) -> None:
    """A visitor searches for a tea and looks at a product."""
    with step("open the shop"):
        page.goto("/")
        expect(page.get_by_role("heading", name="Tea worth waiting for")).to_be_visible()

    with step("search", budget="1s"):
        page.get_by_role("searchbox").fill("tea")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("heading", name="Results")).to_be_visible()

    # `journey run browse --param product=kettle` looks at another one.
    with step("look at a product"):
        page.goto(f"/product/{params.get('product', 'sencha')}")
        expect(page.get_by_role("button", name="Add to cart")).to_be_visible()
