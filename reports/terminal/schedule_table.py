"""When each journey runs next, on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table


def make_schedule_table(rows: Sequence[Mapping[str, Any]], here: str | None) -> Table:
    """A row for each journey; with its place, and which are those of this scheduler, `here`, where places are named."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("journey", *(["where"] if here else []), "schedule", "next (UTC)", "then", ""):
        table.add_column(heading, no_wrap=heading not in {"", "then"})
    for row in rows:
        then = ", ".join(f"{one:%H:%M:%S}" for one in row["then_at"])
        note = f"paused: {row['paused']}" if row["paused"] else row["maintenance"] or ""
        place = row["location"]
        where = [] if here is None else [escape(place if place == here else f"{place} (another scheduler)")]
        table.add_row(
            escape(row["journey"]), *where, escape(row["schedule"]), f"{row['next_at']:%Y-%m-%d %H:%M:%S}", then, escape(note)
        )
    return table
