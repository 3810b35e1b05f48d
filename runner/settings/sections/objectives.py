"""Objectives: which share of the runs of journeys has to pass, or of a step has to be fast, over a window of time."""

import re
from fnmatch import fnmatchcase

from msgspec import Struct

from runner.settings.duration import parse_positive_duration, show_duration
from runner.settings.parsers.toml_table import check_entry, parse_entry, parse_toml_table
from runner.settings.parsers.values import parse_text

HOUR, DAY = 3600.0, 86_400.0
SHORTEST, LONGEST = DAY, 400 * DAY
KEYS = ("journeys", "objective", "window", "step", "under")


class Objective(Struct, frozen=True, kw_only=True):
    """A share of good runs: of those that passed or failed, the ones that passed; with `step`, the ones in which it was fast."""

    name: str
    journeys: tuple[str, ...]
    """Names or patterns (`*` and `?`)."""
    target: float
    """The share of good runs, above 0.5 and below 1."""
    window: float = 30 * DAY
    """Seconds back from now."""
    step: str | None = None
    under: float | None = None
    """Seconds that the step may take at most; None for an objective of runs that pass."""

    @property
    def allowed(self) -> float:
        """The share of runs that may be bad.

        >>> Objective(name="buy", journeys=("buy",), target=0.995).allowed
        0.005
        """
        return round(1 - self.target, 12)

    def applies_to(self, journey: str) -> bool:
        """Whether the journey's runs count."""
        return any(fnmatchcase(journey, pattern) for pattern in self.journeys)

    def describe(self) -> str:
        """What is asked for, in one line.

        >>> Objective(name="buy", journeys=("buy",), target=0.95, step="pay", under=0.8).describe()
        '95% of buy: pay under 800ms, over 30d'
        """
        what = f": {self.step} under {show_duration(self.under)}" if self.step and self.under else " pass"
        return f"{format_target(self.target)} of {', '.join(self.journeys)}{what}, over {show_duration(self.window)}"


def format_target(share: float) -> str:
    """A share as a percentage without needless digits.

    >>> format_target(0.995), format_target(0.9999)
    ('99.5%', '99.99%')
    """
    return f"{round(share * 100, 8):.8f}".rstrip("0").rstrip(".") + "%"


def parse_objectives(value: object) -> tuple[Objective, ...]:
    """A table of tables as in the configuration file, or its text in TOML. Raises ValueError that names objective, key and the fix."""
    if isinstance(value, tuple) and all(isinstance(one, Objective) for one in value):
        return value
    table = parse_toml_table(value, "write a table [slo.NAME] with journeys and objective")
    return tuple(_parse_objective(name, one) for name, one in table.items())


def _parse_objective(name: str, value: object) -> Objective:
    required = {"journeys": 'journeys = ["buy"]', "objective": 'objective = "99.5%"'}
    table = check_entry(name, value, "an objective", "slo", required, KEYS)
    if ("step" in table) != ("under" in table):
        missing, example = ("step", 'step = "pay"') if "under" in table else ("under", 'under = "800ms"')
        raise ValueError(
            f"{name}: {missing} is missing; an objective of latency has step and under: add a line such as {example}"
        )
    parsers = {
        "journeys": _parse_journeys,
        "objective": _parse_target,
        "window": _parse_window,
        "step": parse_text,
        "under": parse_positive_duration,
    }
    found = parse_entry(name, table, parsers)
    found["target"] = found.pop("objective")
    return Objective(name=name, **found)  # type: ignore[arg-type]  # each has come from its own parser


def _parse_journeys(value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not names or not all(isinstance(one, str) and one for one in names):
        raise ValueError(f"{value!r} is not a list of names; write one such as ['buy'], or ['checkout*']")
    return tuple(names)


def _parse_target(value: object) -> float:
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,6})?)\s*%", value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is not a share; write a percentage such as '99.5%'")
    share = round(float(found[1]) / 100, 10)
    if share >= 1:
        raise ValueError(
            f"{value!r} leaves no run that may fail, so nothing could be decided; write less than 100%, such as '99.9%'"
        )
    if share <= 0.5:
        raise ValueError(f"{value!r} is not an objective; write more than 50%, such as '99.5%'")
    return share


def _parse_window(value: object) -> float:
    seconds = parse_positive_duration(value)
    if not SHORTEST <= seconds <= LONGEST or seconds % HOUR:
        raise ValueError(f"{value!r} is not a window; write whole hours or days from '1d' to '400d', such as '30d'")
    return seconds
