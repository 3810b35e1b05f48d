"""The journey that benchmarks/decisions.py runs: steps whose true delay is given."""

from runner import Page, Params, Step, expect, journey


@journey(timeout="5m")
def decisions(page: Page, step: Step, params: Params) -> None:
    """A step for each `kind:delay` in `params["steps"]`; a `document` ends with its load event, a `request` with a change."""
    for number, one in enumerate(params["steps"].split(",")):
        kind, delay = one.split(":")
        if kind == "document":
            with step(f"{number} {kind}"):
                page.goto(f"/search?q=tea&delay={delay}")
                expect(page.get_by_role("heading", name="Results")).to_be_visible()
        else:
            page.goto(f"/switch/xhr?delay={delay}")
            with step(f"{number} {kind}"):
                page.get_by_role("button", name="Go").click()
                expect(page.get_by_text("done")).to_be_visible()
