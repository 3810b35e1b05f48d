"""The completions that the shell offers for TAB, read from files without running a journey or importing Playwright.

When the settings or a file are wrong, nothing is offered and no error is shown.
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from runner.archive.archive import Archive
from runner.dsl.static_discovery import DeclaredJourney, find_declared_journeys
from runner.errors import JourneyError
from runner.settings.load_settings import load_settings
from runner.settings.settings import Settings

RUNS = 30
"""The maximum number of run ids that are offered, newest first."""


def journeys(incomplete: str) -> list[tuple[str, str]]:
    """Names of journeys, with their descriptions."""
    # Square brackets would be read as markup.
    shown = str.maketrans("[]", "()")
    return [(one.name, one.description.translate(shown)) for one in _declared() if one.name.startswith(incomplete)]


def saved_journeys(incomplete: str) -> list[str]:
    """Names of journeys with saved runs, whether or not they are still declared."""
    settings = _settings()
    return [] if settings is None else [one for one in Archive(settings.runs_dir).journeys() if one.startswith(incomplete)]


def tags(incomplete: str) -> list[str]:
    """Tags of journeys."""
    return [tag for tag in sorted({tag for one in _declared() for tag in one.tags}) if tag.startswith(incomplete)]


def runs(incomplete: str) -> list[tuple[str, str]]:
    """The names of saved runs: `last`, `last-failed`, the last run of each journey, ids."""
    return [one for one in _runs() if one[0].startswith(incomplete)]


def _runs() -> Iterator[tuple[str, str]]:
    settings = _settings()
    if settings is None:
        return
    folders = Archive(settings.runs_dir).ids()
    if not folders:
        return
    yield "last", "the newest run"
    yield "last-failed", "the newest run that failed"
    for name in sorted({folder.parent.name for folder in folders.values()}):
        yield f"{name}@last", f"the newest run of {name}"
    newest = sorted(folders.items(), key=lambda one: one[1].name, reverse=True)
    for run, folder in islice(newest, RUNS):
        at = folder.name.partition("-")[0]
        yield run, f"{folder.parent.name} {at[:4]}-{at[4:6]}-{at[6:8]} {at[9:11]}.{at[11:13]}Z"


def _declared() -> tuple[DeclaredJourney, ...]:
    settings = _settings()
    try:
        return find_declared_journeys([one for one in settings.journeys if one.exists()]) if settings else ()
    except OSError:
        return ()


def _settings() -> Settings | None:
    try:
        return load_settings(Path.cwd(), {}, os.environ)
    except (JourneyError, OSError):
        return None
