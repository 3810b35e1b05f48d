"""Several runs on one page: what failed first, then all; where there are few, each as on a page of its own."""

from collections.abc import Sequence
from pathlib import Path

from reports.formats.html import page, run
from reports.formats.html.suite import suite_html
from reports.suite.entries import list_run_entries
from runner.archive.archive import Saved

DETAILED = 20
"""Runs that are shown with all that they have loaded; more would be megabytes."""


def runs_html(runs: Sequence[Saved], beside: Path, stored: bool = True) -> bytes:
    """The page, which will lie in the folder `beside`; that of one run is the run's own."""
    details = [run.build_view(saved, beside) for saved in runs] if len(runs) <= DETAILED else []
    if len(runs) == 1:
        return page.render_template(run.TEMPLATE, view=details[0], **run.waterfall_measures())
    return suite_html(list_run_entries(runs, stored), beside, "run", _title(runs), details)


def _title(runs: Sequence[Saved]) -> str:
    held = [saved for saved in runs if saved.result.set_aside]
    statuses = [saved.result.status for saved in runs if not saved.result.set_aside]
    counts = [
        f"{statuses.count(status)} {status}" for status in ("failed", "error", "cancelled", "passed") if status in statuses
    ]
    counts += [f"{len(held)} in quarantine"] if held else []
    return f"{len(runs)} runs: {', '.join(counts)}" if runs else "No runs"
