"""Loads and plans all journeys in a process of its own, so that nothing in their files can block a daemon or fill its memory.

`python -m runner.scheduler.loader` reads a LoadRequest as JSON from standard input and writes LoadedJourneys to standard output.
"""

import os
import subprocess
import sys
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from runner.codec import decoder, encode
from runner.dsl.budget_check import find_unmatched
from runner.dsl.discovery import load_journeys
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan, plan, plan_locations, plan_schedule
from runner.dsl.selection import select
from runner.dsl.slots.schedule import Schedule
from runner.errors import ConfigError, DiscoveryError, JourneyError
from runner.settings.load_settings import load_settings
from runner.settings.secrets import Secrets, find_missing
from runner.settings.settings import Settings

LOAD_TIMEOUT = 60.0
"""Seconds in which all journeys have to be loaded."""


class LoadRequest(Struct, frozen=True, kw_only=True):
    """Which journeys to load, from the command line of `journey schedule`."""

    start: Path
    overrides: dict[str, Any] = {}
    environment: str | None = None
    wanted: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class PlannedJourney(Struct, frozen=True):
    """A journey that is ready to be run; `schedule` is None when it has neither every nor cron."""

    plan: Plan
    schedule: Schedule | None
    locations: tuple[str, ...] = ()
    """The places that it names; none: wherever the scheduler is."""
    rotate: bool = False

    @property
    def places(self) -> tuple[str, ...]:
        """The places that it is walked from; `plan.location` is that of the scheduler itself."""
        return self.locations or (self.plan.location,)

    def schedules(self) -> dict[str, Schedule]:
        """Its schedule at each of them; empty when it has none."""
        return self.schedule.at_places(self.places, self.rotate) if self.schedule is not None else {}


class FileProblem(Struct, frozen=True):
    """A file that cannot be used, and why."""

    file: Path
    message: str


class LoadedJourneys(Struct, frozen=True):
    """The journeys that can be used, and the files that cannot."""

    planned: tuple[PlannedJourney, ...]
    problems: tuple[FileProblem, ...] = ()
    unknown: tuple[str, ...] = ()
    """A message for each wanted name and tag that no journey has, and each path without journeys."""
    warnings: tuple[str, ...] = ()
    """Names in the settings that match nothing; not looked for where only some journeys are wanted, or can be read."""


_decoder = decoder(LoadedJourneys)


def load_in_subprocess(request: LoadRequest) -> LoadedJourneys:
    """Loads all journeys in a new process. Raises ConfigError when the process fails or takes too long."""
    try:
        answer = subprocess.run(
            [sys.executable, "-P", "-m", "runner.scheduler.loader"],
            input=encode(request),
            stdout=subprocess.PIPE,
            timeout=LOAD_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"loading the journeys took more than {LOAD_TIMEOUT:g} s; look for a loop in their files") from error
    try:
        loaded: LoadedJourneys = _decoder.decode(answer.stdout)
    except msgspec.DecodeError as error:
        raise ConfigError(f"the journeys could not be loaded (exit code {answer.returncode}); see the output above") from error
    return loaded


def plan_journeys(request: LoadRequest) -> LoadedJourneys:
    """Reads all journeys in this process. Raises ConfigError when the settings are wrong or a path does not exist."""
    settings = load_settings(request.start, request.overrides, os.environ, request.environment)
    texts: dict[Path, str] = {}

    def load(file: Path) -> tuple[Journey, ...]:
        try:
            texts[file] = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DiscoveryError(f"{file}: cannot be read: {error}") from error
        return load_journeys(file, texts[file])

    selection = select(request.wanted, request.tags, settings.journeys, load)
    missing_paths = [problem.message for problem in selection.problems if problem.kind == "missing"]
    if missing_paths:
        raise ConfigError("\n".join(missing_paths))
    problems = {problem.path: problem.message for problem in selection.problems if problem.kind == "broken"}
    empty = [problem.message for problem in selection.problems if problem.kind == "empty"]
    planned: list[PlannedJourney] = []
    where: dict[str, Path] = {}
    for file, journeys in groupby(sorted(selection.journeys, key=lambda one: one.file), key=lambda one: one.file):
        try:
            found = [_plan_journey(one, texts[file], settings) for one in journeys]
            names = dict(where)
            for name in (one.plan.journey for one in found):
                if name in names:
                    raise DiscoveryError(
                        f"{file}: a journey named {name!r} is declared in {names[name]} too; rename one of them"
                    )
                names[name] = file
        except JourneyError as error:
            problems[file] = str(error)
        else:
            planned += found
            where = names
    return LoadedJourneys(
        tuple(planned),
        tuple(FileProblem(file, message) for file, message in problems.items()),
        (*empty, *selection.unknown),
        () if request.wanted or request.tags or problems else tuple(find_unmatched(settings, selection.journeys)),
    )


def _plan_journey(journey: Journey, text: str, settings: Settings) -> PlannedJourney:
    _require_secrets(journey, settings)
    locations, rotate = plan_locations(journey, settings)
    return PlannedJourney(
        msgspec.structs.replace(plan(journey, settings), source=text), plan_schedule(journey, settings), locations, rotate
    )


def _require_secrets(journey: Journey, settings: Settings) -> None:
    # The workers elsewhere have secrets of their own, and say which are missing.
    if not journey.secret_names or settings.dispatch != "local":
        return
    secrets = Secrets(folder=settings.secrets_dir, file=settings.secrets_file)
    lines = [
        f"{journey.where}: {journey.name} needs secret {name!r}, which is not set; {secrets.where(name)}"
        for name in find_missing(journey.secret_names, secrets)
    ]
    if lines:
        raise ConfigError("\n".join(lines))


def main() -> None:
    """The process's entry."""
    request = decoder(LoadRequest).decode(sys.stdin.buffer.read())
    # What a journey's file prints must not mix with the answer.
    answer = os.dup(1)
    os.dup2(2, 1)
    try:
        loaded = plan_journeys(request)
    except JourneyError as error:
        loaded = LoadedJourneys((), (FileProblem(request.start, str(error)),))
    # The parent process may have ended meanwhile: then nobody waits for the answer.
    with suppress(BrokenPipeError), os.fdopen(answer, "wb") as stream:
        stream.write(encode(loaded))


if __name__ == "__main__":
    main()
