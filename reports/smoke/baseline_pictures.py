"""The pictures of a saved baseline: saved with it, and replaced where somebody has accepted what has changed."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from reports.smoke import baseline
from reports.smoke.baseline import Baseline, BaselinePicture, pictures_beside
from reports.smoke.picture_file import NoPictures, PictureFile, read_pictures
from reports.smoke.result import JourneyCheck, SmokeResult
from runner.errors import ConfigError

OPTION = "--save-baseline"
Place = tuple[str, str]
"""A journey and a step."""


def save_with_pictures(result: SmokeResult, file: Path) -> None:
    """Saves what a check has measured and pictured as a baseline in `file`, and beside it. Raises ConfigError when that fails."""
    made = baseline.of(result)
    if file.parent.name == baseline.FOLDER:
        file.parent.mkdir(parents=True, exist_ok=True)
    _write(result, made, file, lambda *_: True)


def accept_pictures(result: SmokeResult, file: Path, wanted: Callable[[JourneyCheck, str], bool]) -> list[Place]:
    """Puts the candidate's pictures of the wanted steps into the baseline in `file`; returns the journeys and steps.

    Raises ConfigError when a file cannot be read or written.
    """
    known = baseline.read(file, str(file))
    return _write(result, known, file, wanted)


def _write(result: SmokeResult, made: Baseline, file: Path, wanted: Callable[[JourneyCheck, str], bool]) -> list[Place]:
    """Writes the pictures first, each named by its content: what a baseline names is never another picture."""
    try:
        fresh = _read_fresh(result, made, wanted)
        kept = _read_kept(made, file)
    except NoPictures as error:
        raise ConfigError(f"pictures for {file} cannot be copied: {error}") from error
    found: dict[str, dict[str, BaselinePicture]] = {}
    with PictureFile(pictures_beside(file), OPTION) as written:
        entries: set[str] = set()
        for (name, step), (count, content) in (kept | fresh).items():
            entry = f"{sha256(content).hexdigest()[:32]}.png"
            if entry not in entries:
                entries.add(written.add(entry, content))
            found.setdefault(name, {})[step] = BaselinePicture(file=entry, count=count)
    journeys = {name: replace(journey, pictures=found.get(name, {})) for name, journey in made.journeys.items()}
    baseline.save(replace(made, journeys=journeys), file)
    return list(fresh)


def _read_fresh(
    result: SmokeResult, made: Baseline, wanted: Callable[[JourneyCheck, str], bool]
) -> dict[Place, tuple[int, bytes]]:
    """The candidate's pictures of the wanted steps, each with how many it was made of."""
    found = {}
    for check in result.journeys:
        for step in check.steps:
            picture = step.picture
            if (
                check.name in made.journeys
                and picture is not None
                and "candidate" in picture.files
                and wanted(check, step.name)
            ):
                content = read_pictures(Path(result.pictures), {"it": picture.files["candidate"]})["it"]
                found[check.name, step.name] = (picture.pictures[1], content)
    return found


def _read_kept(made: Baseline, file: Path) -> dict[Place, tuple[int, bytes]]:
    """The pictures that a baseline has."""
    return {
        (name, step): (one.count, read_pictures(pictures_beside(file), {"it": one.file})["it"])
        for name, journey in made.journeys.items()
        for step, one in journey.pictures.items()
    }
