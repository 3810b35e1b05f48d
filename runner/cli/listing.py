"""`journey list`: the declared journeys."""

from pathlib import Path

from runner.cli import given
from runner.dsl.journey import Journey
from runner.settings.duration import show_duration


def list_journeys(
    wanted: given.Wanted = None, tag: given.Tags = None, env: given.EnvironmentName = None, json: given.Json = None
) -> None:
    """List the journeys: name, tags, interval, timeout, where each is declared.

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
    for heading in ("name", "tags", "every", "timeout", "declared at", "description"):
        table.add_column(heading, no_wrap=heading in {"name", "every", "timeout"})
    for one in found:
        options = one.options
        table.add_row(
            escape(one.name),
            escape(", ".join(options.tags)),
            show_duration(options.every) if options.every else "–",
            show_duration(options.timeout) if options.timeout else "–",
            escape(f"{_short(one.file)}:{one.line}"),
            escape(one.description),
        )
    make_console().print(table)


def _short(file: Path) -> Path:
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def _plain(one: Journey) -> dict[str, object]:
    return {
        "name": one.name,
        "description": one.description,
        "file": str(one.file),
        "line": one.line,
        "tags": list(one.options.tags),
        "every_seconds": one.options.every,
        "timeout_seconds": one.options.timeout,
        "steps": list(one.step_names),
    }
