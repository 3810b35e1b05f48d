"""Saved runs as a table, for `journey runs`."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from reports.sample.calendar import NOTE
from reports.text.formatting import COLOURS, MARKS, format_seconds, format_status, format_step_name
from runner.archive.archive import Saved

SHORT_ID = 13
"""Characters of an id that stay at least; they hold the time to the millisecond, and commands accept the beginning of an id."""
NARROWEST = 8
"""Cells that a journey and a step get at least."""
GAP = 2
HEADINGS = ("started", "journey", "status", "time", "in step", "id")


def render_runs(runs: Sequence[Saved], width: int) -> Table:
    """One row a run, in the order given, in so many cells.

    Where there is too little room, ids are cut to their beginning, then steps and names of journeys, then there are no steps and no
    years; a status is never cut.
    """
    rows = [_row(one, "%Y-%m-%d %H:%MZ") for one in runs]
    widths = _fit_widths(rows, width)
    if sum(widths) + GAP * (len(widths) - 1) > width:
        rows = [_row(one, "%m-%d %H:%MZ") for one in runs]
        widths = _fit_widths(rows, width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    columns = [(place, cells) for place, cells in enumerate(widths) if cells]
    for place, cells in columns:
        heading = HEADINGS[place]
        table.add_column(heading, justify="right" if heading == "time" else "left", no_wrap=True, width=cells)
    for saved, row in zip(runs, rows, strict=True):
        cells_of_row: list[str | Text] = [
            *map(escape, row[:2]),
            Text(row[2], style=COLOURS[saved.result.status]),
            *map(escape, row[3:]),
        ]
        cells_of_row[-1] = row[-1][: widths[-1]]
        table.add_row(*(cells_of_row[place] for place, _ in columns))
    return table


def _row(saved: Saved, time_format: str) -> tuple[str, ...]:
    result = saved.result
    return (
        result.started_at.strftime(time_format),
        result.journey,
        f"{MARKS[result.status]} {format_status(result)}" + (", sample" if NOTE in result.notes else ""),
        format_seconds(result.duration_seconds),
        format_step_name(result.failure.step or "") if result.failure else "",
        result.id,
    )


def _fit_widths(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """The widths of the columns, of which the id, the step and the journey may be narrower than they would be; 0 leaves one out."""
    widths = [max(cell_len(text) for text in column) for column in zip(HEADINGS, *rows, strict=True)]
    journey, step, identity = 1, 4, 5
    for column, least in ((identity, SHORT_ID), (step, NARROWEST), (journey, NARROWEST), (step, 0)):
        over = sum(widths) + GAP * (len(widths) - 1) - width
        if over > 0:
            # A step of a few letters says nothing.
            widths[column] = 0 if least == 0 else max(widths[column] - over, min(least, widths[column]))
    return widths
