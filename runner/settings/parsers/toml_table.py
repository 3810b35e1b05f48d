"""Settings that are tables: as they are in the configuration file, or as TOML in the environment."""

import tomllib
from collections.abc import Mapping


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
