"""All journeys read and planned in a process of their own, so that nothing in their files can stop or fill a daemon.

`python -m runner.scheduler.loader` reads a Request as JSON from standard input and writes a Planning to standard output.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from runner.codec import decoder, encode
from runner.dsl.discovery import files_in, is_path, load_journeys, selectors, unknown_name, unknown_tag
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan, plan
from runner.dsl.schedule import Schedule
from runner.errors import ConfigError, DiscoveryError, JourneyError
from runner.settings.secrets import Secrets, find_missing
from runner.settings.settings import Settings, load_settings

PATIENCE = 60.0
"""Seconds that reading all journeys may take."""


class Request(Struct, frozen=True, kw_only=True):
    """What to read: as the command line of `journey schedule` says it."""

    start: Path
    overrides: dict[str, Any] = {}
    environment: str | None = None
    wanted: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class Planned(Struct, frozen=True):
    """A journey, ready to be run; `schedule` is None when it does not say when."""

    plan: Plan
    schedule: Schedule | None


class Problem(Struct, frozen=True):
    """A file that cannot be used, and why."""

    file: Path
    message: str


class Planning(Struct, frozen=True):
    """What was read: every journey that can be used, every file that cannot."""

    planned: tuple[Planned, ...]
    problems: tuple[Problem, ...] = ()
    unknown: tuple[str, ...] = ()
    """What is wrong with the wanted names and tags that no journey has."""


_decoder = decoder(Planning)


def ask(request: Request) -> Planning:
    """Reads all journeys in a new process. Raises ConfigError when the settings are wrong, or it does not end in time."""
    try:
        answer = subprocess.run(
            [sys.executable, "-P", "-m", "runner.scheduler.loader"],
            input=encode(request),
            stdout=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"reading the journeys took more than {PATIENCE:g} s; look for a loop in their files") from error
    try:
        planning: Planning = _decoder.decode(answer.stdout)
    except msgspec.DecodeError as error:
        raise ConfigError(f"the journeys could not be read (exit code {answer.returncode}); what was said is above") from error
    return planning


def read(request: Request) -> Planning:
    """Reads all journeys in this process. Raises ConfigError when the settings are wrong."""
    settings = load_settings(request.start, request.overrides, os.environ, request.environment)
    planned: list[Planned] = []
    problems: list[Problem] = []
    where: dict[str, str] = {}
    wanted = _wanted(selectors(request.wanted, settings.journeys))
    names: dict[Path, list[str]] = {}
    tags: set[str] = set()
    for file, patterns in wanted.items():
        try:
            text = file.read_text(encoding="utf-8")
            journeys = load_journeys(file, text)
            names[file] = [one.name for one in journeys]
            tags.update(tag for one in journeys for tag in one.options.tags)
            found = [
                _planned(one, text, settings)
                for one in journeys
                if any(fnmatchcase(one.name, pattern) for pattern in patterns)
                and (not request.tags or set(request.tags) & set(one.options.tags))
            ]
            for one in found:
                name = one.plan.journey
                if name in where:
                    raise DiscoveryError(
                        f"{file}: a journey named {name!r} is declared in {where[name]} too; rename one of them"
                    )
            planned += found
            where.update({one.plan.journey: str(file) for one in found})
        except (JourneyError, OSError, UnicodeDecodeError) as error:
            problems.append(Problem(file, str(error)))
    unknown = [
        *_unknown_names(request, settings.journeys, names),
        *(unknown_tag(tag, tags) for tag in request.tags if tag not in tags),
    ]
    return Planning(tuple(planned), tuple(problems), tuple(unknown))


def _wanted(selected: Sequence[tuple[Path, str]]) -> dict[Path, list[str]]:
    """Each file to read with the patterns of the names that are wanted of it."""
    wanted: dict[Path, list[str]] = {}
    for path, pattern in selected:
        if not path.exists():
            raise ConfigError(f"{path}: no such file or folder; name an existing one, or put your journeys there")
        for file in files_in(path) if path.is_dir() else [path]:
            wanted.setdefault(file.resolve(), []).append(pattern)
    return wanted


def _unknown_names(request: Request, folders: Sequence[Path], names: dict[Path, list[str]]) -> Iterator[str]:
    for word in request.wanted:
        if is_path(word):
            continue
        files = _wanted(selectors([word], folders))
        known = [name for file in files for name in names.get(file, ())]
        pattern = word.rpartition("::")[2]
        if not any(fnmatchcase(name, pattern) for name in known):
            yield unknown_name(pattern, known)


def _planned(journey: Journey, text: str, settings: Settings) -> Planned:
    _require_secrets(journey, settings)
    return Planned(msgspec.structs.replace(plan(journey, settings), source=text), _schedule(journey, settings))


def _require_secrets(journey: Journey, settings: Settings) -> None:
    if not journey.secret_names:
        return
    secrets = Secrets(folder=settings.secrets_dir, file=settings.secrets_file)
    lines = [
        f"{journey.where}: {journey.name} needs secret {name!r}, which is not set; {secrets.where(name)}"
        for name in find_missing(journey.secret_names, secrets)
    ]
    if lines:
        raise ConfigError("\n".join(lines))


def _schedule(journey: Journey, settings: Settings) -> Schedule | None:
    given = journey.options
    if given.every is None and given.cron is None:
        return None
    return Schedule(
        every=given.every,
        cron=given.cron,
        timezone=given.cron_timezone or settings.cron_timezone,
        jitter=settings.jitter if given.jitter is None else given.jitter,
    )


def main() -> None:
    """The process's entry."""
    request = decoder(Request).decode(sys.stdin.buffer.read())
    # What a journey's file prints must not mix with the answer.
    answer = os.dup(1)
    os.dup2(2, 1)
    try:
        planning = read(request)
    except JourneyError as error:
        planning = Planning((), (Problem(request.start, str(error)),))
    # Who asked may have ended meanwhile: then nobody waits for the answer.
    with suppress(BrokenPipeError), os.fdopen(answer, "wb") as stream:
        stream.write(encode(planning))


if __name__ == "__main__":
    main()
