"""The budget lines in charts: for a run's duration, by journey, and for a step's latency."""

from collections.abc import Iterator, Mapping, Sequence

from runner.settings.sections.budgets import Budget


class DurationBudgets(Mapping[str, float]):
    """The lowest bound of each journey; patterns of the settings match any name.

    >>> DurationBudgets([Budget(journey="buy*", figure="duration", bound=3.0)])["buy_tea"]
    3.0
    """

    def __init__(self, budgets: Sequence[Budget]) -> None:
        self._budgets = [one for one in budgets if one.figure == "duration" and one.step is None]

    def __getitem__(self, journey: str) -> float:
        bounds = [one.bound for one in self._budgets if one.holds_for(journey)]
        if not bounds:
            raise KeyError(journey)
        return min(bounds)

    def __iter__(self) -> Iterator[str]:
        return iter({one.journey: one for one in self._budgets})

    def __len__(self) -> int:
        return len({one.journey for one in self._budgets})


def step_budget(budgets: Sequence[Budget], journey: str, step: str, own: float | None) -> float | None:
    """The lowest bound of a step's latency, from the settings and the step's own.

    >>> step_budget([Budget(journey="buy", step="pay", figure="latency", bound=2.0)], "buy", "pay", 3.0)
    2.0
    """
    bounds = [one.bound for one in budgets if one.figure == "latency" and one.holds_for(journey, step)]
    return min([*bounds, *([own] if own is not None else [])], default=None)
