"""What a smoke check is asked: how often, against what, by which rule."""

from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reports.compare import Rule
from reports.smoke.baseline import Baseline, file_of, pictures_beside
from runner.result import Quarantine
from runner.settings.parsers.smoke import ProfileWhen
from runner.settings.sections.budgets import Budget
from runner.settings.settings import Settings

GROWTH = 1.5
"""Each further look comes after so many times as many runs as the one before."""


class Question(Struct, frozen=True, kw_only=True):
    """All but the journeys themselves."""

    rule: Rule = Rule()
    runs: int = 5
    """Of a journey that has no baseline."""
    warm_up: int = 1
    seed: int = 0
    """Of the order of the two sides of a pair."""
    pictures: int = 0
    """Of how many rounds, from the first, each step's end is pictured."""
    saved_pictures: Path | None = None
    """The file with the saved baseline's pictures."""
    blocks: tuple[str, ...] = ()
    """Patterns of what is blocked in a variant of its own; `each` for every third party."""
    coverage: bool = False
    cpu_profile: ProfileWhen = "off"
    keep_going: bool = False
    fail_undecided: bool = False
    budgets: tuple[Budget, ...] = ()
    quarantine: tuple[Quarantine, ...] = ()
    location: str = "local"
    base_url: str | None = None
    against: str | None = None
    """The address of the reference site, measured side by side."""
    saved: Baseline | None = None
    saved_name: str = ""
    notes: tuple[str, ...] = ()
    """To be shown with the result; known before anything is measured."""


def with_pictures(question: Question, settings: Settings) -> Question:
    """The same question, of how the steps look, too."""
    beside, notes = None, question.notes
    if "://" in question.saved_name:
        notes = (*notes, "pictures of a baseline are beside its file: those of an address cannot be fetched")
    elif question.saved_name:
        beside = pictures_beside(file_of(question.saved_name, settings.runs_dir, "--baseline"))
    return replace(question, pictures=settings.smoke_picture_pairs, saved_pictures=beside, notes=notes)


def rule(settings: Settings) -> Rule:
    """The rule of the comparison, with what the settings say about it."""
    share, floor = settings.smoke_tolerance
    said: dict[str, Any] = {
        "tolerance": share,
        "floor_seconds": floor,
        "looks": looks(settings.smoke_looks or Rule().looks, settings.smoke_max_runs),
        "alarm": settings.smoke_alarm,
        "miss": settings.smoke_miss,
    }
    return Rule(**{key: value for key, value in said.items() if value is not None})


def looks(wanted: tuple[int, ...], most: int | None) -> tuple[int, ...]:
    """When decisions are made, if a journey is to be run at most `most` times: the last of them is then.

    >>> looks((8, 12, 18), 15), looks((8, 12, 18), 30), looks((8, 12, 18), None)
    ((8, 12, 15), (8, 12, 18, 27, 30), (8, 12, 18))
    """
    if most is None:
        return wanted
    found = [one for one in wanted if one < most]
    while found and len(found) >= len(wanted) and round(found[-1] * GROWTH) < most:
        found.append(round(found[-1] * GROWTH))
    return (*found, most)
