"""`journey check`: is every journey valid; no browser is started."""

import typer

from runner.cli import given
from runner.dsl.plan import plan


def check(wanted: given.Wanted = None, tag: given.Tags = None, env: given.EnvironmentName = None) -> None:
    """Check the journeys and the settings without starting a browser; every problem is named with file and line.

    Example: journey check journeys/buy.py
    """
    settings = given.settings(env)
    found = given.journeys(wanted, tag, settings)
    for one in found:
        plan(one, settings)
    given.require_secrets(found, settings)
    for problem in given.misfits(settings, found, whole=not wanted and not tag):
        typer.echo(f"warning: {problem}", err=True)
    files = len({one.file for one in found})
    typer.echo(
        f"ok: {len(found)} {'journey' if len(found) == 1 else 'journeys'} in {files} {'file' if files == 1 else 'files'}"
    )
