"""Runs and smoke checks as one page each; what is common to both forms is in `page`."""

from pathlib import Path

from reports.formats.html.runs import runs_html
from reports.formats.html.smoke import smoke_html
from reports.formats.registry import Runs, list_saved
from reports.smoke.result import SmokeResult


def render_runs(runs: Runs, beside: Path) -> bytes:
    """Runs on one page that will be in the folder `beside`."""
    return runs_html(list_saved(runs), beside)


def render_smoke(result: SmokeResult, beside: Path) -> bytes:
    """A smoke check on one page that will be in the folder `beside`."""
    return smoke_html(result, beside)
