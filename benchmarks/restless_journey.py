"""The journey that benchmarks/restless.py runs: a click on each page, answered after each delay."""

import json
import time
from pathlib import Path

from runner import Page, Params, Step, expect, journey

LATE = 100
"""Milliseconds; a control that comes sooner is there before the script looks for it."""
DELAYS = (30, 120, 300, 450, 700, 1200)


@journey(timeout="10m")
def restless(page: Page, step: Step, params: Params) -> None:
    """One step a page and delay; its name says which. The page's own truth of each goes to the file `params["truth"]`."""
    truth: dict[str, float] = {}
    for name in params["pages"].split(","):
        for delay in params["delays"].split(","):
            if name == "late control" and int(delay) < LATE:
                continue
            page.goto(f"/page?name={name}&delay={delay}")
            with step(f"{name} {delay}"):
                began = time.time() * 1000
                page.locator("#go").click()
                if name == "canvas":
                    page.wait_for_function("window.changed")
                elif params["wait"] == "wait_for":
                    page.get_by_text("done", exact=True).wait_for()
                else:
                    expect(page.locator("#out")).to_have_text("done")
            since = began if name == "late control" else page.evaluate("window.clicked")
            truth[f"{name} {delay}"] = page.evaluate("window.changed") - since
    Path(params["truth"]).write_text(json.dumps(truth))
