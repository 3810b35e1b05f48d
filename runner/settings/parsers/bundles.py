"""Parsers of settings about the bundles in which journeys travel to other machines.

Each raises ValueError that says what is wrong with the value and what to write; the caller adds where it is written.
"""

import re
from pathlib import PurePosixPath


def parse_file_patterns(value: object) -> tuple[str, ...]:
    """Patterns of paths relative to the project: a list, or one."""
    patterns = [value] if isinstance(value, str) else value
    if not isinstance(patterns, list | tuple) or not all(isinstance(one, str) and one.strip() for one in patterns):
        raise ValueError(f"{value!r} is not a list of paths; write one such as ['data/**/*.csv']")
    for one in patterns:
        parts = PurePosixPath(one)
        if parts.is_absolute() or ".." in parts.parts or not parts.parts:
            raise ValueError(f"{one!r} is not a path relative to the project; write one such as 'data/users.csv'")
    return tuple(patterns)


def parse_package_names(value: object) -> tuple[str, ...]:
    """Names of packages, without versions: those that are installed count."""
    names = value.split() if isinstance(value, str) else value
    if isinstance(names, list | tuple) and all(
        isinstance(one, str) and re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", one) for one in names
    ):
        return tuple(names)
    raise ValueError(f"{value!r} is not a list of packages; write names without versions, such as ['openpyxl']")
