"""`journey check`: whether every journey is valid, without a browser."""

from collections.abc import Sequence

import typer

from runner.cli import given
from runner.dsl.budget_check import find_unmatched_names
from runner.dsl.discovery import NotAllDiscovered
from runner.dsl.journey import Journey
from runner.dsl.plan import plan
from runner.dsl.selection import is_path
from runner.errors import ConfigError, DiscoveryError, JourneyError


def check(wanted: given.Wanted = None, tag: given.Tags = None, env: given.EnvironmentName = None) -> None:
    """Check the journeys and the settings without starting a browser; every problem is named with file and line.

    Example: journey check journeys/buy.py
    """
    settings = given.settings(env)
    problems: list[JourneyError] = []
    whole = not wanted and not tag
    try:
        found = given.journeys(wanted, tag, settings)
    except NotAllDiscovered as error:
        problems.append(error)
        # With a name or a tag, the problem may be in a file that was not asked for.
        found = error.found if not tag and all(map(is_path, wanted or ())) else ()
    for one in found:
        try:
            plan(one, settings)
        except ConfigError as error:
            problems.append(error)
    try:
        given.require_secrets(found, settings)
    except JourneyError as error:
        problems.append(error)
    for warning in given.misfits(settings, found, whole=whole):
        typer.echo(f"warning: {warning}", err=True)
    if problems:
        raise DiscoveryError("\n".join(map(str, problems)))
    if whole:
        for warning in find_unmatched_names(settings, found):
            typer.echo(f"warning: {warning}", err=True)
    files = len({one.file for one in found})
    typer.echo(f"ok: {_count(found)} in {files} {'file' if files == 1 else 'files'}")


def _count(found: Sequence[Journey]) -> str:
    """How many journeys and checks there are.

    >>> _count([])
    '0 journeys'
    """
    checks = sum(one.kind == "check" for one in found)
    journeys = len(found) - checks
    parts = [f"{journeys} {'journey' if journeys == 1 else 'journeys'}"] if journeys or not checks else []
    return " and ".join([*parts, *([f"{checks} {'check' if checks == 1 else 'checks'}"] if checks else [])])
