"""Funnels: pages of an app that its visitors are to go through, in order, within a time."""

from msgspec import Struct

from runner.settings.duration import parse_positive_duration
from runner.settings.parsers.toml_table import check_entry, parse_entry, parse_toml_table
from runner.settings.sections.apps import NAME as APP_NAME

KEYS = ("app", "steps", "within")
FEWEST, MOST = 2, 10
"""Steps of a funnel."""
LONGEST_STEP = 200
WITHIN = 1800.0
LONGEST_WITHIN = 14_400.0
"""Seconds that our agent's sessions last at most."""


class Funnel(Struct, frozen=True, kw_only=True):
    """The steps of a visit that matters."""

    name: str
    app: str
    steps: tuple[str, ...]
    """Route templates as *Real users* names the pages, such as `/item/:id`."""
    within: float = WITHIN
    """Seconds from the first step to the last."""


def parse_funnels(value: object) -> tuple[Funnel, ...]:
    """A table of tables as in the configuration file, or its text in TOML. Raises ValueError that names funnel, key and the fix."""
    if isinstance(value, tuple) and all(isinstance(one, Funnel) for one in value):
        return value
    table = parse_toml_table(value, "write a table [funnels.NAME] with app and steps")
    return tuple(_parse_funnel(name, one) for name, one in table.items())


def parse_steps(value: object) -> tuple[str, ...]:
    """The pages of a funnel. Raises ValueError."""
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) and one for one in value):
        raise ValueError(f"{value!r} is not a list of pages; write one such as ['/', '/item/:id', '/thanks']")
    if not FEWEST <= len(value) <= MOST:
        raise ValueError(f"{len(value)} {'step is' if len(value) == 1 else 'steps are'} given; a funnel has {FEWEST} to {MOST}")
    for one in value:
        if len(one) > LONGEST_STEP:
            raise ValueError(f"{one[:40]!r}… is longer than {LONGEST_STEP} characters; no page is")
    return tuple(value)


def parse_within(value: object) -> float:
    """The time for all steps. Raises ValueError."""
    seconds = parse_positive_duration(value)
    if seconds > LONGEST_WITHIN:
        raise ValueError(f"{value!r} is longer than a session can be; write at most '4h'")
    return seconds


def _parse_app(value: object) -> str:
    if isinstance(value, str) and APP_NAME.fullmatch(value):
        return value
    raise ValueError(f"{value!r} is not the name of an app; write the one of data-app")


def _parse_funnel(name: str, value: object) -> Funnel:
    required = {"app": 'app = "shop"', "steps": 'steps = ["/", "/item/:id", "/thanks"]'}
    table = check_entry(name, value, "a funnel", "funnels", required, KEYS)
    found = parse_entry(name, table, {"app": _parse_app, "steps": parse_steps, "within": parse_within})
    return Funnel(name=name, **found)  # type: ignore[arg-type]  # each has come from its own parser
