"""`journey store`: copies of the database, checks, putting a copy in its place, and upgrading it."""

from pathlib import Path
from typing import Annotated

import typer

from runner.cli import given, manual
from runner.errors import ConfigError
from runner.settings.settings import Settings

app = typer.Typer(
    cls=manual.Group, help="Back up, check, restore and upgrade the database of runs and visits.", no_args_is_help=True
)
DAMAGED = 1

Database = given.Database


@app.command("backup")
def backup(
    copy: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the copy; it must not exist.")],
    database: Database = None,
    env: given.EnvironmentName = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """Copy the database to a file, while it is in use: one state of it, checked and on the disk when the file appears.

    For SQLite; a PostgreSQL database is copied with pg_dump. Saved runs and recordings are files in runs/ and are not part of it.

    Example: journey store backup backups/monday.db
    """
    from runner.store.backup import back_up

    file = _file(given.settings(env, database=database, runs_dir=runs_dir), "pg_dump --format=custom")
    back_up(file, copy)
    typer.echo(f"copied {file} to {copy} ({copy.stat().st_size} bytes)")


@app.command("check")
def check(database: Database = None, env: given.EnvironmentName = None, runs_dir: given.RunsDir = None) -> None:
    """Check the database: that it is this program's, its form, in SQLite also every page of it. Changes nothing.

    Exit codes: 0 whole, 1 damaged, 2 usage or another program's database, 3 it cannot be reached.

    Example: journey store check
    """
    from runner.store.backup import find_problems, find_server_problems

    settings = given.settings(env, database=database, runs_dir=runs_dir)
    file = _sqlite_file(settings)
    found = find_server_problems(settings.database_url) if file is None else find_problems(file)
    for problem in found:
        typer.echo(f"error: {problem}", err=True)
    if found:
        raise typer.Exit(DAMAGED)
    if file is not None and file.stat().st_mode & 0o077:
        typer.echo(f"warning: others than its owner can read {file}; change that with: chmod go= {file}*", err=True)
    typer.echo("the database is whole")


@app.command("restore")
def restore(
    copy: Annotated[Path, typer.Argument(metavar="FILE", help="A copy that `journey store backup` has made.")],
    database: Database = None,
    env: given.EnvironmentName = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """Put a copy in the place of the database, which is kept beside it. Stop `journey schedule` and `journey serve` first.

    The copy is checked, and upgraded if an earlier version has made it; if anything is wrong, nothing is changed.

    Example: journey store restore backups/monday.db
    """
    from runner.store.backup import restore as put_in_place

    file = _file(given.settings(env, database=database, runs_dir=runs_dir), "pg_restore, into an empty schema")
    kept = put_in_place(copy, file)
    typer.echo(f"restored {file} from {copy}")
    if kept is not None:
        typer.echo(f"the database before is kept as {kept}; remove it when nothing is missed")


@app.command("upgrade")
def upgrade(database: Database = None, env: given.EnvironmentName = None, runs_dir: given.RunsDir = None) -> None:
    """Create the tables, or bring them to the form of this version. Only needed where the services may not do it themselves.

    They do it when they start, unless their role in PostgreSQL only reads and writes rows; docs/schedule.md shows how to set that up.

    Example: journey store upgrade
    """
    from runner.store import Store
    from runner.store.migrations.upgrade import HEAD

    settings = given.settings(env, database=database, runs_dir=runs_dir)
    with Store(settings.database_url) as store:
        before = store.upgraded_from
        if before is None:
            typer.echo(f"{store.shown} is of schema {HEAD}, the newest; nothing was changed")
        elif before:
            typer.echo(f"{store.shown} was upgraded from schema {before} to {HEAD}")
        else:
            typer.echo(f"{store.shown} was made, with schema {HEAD}")


def _sqlite_file(settings: Settings) -> Path | None:
    """The file of the database; None where it is on a server."""
    name = settings.database_url.removeprefix("sqlite:///")
    return Path(name) if name != settings.database_url else None


def _file(settings: Settings, instead: str) -> Path:
    file = _sqlite_file(settings)
    if file is None:
        raise ConfigError(f"database: PostgreSQL has its own program for this: {instead}; docs/schedule.md shows it")
    return file
