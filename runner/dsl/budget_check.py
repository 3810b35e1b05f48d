"""Whether the patterns of the budgets match any journey of the project, or any of its steps."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from runner.dsl.journey import Journey
from runner.settings.budgets import Budget


def find_unmatched_budgets(budgets: Sequence[Budget], journeys: Sequence[Journey]) -> Iterator[str]:
    """A message for each pattern that matches no journey, or no step, of the whole project.

    Where a step's name is built at run time, or steps begin in another function, any pattern may match, so none is reported.
    """
    for one in {(budget.journey, budget.step): budget for budget in budgets}.values():
        key = one.where.rpartition(".")[0]
        matching = [journey for journey in journeys if fnmatchcase(journey.name, one.journey)]
        if not matching:
            yield f"{key}: no journey has a name like {one.journey!r}{_suggest(one.journey, [known.name for known in journeys])}"
        elif one.step is not None and not any(journey.more_steps for journey in matching):
            names = [name for journey in matching for name in journey.step_names or (journey.name,)]
            if not any(fnmatchcase(name, one.step) for name in names):
                yield f"{key}: no step of {one.journey!r} has a name like {one.step!r}{_suggest(one.step, names)}"


def _suggest(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word, known, 1)
    return f"; did you mean {close[0]!r}?" if close else ""
