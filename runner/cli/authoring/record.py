"""`journey record URL`: a recording in Playwright's recorder becomes a journey."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runner.archive.atomic_write import FileChange, write_files
from runner.browser.chromium import find
from runner.cli import given
from runner.dsl.discovery import load_journeys
from runner.dsl.python_name import to_python_name
from runner.dsl.static_discovery import find_declared_journeys
from runner.errors import ConfigError, DiscoveryError, RecordingError
from runner.settings.parsers.addresses.web_address import parse_url
from runner.settings.parsers.values import parse_journey_name
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from runner.authoring.recorder.write_journey import WrittenJourney

DEFAULT = "recorded"


def record(
    url: Annotated[str, typer.Argument(metavar="URL", help="The address to start from.")],
    name: Annotated[str | None, typer.Option(help=f"The journey's name (default: that of the file, or {DEFAULT}).")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file to write, which must not exist (default: journeys/NAME.py).")
    ] = None,
    browser_path: Annotated[Path | None, typer.Option(help="The Chromium to use; it must be able to show a window.")] = None,
) -> None:
    """Open a site in Playwright's recorder, and write what you do there as a journey.

    Two windows open: the site, and Playwright's inspector. Use the site, and record what it must show with the “assert” buttons
    of the inspector. Closing the site's window ends the recording. What you type into fields for passwords, cards and other secrets
    is not written: the journey asks for `secrets["PASSWORD"]` instead.

    Example: journey record https://shop.example --name buy
    """
    # Imported here: no other command needs these.
    from runner.authoring.recorder import codegen, write_journey

    settings = given.settings(browser_path=browser_path)
    try:
        parse_url(url)
    except ValueError as error:
        raise ConfigError(f"URL: {error}") from error
    file, name = _place(out, name, settings.journeys)
    codegen.require_display(os.environ)
    browser = find(settings.browser_path, headed=True)
    codegen.require_window(browser)
    typer.echo(f"recording with {browser.path}; close the site's window when you are done (or Ctrl-C here)", err=True)
    recorded = codegen.record(url, browser)
    try:
        recording = write_journey.write(recorded.text, name, settings.base_url)
        load_journeys(file, recording.text)
    except (RecordingError, DiscoveryError):
        _keep(recorded.text, file)
        raise
    if not recording.steps:
        raise ConfigError(
            f"URL: {url} could not be opened: {recorded.trouble}"
            if recorded.trouble
            else "nothing was recorded, so nothing was written; let the page open before you close its window"
        )
    if recorded.trouble:
        typer.echo(f"warning: the recorder ended early: {recorded.trouble}", err=True)
    write_files({file: FileChange(None, recording.text.encode())})
    _tell(file, name, recording, settings)


def _place(out: Path | None, name: str | None, folders: Sequence[Path]) -> tuple[Path, str]:
    """The file and the name of the journey; checked before the recording, which may take long."""
    name = name or (out.stem if out else DEFAULT)
    try:
        parse_journey_name(name)
    except ValueError as error:
        raise ConfigError(f"--name: {error}") from error
    folder = folders[0].parent if folders[0].suffix == ".py" else folders[0]
    file = out or folder / f"{to_python_name(name)}.py"
    if file.suffix != ".py":
        raise ConfigError(f"--out: {file} is not a Python file; name one that ends in .py")
    if file.exists() or file.is_symlink():
        raise ConfigError(f"{file} exists and is not overwritten; choose another with --out, or move it away")
    above = next(one for one in file.absolute().parents if one.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise ConfigError(f"--out: {above} is not a folder that can be written to; name another with --out")
    for one in find_declared_journeys([one for one in folders if one.exists()]):
        if one.name == name:
            raise ConfigError(f"--name: a journey named {name!r} is declared at {one.where}; choose another name")
    return file, name


def _keep(recorded: str, file: Path) -> None:
    """Keeps a recording that could not be read, as it may have taken long."""
    kept = file.with_suffix(".recorded.txt")
    kept.parent.mkdir(parents=True, exist_ok=True)
    # Readable for its owner only: it contains what was typed.
    with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.write(recorded)
    typer.echo(f"what the recorder wrote is kept in {kept}; it contains what you typed, including passwords", err=True)


def _tell(file: Path, name: str, recording: "WrittenJourney", settings: Settings) -> None:
    steps = len(recording.steps)
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    typer.echo(f"wrote {shown}: {steps} {'step' if steps == 1 else 'steps'}")
    for step in recording.steps:
        typer.echo(f"  {step}")
    for note in recording.notes:
        typer.echo(f"note: {note}")
    if recording.secrets:
        typer.echo("what you typed there is not in the file; set it in the environment:")
        for secret in recording.secrets:
            typer.echo(f"  export JOURNEY_SECRET_{secret}=…")
    # The environment's base URL goes before that of the journey.
    elsewhere = settings.origin("base_url") == "environment" and (settings.base_url or "").rstrip("/") != recording.base_url
    among = any(file.resolve().is_relative_to(folder.resolve()) for folder in settings.journeys)
    words = ["journey", "run", name if among else str(shown)]
    words += ["--base-url", recording.base_url] if elsewhere and recording.base_url else []
    typer.echo(f"try it: {shlex.join(words)}")
