"""Saved runs as a table, for `journey runs`."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from reports.text.formatting import COLOURS, MARKS, format_seconds, format_status, format_step_name
from runner.archive.archive import Saved


def render_runs(runs: Sequence[Saved]) -> Table:
    """One row a run, in the order given."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("started", "journey", "status", "time", "id"):
        table.add_column(heading, justify="right" if heading == "time" else "left", no_wrap=heading != "status")
    for saved in runs:
        result = saved.result
        where = f" in {format_step_name(result.failure.step)}" if result.failure and result.failure.step else ""
        table.add_row(
            f"{result.started_at:%Y-%m-%d %H:%MZ}",
            escape(result.journey),
            Text(f"{MARKS[result.status]} {format_status(result)}{where}", style=COLOURS[result.status]),
            format_seconds(result.duration_seconds),
            result.id,
        )
    return table
