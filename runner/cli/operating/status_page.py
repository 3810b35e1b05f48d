"""`journey status-page`: the public status page as files."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from runner.cli import given, manual
from runner.errors import ConfigError
from runner.installation import install_command

app = typer.Typer(cls=manual.Group, help="The public status page.", no_args_is_help=True)


@app.command("build")
def build(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write the files; existing ones are replaced.")],
    database: given.Database = None,
    env: given.EnvironmentName = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """Write the status page as static files, for any web server: index.html, style.css, status.json, feed.atom and badge.svg.

    Example: journey status-page build public/
    """
    try:
        from reports.status_page.documents import render_files
    except ModuleNotFoundError as error:
        raise ConfigError(f"status-page: {error.name} is missing; install it with: {install_command('serve')}") from error
    from reports.status_page.status import read_status
    from runner.archive.atomic_write import FileChange, write_files
    from runner.store import Store

    settings = given.settings(env, database=database, runs_dir=runs_dir)
    page = settings.status_page
    if page is None:
        raise ConfigError("there is no [status_page] table in the settings; docs/status-page.md describes it")
    with Store(settings.database_url) as store, store.snapshot() as connection:
        status = read_status(
            connection, page, datetime.now(UTC), settings.alert_after, settings.maintenance, settings.alert_locations
        )
    files = {folder / name: content for name, content in render_files(status, page.url).items()}
    write_files({path: FileChange(path.read_bytes() if path.is_file() else None, content) for path, content in files.items()})
    names = ", ".join(one.name for one in status.components)
    typer.echo(f"wrote the status page of {names} to {folder}: {status.state}")
