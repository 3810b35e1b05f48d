"""Whether what the settings name (budgets, quarantine, objectives, the status page) matches any journey of the project, or its steps."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from runner.dsl.discovery import suggest
from runner.dsl.journey import Journey
from runner.result import Quarantine
from runner.settings.sections.budgets import Budget
from runner.settings.settings import Settings


def find_unmatched(settings: Settings, project: Sequence[Journey]) -> Iterator[str]:
    """A message for each name in the settings that matches nothing of the whole project."""
    yield from find_unmatched_budgets(settings.budgets, project)
    yield from find_unmatched_quarantine(settings.quarantine, project)
    yield from find_unmatched_names(settings, project)


def find_unmatched_names(settings: Settings, project: Sequence[Journey]) -> Iterator[str]:
    """Names of the status page and of objectives that no journey of the whole project has."""
    names = sorted({one.name for one in project})
    if settings.status_page is not None:
        for name in settings.status_page.journeys:
            if name not in names:
                yield f"status_page.journeys: no journey is named {name!r}; {suggest(name, names)}"
    for objective in settings.slo:
        if objective.journeys and not any(map(objective.applies_to, names)):
            yield f"slo.{objective.name}.journeys: no journey is named {' or '.join(objective.journeys)}; there are: {', '.join(names)}"


def find_unmatched_budgets(budgets: Sequence[Budget], journeys: Sequence[Journey]) -> Iterator[str]:
    """A message for each pattern that matches no journey, or no step, of the whole project.

    Where a step's name is built at run time, or steps begin in another function, any pattern may match, so none is reported.
    """
    for one in {(budget.journey, budget.step): budget for budget in budgets}.values():
        yield from _check(one.where.rpartition(".")[0], one.journey, one.step, journeys)


def find_unmatched_quarantine(entries: Sequence[Quarantine], journeys: Sequence[Journey]) -> Iterator[str]:
    """The same for what is set aside: a name that is not there sets nothing aside."""
    for one in entries:
        yield from _check(one.where, one.journey, one.step or None, journeys)


def _check(key: str, journey_pattern: str, step_pattern: str | None, journeys: Sequence[Journey]) -> Iterator[str]:
    matching = [journey for journey in journeys if fnmatchcase(journey.name, journey_pattern)]
    if not matching:
        names = [known.name for known in journeys]
        yield f"{key}: no journey has a name like {journey_pattern!r}{_suggest(journey_pattern, names)}"
    elif step_pattern is not None and not any(journey.more_steps for journey in matching):
        names = [name for journey in matching for name in journey.step_names or (journey.name,)]
        if not any(fnmatchcase(name, step_pattern) for name in names):
            yield f"{key}: no step of {journey_pattern!r} has a name like {step_pattern!r}{_suggest(step_pattern, names)}"


def _suggest(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word, known, 1)
    return f"; did you mean {close[0]!r}?" if close else ""
