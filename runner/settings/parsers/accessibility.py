"""Parsers of settings of accessibility, which `step.axe` and `expect_accessible` share.

Each raises ValueError that says what is wrong with the value and what to write; the caller adds where it is written.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeVar

from runner.accessibility import AuditRequest
from runner.errors import JourneyError
from runner.settings.parsers.pictures import parse_selectors
from runner.settings.parsers.toml_table import parse_toml_table

Switch = Literal["off", "on"]
T = TypeVar("T")
TAGS = (
    "wcag2a", "wcag2aa", "wcag2aaa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice", "experimental", "section508", "TTv5",
    "EN-301-549", "RGAAv4", "ACT",
)  # fmt: skip
"""Standards that axe has rules for."""
_CRITERION = re.compile(r"wcag\d{3,4}|cat\.[a-z-]+|section508\.22\.[a-z]")
_RULE = re.compile(r"[a-z][a-z0-9-]*")


def parse_switch(value: object) -> Switch:
    """`on` or `off`."""
    if value in ("on", True):
        return "on"
    if value in ("off", False):
        return "off"
    raise ValueError(f"{value!r} is not valid; choose one of off, on")


def parse_tags(value: object) -> tuple[str, ...]:
    """Which rules are checked: names of standards, of success criteria (`wcag143`), or of axe's categories (`cat.color`)."""
    tags = value.split() if isinstance(value, str) else value
    if not isinstance(tags, list | tuple) or not tags or not all(isinstance(one, str) for one in tags):
        raise ValueError(f"{value!r} is not a list of tags; write one such as ['wcag2a', 'wcag2aa']")
    for one in tags:
        if one not in TAGS and not _CRITERION.fullmatch(one):
            # A tag that no rule has would leave nothing to check, and the page would pass.
            raise ValueError(
                f"{one!r} is not a tag of axe; there are {', '.join(TAGS)}, criteria such as wcag143, and cat.color …"
            )
    return tuple(tags)


def parse_rules_off(value: object) -> dict[str, str]:
    """Rules that are not checked, each with the reason."""
    table = (
        value
        if isinstance(value, Mapping)
        else parse_toml_table(value, 'write one such as color-contrast = "the brand, until May"')
    )
    for rule, reason in table.items():
        if not isinstance(rule, str) or not _RULE.fullmatch(rule):
            raise ValueError(f"{rule!r} is not the name of a rule; write one such as 'color-contrast'")
        if not isinstance(reason, str) or not reason.strip():
            raise ValueError(f"{rule}: {reason!r} is not a reason; write why it is not checked")
    return dict(table)


def parse_request(
    include: Sequence[str] | str | None,
    exclude: Sequence[str] | str,
    tags: Sequence[str] | str | None,
    off: Mapping[str, str] | None,
) -> AuditRequest:
    """What the code of a journey or a test asks for. Raises JourneyError that names the argument, the value and what is accepted."""
    try:
        return AuditRequest(
            include=None if include is None else _named("include", parse_selectors, include),
            exclude=_named("exclude", parse_selectors, exclude) if exclude else (),
            tags=None if tags is None else _named("tags", parse_tags, tags),
            off=_named("off", parse_rules_off, off) if off else {},
        )
    except ValueError as error:
        raise JourneyError(str(error)) from error


def _named(name: str, parse: Callable[[object], T], value: object) -> T:
    try:
        return parse(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
