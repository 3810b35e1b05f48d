"""`journey pictures`: what smoke checks say of how steps look; `diff` writes the pictures, `accept` puts them into the baseline."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli import given, manual
from runner.cli.results.smoke_results import Baseline, CheckId, JourneyName, StepName, find_check, name_baseline
from runner.errors import ConfigError, RunNotFound

if TYPE_CHECKING:
    from reports.smoke.result import JourneyCheck, PictureCheck, SmokeResult

app = typer.Typer(cls=manual.Group)


@app.callback(invoke_without_command=True)
def list_all(context: typer.Context) -> None:
    """Show, write and accept the pictures of smoke checks. Without a command, those of the last check are listed.

    Examples: journey pictures
    journey pictures diff buy pay
    journey pictures accept buy pay
    """
    if context.invoked_subcommand is None:
        list_pictures()


@app.command("list")
def list_pictures(
    journey: JourneyName = None,
    step: StepName = None,
    check: CheckId = "last",
    runs_dir: given.RunsDir = None,
    json: given.Json = None,
) -> None:
    """List how each step looks, compared with the baseline.

    Example: journey pictures list --check last
    """
    from reports.text.smoke_text import describe_picture

    result = _find(check, runs_dir)
    found = list(_select(result, journey, step))
    baseline = result.baseline.name if result.baseline else "the baseline"
    if json is not None:
        from reports.formats.json import write_json

        rows = [{"journey": one.name, "step": name, "picture": picture} for one, name, picture in found]
        write_json({"version": 1, "check": result.id, "file": result.pictures, "pictures": rows}, json)
    if json != "-":
        for one, name, picture in found:
            typer.echo(f"{one.name}, step “{name}”: {describe_picture(picture, baseline)}")


@app.command()
def diff(
    journey: JourneyName = None,
    step: StepName = None,
    output: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder to write to.")] = Path("picture-differences"),
    check: CheckId = "last",
    runs_dir: given.RunsDir = None,
) -> None:
    """Write the pictures of steps that are not the same: before, after, what differs, and where on the page.

    Example: journey pictures diff buy pay --output differences
    """
    from reports.smoke.picture_file import NoPictures, read_pictures
    from runner.artifacts.policy import slug

    result = _find(check, runs_dir)
    count = 0
    for one, name, picture in _select(result, journey, step):
        names = {key: entry for key, entry in picture.files.items() if key != "candidate"}
        try:
            for key, content in read_pictures(Path(result.pictures), names).items() if names else ():
                output.mkdir(parents=True, exist_ok=True)
                file = output / f"{slug(one.name)}-{slug(name)}-{key}.webp"
                file.write_bytes(content)
                typer.echo(file)
                count += 1
        except NoPictures as error:
            raise RunNotFound(f"check {result.id}: {error}") from error
        except OSError as error:
            raise ConfigError(f"--output {output}: cannot be written: {error.strerror}; name another folder") from error
    if not count:
        typer.echo("all look the same, or were not compared")


@app.command()
def accept(
    journey: JourneyName = None,
    step: StepName = None,
    baseline: Baseline = None,
    check: CheckId = "last",
    runs_dir: given.RunsDir = None,
) -> None:
    """Put the candidate's pictures of steps that look different into the baseline: from now on they are as they should be.

    Example: journey pictures accept buy pay
    """
    from reports.smoke.baseline import file_of
    from reports.smoke.baseline_pictures import accept_pictures

    settings = given.settings(runs_dir=runs_dir)
    result = _find(check, runs_dir)
    named = name_baseline(result, baseline)
    file = file_of(named, settings.runs_dir, "--baseline")
    wanted = {(one.name, name) for one, name, _ in _select(result, journey, step)}

    def is_wanted(one: "JourneyCheck", name: str) -> bool:
        picture = next(known.picture for known in one.steps if known.name == name)
        # What was never pictured before differs, too.
        changed = picture is not None and picture.outcome in {"different", "not compared"}
        return changed and (one.name, name) in wanted

    accepted = accept_pictures(result, file, is_wanted)
    for name, accepted_step in accepted:
        typer.echo(f"accepted {name}, step “{accepted_step}” into {file}")
    if not accepted:
        typer.echo("no step looks different, so nothing was accepted")


def _find(check: str, runs_dir: Path | None) -> "SmokeResult":
    """The check. Raises RunNotFound, also for one without pictures."""
    result = find_check(check, runs_dir)
    if not result.pictures:
        raise RunNotFound(f"smoke check {result.id} has no pictures; `journey smoke --pictures` takes them")
    return result


def _select(
    result: "SmokeResult", journey: str | None, step: str | None
) -> Iterator[tuple["JourneyCheck", str, "PictureCheck"]]:
    """The pictured steps that are meant. Raises RunNotFound when there are none."""
    found = [
        (one, known.name, known.picture)
        for one in result.journeys
        for known in one.steps
        if known.picture is not None and journey in {None, one.name} and step in {None, known.name}
    ]
    if not found:
        steps = ", ".join(f"{one.name} {known.name!r}" for one in result.journeys for known in one.steps if known.picture)
        if not steps:
            raise RunNotFound(
                f"no step of check {result.id} was pictured, as no journey of it has passed; `journey smoke --pictures` makes another check"
            )
        raise RunNotFound(f"check {result.id} has no picture of that; it has pictures of: {steps}")
    yield from found
