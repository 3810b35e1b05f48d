"""Several runs on one page: a table of all, then each as on a page of its own."""

from collections.abc import Sequence
from pathlib import Path

from reports.formats.html import page, run
from runner.archive.archive import Saved

TEMPLATE = "runs.html"


def runs_html(runs: Sequence[Saved], beside: Path) -> bytes:
    """The page, which will lie in the folder `beside`; that of one run is the run's own."""
    views = [run.build_view(saved, beside) for saved in runs]
    if len(views) == 1:
        return page.render_template(run.TEMPLATE, view=views[0], **run.waterfall_measures())
    return page.render_template(TEMPLATE, views=views, title=_title(runs), **run.waterfall_measures())


def _title(runs: Sequence[Saved]) -> str:
    statuses = [saved.result.status for saved in runs]
    counts = [
        f"{statuses.count(status)} {status}" for status in ("failed", "error", "cancelled", "passed") if status in statuses
    ]
    return f"{len(runs)} runs: {', '.join(counts)}" if runs else "No runs"
