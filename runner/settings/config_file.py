"""The configuration file: `journey.toml`, or the table `[tool.journey]` of `pyproject.toml`."""

import tomllib
from collections.abc import Mapping
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
        if file.exists() or file.is_symlink():
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


def select_environment(known: Mapping[str, dict[str, Any]], name: str, file: Path | None) -> dict[str, Any]:
    """The table `env.NAME`, out of the table `env` of the file. Raises ConfigError that names the environments there are."""
    if name in known:
        return known[name]
    where = file or "no configuration file was found"
    defined = f"there are: {', '.join(known)}" if known else "it has none"
    raise ConfigError(f"{where}: no environment named {name!r} ({defined}); add a table [env.{name}] to the settings")


def list_environments(environments: object, file: Path | None) -> dict[str, dict[str, Any]]:
    """The tables in the table `env` of the file, by name. Raises ConfigError when it holds anything else."""
    if isinstance(environments, dict) and all(isinstance(one, dict) for one in environments.values()):
        return environments
    raise ConfigError(
        f"{file}: env is not a table of environments; write a table such as [env.staging], and select it with --env"
    )


def _read_toml(file: Path) -> dict[str, Any]:
    if not file.is_file():
        # Reading a pipe would wait forever.
        what = f"is a link to {file.readlink()}, which is not a file" if file.is_symlink() else "is not a regular file"
        raise ConfigError(f"{file}: {what}; remove it, or put a file with the settings in its place")
    try:
        return tomllib.loads(read_value_file(file))
    except RecursionError as error:
        raise ConfigError(f"{file}: cannot be read as TOML: it is nested too deeply") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read as TOML: {error}") from error
