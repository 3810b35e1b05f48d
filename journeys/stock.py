"""An API first, then the page that shows the same thing."""

from runner import APIRequestContext, Page, Step, expect, journey


@journey(every="10m", tags=["api"])
def stock(request: APIRequestContext, page: Page, step: Step) -> None:
    """The stock that the API tells is the stock that the page shows."""
    with step("ask the API"):
        answer = request.get("/api/stock/kettle")
        expect(answer).to_be_ok()
        pieces = answer.json()["stock"]

    with step("look at the page"):
        page.goto("/product/kettle")
        expect(page.get_by_role("definition").last).to_have_text(str(pieces))
