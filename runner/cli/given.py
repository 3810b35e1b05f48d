"""Options that several commands share, and what they select."""

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import typer

from runner.archive.archive import Archive
from runner.cli import completion
from runner.dsl.budget_check import find_unmatched_budgets, find_unmatched_quarantine
from runner.dsl.discovery import Discovery
from runner.dsl.journey import Journey
from runner.dsl.selection import find, unknown_name
from runner.dsl.static_discovery import find_declared_journeys
from runner.errors import ConfigError, DiscoveryError, SecretMissing
from runner.settings.duration import parse_positive_duration
from runner.settings.load_settings import load_settings, parse_params
from runner.settings.secrets import Secrets, find_missing
from runner.settings.settings import Settings

Wanted = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME|PATH",
        help="Names of journeys (* and ? match), files, folders, or FILE::NAME; default: all in journeys/.",
        autocompletion=completion.journeys,
    ),
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", help="Only journeys with this tag; repeatable.", autocompletion=completion.tags),
]
EnvironmentName = Annotated[str | None, typer.Option("--env", help="Override the settings with the file's table env.NAME.")]
BaseUrl = Annotated[str | None, typer.Option("--base-url", help="The site under test; relative addresses start from it.")]
Params = Annotated[list[str] | None, typer.Option("--param", metavar="K=V", help="A value for `params`; repeatable.")]
Timeout = Annotated[str | None, typer.Option("--timeout", help="The maximum time of a run, such as 90s.")]
Policy = Annotated[str | None, typer.Option(metavar="POLICY", help="off, on, retain-on-failure or on-first-retry.")]
Accessibility = Annotated[
    str | None, typer.Option(metavar="on|off", help="Check the page at the end of each step for accessibility (default: off).")
]
Headed = Annotated[bool | None, typer.Option("--headed/--headless", help="Show the browser.")]
BrowserPath = Annotated[Path | None, typer.Option("--browser-path", help="The Chromium to use.")]
Json = Annotated[
    str | None, typer.Option("--json", metavar="FILE", help="Write the result as JSON to FILE, or to standard output for -.")
]
Database = Annotated[
    str | None, typer.Option(metavar="URL", help="Where runs are stored (default: journeys.db beside the saved runs).")
]
RunsDir = Annotated[Path | None, typer.Option("--runs-dir", help="Where runs are saved (default: runs/).")]


def settings(environment: str | None = None, **options: object) -> Settings:
    """The settings of a command with these options; None means that an option was not given."""
    return load_settings(Path.cwd(), options, os.environ, environment)


def seconds(value: str, option: str) -> float:
    """A duration that an option gives. Raises ConfigError."""
    try:
        return parse_positive_duration(value)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from error


def earliest(since: str) -> datetime:
    """The time that lies so long ago, of the option --since. Raises ConfigError."""
    return datetime.now(UTC) - timedelta(seconds=seconds(since, "--since"))


def has_store(known: Settings) -> bool:
    """Whether there is a database; one that is only looked at must not be created."""
    file = known.database_url.removeprefix("sqlite:///")
    return file == known.database_url or Path(file).exists()


def journeys(wanted: list[str] | None, tags: list[str] | None, known: Settings) -> tuple[Journey, ...]:
    """The journeys that a command line names."""
    return find(wanted or (), tags or (), known.journeys)


def require_known(name: str, known: Settings, stored: Iterable[str]) -> None:
    """Raises DiscoveryError when a name (`*` and `?` match) fits neither a declared journey nor one of which runs are stored."""
    folders = [folder for folder in known.journeys if folder.exists()]
    names = {*stored, *(one.name for one in find_declared_journeys(folders))}
    if _fits(name, names):
        return
    # The name of a journey may be computed; then only loading its file tells it.
    discovery = Discovery()
    for folder in folders:
        discovery.search(folder)
    names.update(one.name for one in discovery.journeys)
    if not _fits(name, names):
        broken = [problem.message for problem in discovery.problems if problem.kind == "broken"]
        raise DiscoveryError("\n".join([unknown_name(name, sorted(names)), *broken]))


def _fits(pattern: str, names: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)


def misfits(known: Settings, chosen: tuple[Journey, ...], whole: bool) -> Iterator[str]:
    """Warnings about budgets and quarantine of the settings that match no journey and no step.

    `whole`: the chosen journeys are all of the project.
    """
    if not known.budgets and not known.quarantine:
        return
    project: tuple[Journey, ...] = ()
    try:
        project = () if whole else find((), (), known.journeys)
    except DiscoveryError as error:
        yield f"budgets and quarantine were only checked against the chosen journeys, as others cannot be read: {str(error).splitlines()[0]}"
    everything = list({one.key: one for one in (*project, *chosen)}.values())
    yield from find_unmatched_budgets(known.budgets, everything)
    yield from find_unmatched_quarantine(known.quarantine, everything)


def require_secrets(chosen: tuple[Journey, ...], known: Settings) -> None:
    """Raises SecretMissing, naming all of them, when journeys need secrets that are not set."""
    if not any(one.secret_names for one in chosen):
        return
    secrets = Secrets(folder=known.secrets_dir, file=known.secrets_file)
    lines = [
        f"{one.where}: {one.name} needs secret {name!r}, which is not set; {secrets.where(name)}"
        for one in chosen
        for name in find_missing(one.secret_names, secrets)
    ]
    if lines:
        raise SecretMissing("\n".join(lines))
    for one in chosen:
        for name in one.secret_names:
            secrets[name]


def warn_of_problems(archive: Archive) -> None:
    """Warns about the runs that could not be read."""
    for problem in archive.problems:
        typer.echo(f"warning: {problem}", err=True)


def params(given: list[str] | None) -> dict[str, str] | None:
    """`k=v` texts as a table. Raises ConfigError for one without `=`."""
    return parse_params(given or (), "--param") or None
