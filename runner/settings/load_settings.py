"""Reading the settings: the configuration file, the environment and the command line; the later wins."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runner.errors import ConfigError
from runner.settings.artifact_kinds import ARTIFACT_KINDS, default_policies
from runner.settings.config_file import find_config_file, list_environments, select_environment
from runner.settings.environment_variables import ENVIRONMENT, OTEL_VARIABLES, PREFIX, read_environ, read_otel_environ
from runner.settings.parse_setting import ENVIRONMENTS, parse_setting
from runner.settings.parsers.dispatch import holds_password
from runner.settings.raw_text import strip_value
from runner.settings.setting_parsers import ONLY_SECRET, SECRET_FILES, list_parsers
from runner.settings.settings import Origin, Settings


def load_settings(
    start: Path, overrides: Mapping[str, object], environ: Mapping[str, str], environment: str | None = None
) -> Settings:
    """Reads the settings for a command that runs in the folder `start`.

    The file is `journey.toml`, or `pyproject.toml` with a table `[tool.journey]`, in `start` or the nearest folder above.
    The table `env.NAME` of the file, for `environment` (or JOURNEY_ENV), overrides the rest of it. `overrides` are the command's options;
    None is an option that was not given, and so is an empty variable, except for MEANT_EMPTY. Raises ConfigError with every
    problem, one per line: file or variable, key, and the fix.
    """
    file, table = find_config_file(start)
    base = file.parent if file else start
    environments = list_environments(table.pop(ENVIRONMENTS, {}), file)
    chosen = environment or strip_value(environ.get(ENVIRONMENT))
    if chosen:
        table = {**table, **select_environment(environments, chosen, file)}
    policies = default_policies()
    values: dict[str, Any] = {"artifact_policies": policies}
    origins: dict[str, Origin] = {}

    problems: list[str] = []

    def lay(layer: Mapping[str, object], origin: Origin, where: Callable[[str], str], base: Path) -> None:
        for name, value in layer.items():
            try:
                checked = parse_setting(name, strip_value(value), where(name), base)
            except ConfigError as error:
                problems.append(str(error))
                continue
            key = name.removesuffix("_file") if name in SECRET_FILES else name
            if key in ARTIFACT_KINDS:
                policies[key] = checked
            else:
                values[key] = {**values.get("params", {}), **checked} if key == "params" else checked
            origins[key] = origin

    for name in ONLY_SECRET & set(table):
        raise ConfigError(
            f"{file}: {name} must not be in a file that others can read; set {PREFIX}{name.upper()}, or set {name}_file to "
            "the file that holds it"
        )
    if re.search(r"//[^/@]*:[^/@]*@", str(table.get("database", ""))):
        raise ConfigError(f"{file}: database must not contain a password, as others can read the file; set {PREFIX}DATABASE")
    for origin, address in ((f"{file}: broker", table.get("broker")), ("--broker", overrides.get("broker"))):
        if holds_password(address):
            raise ConfigError(
                f"{origin} must not contain a password, which others could read there; set {PREFIX}BROKER_PASSWORD, or broker_password_file"
            )
    # Of the machine and not of this program: as weak as a default.
    lay(read_otel_environ(environ), "default", lambda name: OTEL_VARIABLES[name][0], start)
    lay(table, "file", lambda name: f"{file}: {name}", base)
    problems += _find_unknown_names({name: one for name, one in environments.items() if name != chosen}, file)
    lay(read_environ(environ), "environment", lambda name: f"{PREFIX}{name.upper()}", start)
    given = {name: value for name, value in overrides.items() if value is not None}
    lay(given, "option", lambda name: f"--{name.removeprefix('smoke_').replace('_', '-')}", start)
    if problems:
        raise ConfigError("\n".join(problems))
    values.setdefault("runs_dir", base / "runs")
    values.setdefault("journeys", (base / "journeys",))
    return Settings(**values, origins=origins)


def _find_unknown_names(environments: Mapping[str, Mapping[str, object]], file: Path | None) -> Iterator[str]:
    """What is wrong with the names in the tables of environments that are not selected; their values may only fit another machine."""
    for environment, table in environments.items():
        for name in table.keys() - list_parsers().keys():
            try:
                parse_setting(name, None, f"{file}: {ENVIRONMENTS}.{environment}.{name}", Path())
            except ConfigError as error:
                yield str(error)


def parse_params(given: Iterable[str], option: str) -> dict[str, str]:
    """The values `k=v` of a repeated option as a table. Raises ConfigError that names the option for one without `=`."""
    table = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(f"{option} {text!r} has no value; write it as {option} {key or 'name'}=value")
        table[key] = value
    return table
