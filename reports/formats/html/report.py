"""Runs and smoke checks as one page each; what is common to both forms is in `page`."""

from pathlib import Path

from reports.formats.html.runs import runs_html
from reports.formats.html.smoke import smoke_html
from reports.formats.html.suite import suite_html
from reports.formats.registry import Runs, list_saved
from reports.smoke.result import SmokeResult
from reports.suite.entries import list_run_entries, list_test_entries
from reports.suite.merge import Merged


def render_runs(runs: Runs, beside: Path) -> bytes:
    """Runs on one page that will be in the folder `beside`."""
    return runs_html(list_saved(runs), beside)


def render_suite(merged: Merged, beside: Path) -> bytes:
    """Merged tests and runs on one page; the runs of journeys under pytest are with their tests."""
    entries = list_test_entries(merged.tests, {saved.result.id: saved for saved in merged.runs})
    shown = {one.run for one in merged.tests}
    entries += list_run_entries([saved for saved in merged.runs if saved.result.id not in shown], stored=False)
    return suite_html(entries, beside, "test" if merged.tests else "run")


def render_smoke(result: SmokeResult, beside: Path) -> bytes:
    """A smoke check on one page that will be in the folder `beside`."""
    return smoke_html(result, beside)
