"""Budgets in the settings: upper bounds of figures, for journeys and steps whose names match a pattern."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from runner import measures
from runner.installation import install_command
from runner.measures import FIGURES, OF_A_RUN, OF_A_STEP
from runner.network.registrable_domain import is_list_installed
from runner.result import Overrun, RunResult
from runner.settings.duration import parse_positive_duration
from runner.settings.parsers.pictures import parse_share
from runner.settings.parsers.toml_table import parse_toml_table
from runner.settings.parsers.values import parse_size

MEDIAN = 50
LEAST, MOST = 50, 99
"""Percentiles that a budget can use."""


class Budget(Struct, frozen=True, kw_only=True):
    """An upper bound of one figure, for journeys whose name matches `journey`, or for their steps whose name matches `step`."""

    journey: str
    step: str | None = None
    """None for the journey as a whole."""
    figure: str
    percent: int | None = None
    """The percentile to compare with the bound; None for the median."""
    bound: float
    where: str = "budgets"
    """The key in the settings."""

    @property
    def statistic(self) -> str:
        """`median`, or a percentile such as `p95`."""
        return "median" if self.percent is None else f"p{self.percent}"

    def holds_for(self, journey: str, step: str | None = None) -> bool:
        """Whether it applies to this step, or, if `step` is None, to the journey as a whole."""
        if (self.step is None) != (step is None) or not fnmatchcase(journey, self.journey):
            return False
        return self.step is None or fnmatchcase(step or "", self.step)

    def value(self, measured: Mapping[str, Sequence[float]]) -> float | None:
        """The value to compare with the bound, from these figures; None when they do not include it."""
        values = measured.get(self.figure)
        return measures.percentile(values, self.percent or MEDIAN) if values else None


def find_overruns(result: RunResult, budgets: Sequence[Budget]) -> tuple[Overrun, ...]:
    """The budgets that a passed run exceeds: those of its steps, then those of the journey as a whole. None for other runs."""
    if result.status != "passed":
        return ()
    measured = [(step.name, measures.measure_step(step)) for step in result.steps if step.status == "passed"]
    found = []
    for step, values in [*measured, ("", measures.measure_run(result))]:
        for one in budgets:
            value = one.value(measures.gather_values([values])) if one.holds_for(result.journey, step or None) else None
            if value is not None and value > one.bound:
                found.append(Overrun(step=step, figure=one.figure, bound=one.bound, value=value, where=one.where))
    return tuple(found)


def parse_budgets(value: object) -> tuple[Budget, ...]:
    """A table as in the configuration file, or its text in TOML. Raises ValueError that names key, figure and what is accepted."""
    table = parse_toml_table(value, 'write one such as "buy/pay" = { latency = "2s" }')
    return tuple(one for pattern, bounds in table.items() for one in _parse_bounds(pattern, bounds))


def _parse_bounds(pattern: str, bounds: object) -> Iterator[Budget]:
    journey, slash, step = pattern.partition("/")
    if not journey or (slash and not step):
        raise ValueError(f'{pattern!r} is not a pattern; write one of a journey, "buy", or of a step, "buy/pay"')
    if not isinstance(bounds, Mapping):
        raise ValueError(f'"{pattern}": {bounds!r} is not a table of bounds; write one such as {{ latency = "2s" }}')
    for name, bound in _flatten(bounds):
        figure, percent = _parse_figure(pattern, name)
        if step and figure in OF_A_RUN:
            raise ValueError(f'"{pattern}".{name}: {figure} is one of a journey as a whole; a step has latency and wall')
        if not step and figure in OF_A_STEP:
            raise ValueError(f'"{pattern}".{name}: {figure} is one of a step; write "{pattern}/*"')
        try:
            checked = _parse_bound(figure, bound)
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


def _flatten(bounds: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """The bounds by name: TOML reads `axe.serious = 0` as a table in the table."""
    for name, bound in bounds.items():
        if isinstance(bound, Mapping):
            yield from ((f"{name}.{rest}", one) for rest, one in _flatten(bound))
        else:
            yield name, bound


def _parse_figure(pattern: str, name: str) -> tuple[str, int | None]:
    found = re.fullmatch(r"(.+)_p(\d+)", name)
    figure, percent = (found[1], int(found[2])) if found else (name, None)
    if figure not in FIGURES:
        close = get_close_matches(figure, FIGURES, 1)
        suffix = f"_p{percent}" if percent is not None else ""
        hint = f"did you mean {close[0]}{suffix}?" if close else f"figures are: {', '.join(FIGURES)}"
        raise ValueError(f'"{pattern}".{name}: {figure} is not a figure; {hint}')
    if "_party." in figure and not is_list_installed():
        raise ValueError(
            f'"{pattern}".{name}: {figure} needs the package publicsuffixlist; install it with: {install_command("sites")}'
        )
    if percent is not None and not LEAST <= percent <= MOST:
        raise ValueError(f'"{pattern}".{name}: percentiles are {figure}_p{LEAST} to {figure}_p{MOST}')
    return figure, percent


def _parse_bound(figure: str, value: Any) -> float:
    unit = FIGURES[figure]
    if unit == "seconds":
        return parse_positive_duration(value)
    if unit == "bytes":
        return float(parse_size(value))
    if unit == "share":
        return parse_share(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        what = "a score without a unit, such as 0.1" if unit == "score" else "a number without a unit, such as 0"
        raise ValueError(f"{value!r} is not a bound for {figure}; write {what}")
    return float(value)
