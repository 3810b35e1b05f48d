"""Upper bounds of figures, as the settings write them: for journeys and steps whose names fit a pattern."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from runner import measures as figures
from runner.dsl.journey import Journey
from runner.dsl.options import size
from runner.measures import FIGURES, OF_A_RUN
from runner.result import Overrun, RunResult
from runner.settings.duration import positive

MEDIAN = 50
LEAST, MOST = 50, 99
"""Percentiles that can be asked for."""


class Budget(Struct, frozen=True, kw_only=True):
    """A bound of one figure, of the journeys whose name fits `journey`, or of their steps whose name fits `step`."""

    journey: str
    step: str | None = None
    """None for the journey as a whole."""
    figure: str
    percent: int | None = None
    """The percentile that is held against the bound; None for the median."""
    bound: float
    where: str = "budgets"
    """The key in the settings."""

    @property
    def statistic(self) -> str:
        """`median`, or a percentile such as `p95`."""
        return "median" if self.percent is None else f"p{self.percent}"

    def holds_for(self, journey: str, step: str | None = None) -> bool:
        """Whether it is a budget of this step, or, without one, of the journey as a whole."""
        if (self.step is None) != (step is None) or not fnmatchcase(journey, self.journey):
            return False
        return self.step is None or fnmatchcase(step or "", self.step)

    def value(self, measured: Mapping[str, Sequence[float]]) -> float | None:
        """What is to be held against the bound, of these figures; None when they have nothing of the kind."""
        values = measured.get(self.figure)
        return figures.percentile(values, self.percent or MEDIAN) if values else None


def overruns(result: RunResult, budgets: Sequence[Budget]) -> tuple[Overrun, ...]:
    """The budgets of the settings that a run which passed is over: those of its steps, then those of the whole."""
    if result.status != "passed":
        return ()
    measured = [(step.name, figures.of_step(step)) for step in result.steps if step.status == "passed"]
    found = []
    for step, values in [*measured, ("", figures.of_run(result))]:
        for one in budgets:
            value = one.value(figures.gather([values])) if one.holds_for(result.journey, step or None) else None
            if value is not None and value > one.bound:
                found.append(Overrun(step=step, figure=one.figure, bound=one.bound, value=value, where=one.where))
    return tuple(found)


def unfitting(budgets: Sequence[Budget], journeys: Sequence[Journey]) -> Iterator[str]:
    """Says, once for each key of the settings, which pattern fits no journey or no step of a whole project.

    Where a step's name is put together at run time, or steps are begun in another function, any pattern may fit one.
    """
    for one in {(budget.journey, budget.step): budget for budget in budgets}.values():
        key = one.where.rpartition(".")[0]
        fitting = [journey for journey in journeys if fnmatchcase(journey.name, one.journey)]
        if not fitting:
            yield f"{key}: no journey has a name like {one.journey!r}{_close(one.journey, [known.name for known in journeys])}"
        elif one.step is not None and not any(journey.more_steps for journey in fitting):
            names = [name for journey in fitting for name in journey.step_names or (journey.name,)]
            if not any(fnmatchcase(name, one.step) for name in names):
                yield f"{key}: no step of {one.journey!r} has a name like {one.step!r}{_close(one.step, names)}"


def _close(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word, known, 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def budgets(value: object) -> tuple[Budget, ...]:
    """A table as in the configuration file, or its text in TOML. Raises ValueError that names key, figure and what is accepted."""
    table: object = value
    if isinstance(value, str):
        try:
            table = tomllib.loads(value)
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"cannot be read as TOML: {error}") from error
    if not isinstance(table, Mapping):
        raise ValueError(f'{value!r} is not a table; write one such as "buy/pay" = {{ latency = "2s" }}')
    return tuple(one for pattern, bounds in table.items() for one in _of_pattern(pattern, bounds))


def _of_pattern(pattern: str, bounds: object) -> Iterator[Budget]:
    journey, slash, step = pattern.partition("/")
    if not journey or (slash and not step):
        raise ValueError(f'{pattern!r} is not a pattern; write one of a journey, "buy", or of a step, "buy/pay"')
    if not isinstance(bounds, Mapping):
        raise ValueError(f'"{pattern}": {bounds!r} is not a table of bounds; write one such as {{ latency = "2s" }}')
    for name, bound in bounds.items():
        figure, percent = _figure(pattern, name)
        if step and figure in OF_A_RUN:
            raise ValueError(f'"{pattern}".{name}: {figure} is one of a journey as a whole; a step has latency and wall')
        try:
            checked = _bound(figure, bound)
        except ValueError as error:
            raise ValueError(f'"{pattern}".{name}: {error}') from error
        yield Budget(
            journey=journey,
            step=step or None,
            figure=figure,
            percent=percent,
            bound=checked,
            where=f'budgets."{pattern}".{name}',
        )


def _figure(pattern: str, name: str) -> tuple[str, int | None]:
    found = re.fullmatch(r"(.+)_p(\d+)", name)
    figure, percent = (found[1], int(found[2])) if found else (name, None)
    if figure not in FIGURES:
        close = get_close_matches(figure, FIGURES, 1)
        suffix = f"_p{percent}" if percent is not None else ""
        hint = f"did you mean {close[0]}{suffix}?" if close else f"figures are: {', '.join(FIGURES)}"
        raise ValueError(f'"{pattern}".{name}: {figure} is not a figure; {hint}')
    if percent is not None and not LEAST <= percent <= MOST:
        raise ValueError(f'"{pattern}".{name}: percentiles are {figure}_p{LEAST} to {figure}_p{MOST}')
    return figure, percent


def _bound(figure: str, value: Any) -> float:
    unit = FIGURES[figure]
    if unit == "seconds":
        return positive(value)
    if unit == "bytes":
        return float(size(value))
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        what = "a score without a unit, such as 0.1" if unit == "score" else "a number without a unit, such as 0"
        raise ValueError(f"{value!r} is not a bound for {figure}; write {what}")
    return float(value)
