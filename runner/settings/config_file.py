"""The configuration file: `journey.toml`, or the table `[tool.journey]` of `pyproject.toml`."""

import tomllib
from pathlib import Path
from typing import Any

from runner.errors import ConfigError
from runner.settings.raw_text import read_value_file


def find_config_file(start: Path) -> tuple[Path | None, dict[str, Any]]:
    """The file in `start` or the nearest folder above, and its table; None and an empty table when no folder has one.

    Raises ConfigError that names the file when it is not valid TOML or cannot be read.
    """
    for folder in (start, *start.resolve().parents):
        file = folder / "journey.toml"
        if file.is_file():
            return file, _read_toml(file)
        file = folder / "pyproject.toml"
        if file.is_file():
            table = _read_toml(file).get("tool", {}).get("journey")
            if isinstance(table, dict):
                return file, table
    return None, {}


def has_config_file(start: Path) -> bool:
    """Whether `start` has a configuration file, valid or not."""
    try:
        return find_config_file(start)[0] is not None
    except ConfigError:
        return True


def select_environment(environments: object, name: str, file: Path | None) -> dict[str, Any]:
    """The table `env.NAME`, out of the table `env` of the file. Raises ConfigError that names the environments there are."""
    known = environments if isinstance(environments, dict) else {}
    table = known.get(name)
    if isinstance(table, dict):
        return table
    where = file or "no configuration file was found"
    defined = f"there are: {', '.join(known)}" if known else "it has none"
    raise ConfigError(f"{where}: no environment named {name!r} ({defined}); add a table [env.{name}] to the settings")


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_value_file(file))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read as TOML: {error}") from error
