"""Settings that are tables: as they are in the configuration file, or as TOML in the environment."""

import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches

ENTRY_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
"""A name that is also one in Kubernetes, where OpenSLO and Pyrra keep objectives."""


def parse_toml_table(value: object, example: str) -> Mapping[str, object]:
    """A table, or the table that a text is in TOML. Raises ValueError that says what is wrong, or to write as in `example`.

    >>> parse_toml_table('buy = { load = "2s" }', "")
    {'buy': {'load': '2s'}}
    """
    table = value
    if isinstance(value, str):
        try:
            table = tomllib.loads(value)
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"cannot be read as TOML: {error}") from error
    if not isinstance(table, Mapping):
        raise ValueError(f"{value!r} is not a table; {example}")
    return {str(key): one for key, one in table.items()}


def check_entry(
    name: str, value: object, what: str, section: str, required: Mapping[str, str], keys: Collection[str]
) -> Mapping[str, object]:
    """One table of a section with a table per name. `required` has an example for each key that it must have, of all `keys`.

    Raises ValueError that names the table, the key and the fix.

    >>> check_entry("pay", {"app": "shop"}, "a funnel", "funnels", {"app": 'app = "shop"'}, ("app", "steps"))
    {'app': 'shop'}
    """
    if not ENTRY_NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is not a name of {what}; use at most 63 lower-case letters, digits and '-', as in [{section}.checkout]"
        )
    if not isinstance(value, Mapping):
        raise ValueError(f"{name}: {value!r} is not a table; write [{section}.{name}] with {' and '.join(required)} below it")
    for key in value:
        if key not in keys:
            close = get_close_matches(str(key), keys, 1)
            raise ValueError(
                f"{name}.{key} is not a key; " + (f"did you mean {close[0]}?" if close else f"keys are {', '.join(keys)}")
            )
    for key, example in required.items():
        if key not in value:
            raise ValueError(f"{name}: {key} is missing; add a line such as {example}")
    return value


def parse_entry(name: str, table: Mapping[str, object], parsers: Mapping[str, Callable[[object], object]]) -> dict[str, object]:
    """The values of a table that are given, each from its parser. Raises ValueError that begins with the table and the key."""
    found: dict[str, object] = {}
    for key, parse in parsers.items():
        if key in table:
            try:
                found[key] = parse(table[key])
            except ValueError as error:
                raise ValueError(f"{name}.{key}: {error}") from error
    return found
