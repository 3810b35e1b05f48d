"""`journey list`: the declared journeys."""

from pathlib import Path

from runner.cli import given
from runner.dsl.journey import Journey
from runner.settings.duration import show_duration

SHORTEST_PLACE = 20
"""Characters of a file with its line number that are always shown."""


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
    from rich.markup import escape
    from rich.table import Table

    from reports.terminal.console import make_console

    table = Table(box=None, pad_edge=False, header_style="bold")
    kinds = any(one.kind == "check" for one in found)
    for heading in ("name", *(["kind"] if kinds else []), "tags", "every", "timeout", "declared at", "description"):
        table.add_column(heading, no_wrap=heading in {"name", "every", "timeout", "declared at"})
    console = make_console()
    room = max(console.width // 3, SHORTEST_PLACE) if console.is_terminal else None
    for one in found:
        options = one.options
        table.add_row(
            escape(one.name),
            *([one.kind] if kinds else []),
            escape(", ".join(options.tags)),
            show_duration(options.every) if options.every else "–",
            show_duration(options.timeout) if options.timeout else "–",
            escape(_place(one, room)),
            escape(one.description),
        )
    if not console.is_terminal:
        # Output to a pipe is not read in 80 columns.
        console.width = 240
    console.print(table)


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
