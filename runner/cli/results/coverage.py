"""`journey coverage`: what real users do and no journey touches."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli import given
from runner.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reports.users.coverage import Action, Coverage, Page


def coverage(
    app: Annotated[
        str | None, typer.Option(metavar="NAME", help="The app; needed when page views of several apps are stored.")
    ] = None,
    since: Annotated[str, typer.Option(help="Only page views of this last period, such as 12h or 7d.")] = "7d",
    limit: Annotated[int, typer.Option(min=1, help="At most N pages and N actions, the most used first.")] = 20,
    database: given.Database = None,
    runs_dir: given.RunsDir = None,
    json: given.Json = None,
) -> None:
    """List the pages and actions of real users that no journey touches, each with a session to make a journey from.

    The agent on the site's pages marks the page views of journeys as synthetic; these show what journeys touch.

    Example: journey coverage --since 30d
    """
    from reports.users.coverage import read_coverage
    from runner.store import Store
    from runner.store.queries.time_range import Range

    start, end = given.earliest(since), datetime.now(UTC)
    settings = given.settings(database=database, runs_dir=runs_dir)
    with Store(settings.database_url) as store, store.snapshot() as connection:
        found = read_coverage(connection, _app(connection, app), Range(start, end + timedelta(minutes=1)), limit)
    if json is not None:
        from reports.formats.json import write_json

        write_json({"version": 1, "coverage": found}, json)
        return
    _tell(found, since)


def _app(connection: "Connection", wanted: str | None) -> str:
    from reports.users.coverage import read_visited_apps

    known = read_visited_apps(connection)
    if wanted is not None and wanted not in known:
        raise ConfigError(f"--app: no page view of {wanted!r} is stored; there are: {', '.join(known) or 'none'}")
    if wanted is None and len(known) != 1:
        raise ConfigError(
            f"page views of several apps are stored; choose one with --app: {', '.join(known)}"
            if known
            else "no page view is stored; put the agent on the site's pages and run `journey serve`, see docs/real-users.md"
        )
    return wanted or known[0]


def _tell(found: "Coverage", since: str) -> None:
    from reports.terminal.console import make_console
    from reports.terminal.coverage_table import render_coverage

    if not found.views:
        typer.echo(f"no page view of {found.app} by a real user in the last {since}; use --since to look further back")
        return
    console = make_console(highlight=False)
    # Output to a pipe is not read in 80 columns, and `grep` needs one line per item.
    width = None if console.is_terminal else 240
    views, actions = found.share_of_views, found.share_of_actions
    typer.echo(
        f"{found.app}: journeys open the pages of {views or 0:.0%} of {found.views} page views"
        + (f", and do {actions:.0%} of {found.actions} actions" if actions is not None else "")
    )
    if found.among:
        typer.echo(f"based on the newest {found.among:,} page views; there are more in the last {since}")
    if not found.untouched_pages and not found.untouched_actions:
        typer.echo("journeys cover everything that real users do")
        return
    for table in render_coverage(found):
        typer.echo("")
        console.print(table, width=width)
    left: list[Page | Action] = [*found.untouched_pages, *found.untouched_actions]
    recorded = next((one.session for one in left if one.recorded), None)
    typer.echo(
        f"\nmake a journey from a session: journey from-session {recorded}"
        if recorded
        else "\nnone of these sessions was recorded, so no journey can be made from them; see docs/replay.md"
    )
