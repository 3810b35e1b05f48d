"""`journey list`: the declared journeys."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runner.cli import given
from runner.dsl.journey import Journey
from runner.settings.duration import show_duration

if TYPE_CHECKING:
    from rich.table import Table

SHORTEST_PLACE = 20
"""Characters of a name, and of a file with its line number, that are always shown."""
FOLDED = {"description": 20, "tags": 8}
"""Columns that are folded where there is little room; each is left out where there is less than so many characters for all of them."""


def list_journeys(
    wanted: given.Wanted = None, tag: given.Tags = None, env: given.EnvironmentName = None, json: given.Json = None
) -> None:
    """List the journeys and checks: name, tags, interval, timeout, where each is declared.

    Example: journey list --tag checkout
    """
    found = given.journeys(wanted, tag, given.settings(env))
    if json is not None:
        from reports.formats.json import write_json

        write_json({"version": 1, "journeys": [_plain(one) for one in found]}, json)
        return
    from reports.terminal.console import make_console

    console = make_console()
    width = console.width if console.is_terminal else None
    if width is None:
        # Output to a pipe is not read in 80 columns.
        console.width = 240
    console.print(make_table(found, width))


def make_table(found: Sequence[Journey], width: int | None) -> "Table":
    """The journeys in so many columns of a terminal; where it is too narrow, names are cut, and tags and descriptions left out."""
    from rich.markup import escape
    from rich.table import Table

    room = max(width // 3, SHORTEST_PLACE) if width is not None else None
    cells: dict[str, list[str]] = {
        "name": [one.name if room is None or len(one.name) <= room else f"{one.name[: room - 1]}…" for one in found],
        "kind": [one.kind for one in found],
        "tags": [", ".join(one.options.tags) for one in found],
        "every": [show_duration(one.options.every) if one.options.every else "–" for one in found],
        "timeout": [show_duration(one.options.timeout) if one.options.timeout else "–" for one in found],
        "declared at": [_place(one, room) for one in found],
        "description": [one.description for one in found],
    }
    if all(one.kind != "check" for one in found):
        del cells["kind"]
    if width is not None:
        needed = sum(max(map(len, [heading, *cells[heading]])) + 2 for heading in cells if heading not in FOLDED)
        for heading, least in FOLDED.items():
            if width - needed < least:
                del cells[heading]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in cells:
        table.add_column(heading, no_wrap=heading not in FOLDED)
    for row in zip(*cells.values(), strict=True):
        table.add_row(*map(escape, row))
    return table


def _place(one: Journey, room: int | None) -> str:
    """File and line in at most `room` characters; what is too much goes from the beginning, as the line number is at the end."""
    file = one.file.relative_to(Path.cwd()) if one.file.is_relative_to(Path.cwd()) else one.file
    place = f"{file}:{one.line}"
    return place if room is None or len(place) <= room else f"…{place[1 - room :]}"


def _plain(one: Journey) -> dict[str, object]:
    return {
        "name": one.name,
        "kind": one.kind,
        "description": one.description,
        "file": str(one.file),
        "line": one.line,
        "tags": list(one.options.tags),
        "every_seconds": one.options.every,
        "timeout_seconds": one.options.timeout,
        "steps": list(one.step_names),
    }
