"""A baseline in a file: the figures of earlier runs, to hold a candidate against; one JSON document, written whole."""

import os
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urljoin, urlsplit, urlunsplit

import msgspec
from msgspec import Meta, Struct

from reports.smoke.result import SmokeResult, StepCheck
from runner.archive.archive import PICTURES
from runner.archive.json_document import replace_file
from runner.errors import ConfigError
from runner.redaction import Redactor
from runner.result import Environment
from runner.untrusted_text import printable

VERSION = 1
FOLDER = ".baselines"
"""In the folder of the runs: where a baseline is that is given by name."""
PATIENCE = 20.0
"""Seconds in which a server has to begin its answer, and for each part of it."""
LARGEST = 50_000_000
"""Bytes of a baseline that is fetched."""
ENOUGH, GOOD = 15, 20
"""Runs of each journey: with fewer than the first a baseline says little, the second are advised."""
Values = tuple[Annotated[float, Meta(ge=0)], ...]


class BaselinePicture(Struct, frozen=True, kw_only=True):
    """How a step's end looked."""

    file: str
    """Its name in the file of pictures."""
    count: int
    """Of how many pictures it was made."""


class JourneyBaseline(Struct, frozen=True, kw_only=True):
    """One journey's figures, each in the order of the runs."""

    steps: dict[str, dict[str, Values]]
    whole: dict[str, Values] = {}
    runs: tuple[str, ...] = ()
    """Their ids."""
    pictures: dict[str, BaselinePicture] = {}
    """By step; in the file of pictures beside the baseline."""
    accessibility: dict[str, tuple[str, ...]] = {}
    """By step, of those whose page was checked: the names of what was found."""


class Baseline(Struct, frozen=True, kw_only=True):
    """The figures of one smoke check that has passed, and what they were measured with."""

    made_at: datetime
    journeys: dict[str, JourneyBaseline]
    check: str = ""
    """Id of the smoke check."""
    environment: Environment = Environment()
    location: str = ""
    processors: int = 0
    """Of the machine; 0 when it is not known."""
    version: int = VERSION


class _Version(Struct):
    version: int


def of(result: SmokeResult) -> Baseline:
    """What a smoke check has measured, as a baseline for later ones."""
    return Baseline(
        made_at=result.ended_at,
        journeys={
            one.name: JourneyBaseline(
                steps={step.name: _own_figures(step) for step in one.steps if step.figures},
                whole=one.whole.figures,
                runs=one.runs,
                accessibility={step.name: step.accessibility.names for step in one.steps if step.accessibility is not None},
            )
            for one in result.journeys
        },
        check=result.id,
        environment=result.environment,
        location=result.location,
        processors=os.cpu_count() or 0,
    )


def _own_figures(step: StepCheck) -> dict[str, Values]:
    return {name: values for name, values in step.figures.items() if name != "picture"}


def pictures_beside(file: Path) -> Path:
    """The file of pictures of a baseline or of a saved check.

    >>> pictures_beside(Path("/x/release-7.json")).name
    'release-7.pictures.zip'
    """
    return file.with_suffix(PICTURES)


def load(wanted: str, runs_dir: Path) -> Baseline:
    """The baseline that `wanted` means: an address, a file (with a `/`, or ending in `.json`), or a name.

    Raises ConfigError, saying what is wrong with it and what to do.
    """
    if "://" in wanted:
        return _decode(_fetch(wanted), shown(wanted))
    return read(file_of(wanted, runs_dir, "--baseline"), wanted)


def read(file: Path, wanted: str) -> Baseline:
    """The baseline in a file, which somebody has named as `wanted`. Raises ConfigError."""
    try:
        return _decode(file.read_bytes(), str(file))
    except OSError as error:
        what = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        raise ConfigError(
            f"--baseline {wanted}: {file} {what}; make one with `journey smoke --save-baseline {wanted}`"
        ) from error


def save(baseline: Baseline, file: Path) -> None:
    """Writes it whole or not at all. Raises ConfigError when that fails."""
    if file.parent.name == FOLDER:
        file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, msgspec.json.format(msgspec.json.encode(baseline), indent=1) + b"\n", "--save-baseline")


def file_of(wanted: str, runs_dir: Path, option: str) -> Path:
    """The file that a path or a name means. Raises ConfigError for what is neither."""
    if "/" in wanted or wanted.endswith(".json"):
        if "://" in wanted:
            raise ConfigError(f"{option} {shown(wanted)}: a baseline can be read from an address, but only be saved in a file")
        return Path(wanted)
    if re.fullmatch(r"[A-Za-z0-9][\w.-]{0,99}", wanted):
        return runs_dir / FOLDER / f"{wanted}.json"
    raise ConfigError(f"{option} {wanted!r} is neither a file nor a name; a name has letters, digits, '_', '-' and '.'")


def shown(wanted: str) -> str:
    """A file, name or address as it may be shown: without a query, which often signs an address, and without credentials."""
    if "://" not in wanted:
        return wanted
    return Redactor().text(urlunsplit(urlsplit(wanted)._replace(query="", fragment="")))


def _fetch(address: str) -> bytes:
    # Here and not above: only this needs it.
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import build_opener

    from runner.network.no_redirects import NoRedirects

    where = f"--baseline {shown(address)}"
    if not re.match(r"https?://[^/\s@]+(/|$)", address):
        raise ConfigError(f"{where}: give an address with http or https and without credentials, or a file")
    try:
        with build_opener(NoRedirects()).open(address, timeout=PATIENCE) as answer:
            content: bytes = answer.read(LARGEST + 1)
    except (OSError, HTTPException) as error:
        why: object = error
        if isinstance(error, HTTPError):
            error.close()
            to = error.headers.get("location") if 300 <= error.code < 400 else None
            if to:
                to = printable(urljoin(address, to))
                raise ConfigError(
                    f"{where}: redirects to {shown(to)} ({error.code}), and redirects are not followed, as they could lead into "
                    "another network; give the address that it names, or fetch the file yourself and give that"
                ) from error
        elif isinstance(error, URLError):
            why = error.reason
        raise ConfigError(f"{where}: cannot be fetched: {why}; look at the address, or give a file") from error
    if len(content) > LARGEST:
        raise ConfigError(f"{where}: has more than {LARGEST // 1_000_000} MB, which no baseline has; look at the address")
    return content


def _decode(content: bytes, where: str) -> Baseline:
    try:
        version = msgspec.json.decode(content, type=_Version).version
        if version == VERSION:
            return msgspec.json.decode(content, type=Baseline)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(
            f"--baseline {where}: is not a baseline: {error}; make one with `journey smoke --save-baseline FILE`"
        ) from error
    raise ConfigError(
        f"--baseline {where}: has version {version}, this journey-runner reads {VERSION}; make a new one with it, or use the newer one"
    )
