"""`journey init [DIR]`: a small project with one journey."""

import shlex
from collections.abc import Set
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner.errors import ConfigError
from runner.installation import journey_command, source_url
from runner.settings.parsers.addresses.web_address import parse_url
from runner.settings.parsers.values import parse_journey_name

if TYPE_CHECKING:
    from runner.authoring.scaffold.project import Answers

CI = {"github": ("github",), "gitlab": ("gitlab",), "both": ("github", "gitlab"), "none": ()}


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project's folder; created if it does not exist.")] = Path(),
    base_url: Annotated[str | None, typer.Option(help="The site under test, for the settings.")] = None,
    name: Annotated[str, typer.Option(help="The first journey's name.")] = "home",
    ci: Annotated[
        str | None, typer.Option(help=f"{', '.join(CI)} (default: by the folder and its git remotes, else both).")
    ] = None,
    pyproject: Annotated[
        bool, typer.Option("--pyproject/--no-pyproject", help="Put the settings into the existing pyproject.toml.")
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Update what an earlier init created and nobody changed.")] = False,
) -> None:
    """Start a project: settings, one journey, CI files, a line in .gitignore, each if it is missing.

    Existing files are not changed, except that a pyproject.toml without a table [tool.journey] gets one at its end. Either
    everything is created or nothing.

    Example: journey init --base-url https://shop.example --ci github
    """
    from runner.archive.atomic_write import write_files
    from runner.authoring.scaffold import git_host, project

    try:
        parse_journey_name(name)
    except ValueError as error:
        raise ConfigError(f"--name: {error}") from error
    try:
        base_url = None if base_url is None else parse_url(base_url)
    except ValueError as error:
        raise ConfigError(f"--base-url: {error}") from error
    if ci is not None and ci not in CI:
        raise ConfigError(f"--ci {ci!r} is not known; choose one of {', '.join(CI)}")
    target = folder.absolute()
    wanted = git_host.hosts(target) if ci is None else CI[ci]
    answers = project.Answers(name=name, base_url=base_url, ci=wanted, pyproject=pyproject, force=force)
    drafted = project.draft(target, answers)
    write_files({target / path: change for path, change in drafted.changes.items()})
    _tell(drafted.made, "made" if drafted.made else "nothing to create; everything exists")
    _tell(drafted.left, "not changed" if drafted.left else "")
    _tell_next(folder, answers, drafted.made.keys(), drafted.left.keys())


def _tell(files: dict[Path, str], heading: str) -> None:
    if heading:
        typer.echo(f"{heading}:" if files else heading)
    width = max((len(str(path)) for path in files), default=0)
    for path, why in files.items():
        typer.echo(f"  {path!s:{width}}  {why}")


def _tell_next(folder: Path, answers: "Answers", made: Set[Path], left: Set[Path]) -> None:
    from runner.authoring.scaffold import git_host, project

    if project.INCLUDED in made | left:
        typer.echo(f"\nadd to {project.PIPELINE}:\n  include: /{project.INCLUDED}")
    above = git_host.top(folder.absolute())
    if answers.ci and above is not None and above.resolve() != folder.resolve():
        typer.echo(f"\nCI reads only the top of the repository, {above}: move its files there, and name this folder in them")
    elsewhere = folder.resolve() != Path.cwd().resolve()
    where = [] if answers.base_url else ["--base-url", "https://shop.example"]
    if answers.ci and source_url() is None and {project.WORKFLOW, project.PIPELINE, project.INCLUDED} & made:
        typer.echo(
            "\nset MONITOR_PACKAGE in the CI files to what pip can install there: the address of a wheel that you built, or of a "
            "repository; docs/install.md says how"
        )
    steps = [["install"], ["check"], ["run", *where]]
    steps += [["record", answers.base_url or "https://shop.example", "--name", "buy" if answers.name != "buy" else "search"]]
    typer.echo("\nnext:")
    if elsewhere:
        typer.echo(f"  {shlex.join(['cd', str(folder)])}")
    for words in steps:
        typer.echo(f"  {journey_command(*words, folder=folder)}")
