"""One setting, from the value in a file, a variable or an option to what the program uses; and what is said of a mistaken name."""

from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from runner.errors import ConfigError
from runner.settings.environment_variables import PREFIX
from runner.settings.parsers.values import parse_path
from runner.settings.setting_parsers import SECRET_FILES, list_parsers
from runner.untrusted_text import tamed

LONGEST_MISTAKE = 1_000
"""Characters of what is said of one value, which may be of any length."""
ENVIRONMENTS = "env"
"""The table of the file that holds a table per environment."""


OF_A_JOURNEY = frozenset(
    (
        *("basic_auth", "block", "client_certificates", "color_scheme", "cookies", "cpu", "cron", "device", "every"),
        *("geolocation", "headers", "http_cache", "ignore_https_errors", "locale", "mock", "name", "network", "owner"),
        *("permissions", "proxy", "reduced_motion", "runbook", "service_workers", "signed_in_by", "storage_state", "tags"),
        *("timezone", "user_agent_suffix", "viewport"),
    )
)
"""Options of `@journey` that are not settings."""


def parse_setting(name: str, value: object, where: str, base: Path) -> Any:
    """The value of a setting; paths are relative to `base`. Raises ConfigError that begins with `where`."""
    parsers = list_parsers()
    if name not in parsers:
        raise ConfigError(f"{tamed(where, LONGEST_MISTAKE)} is not a setting; {_find_meant(name, where, parsers)}")
    try:
        checked = parsers[name](base / parse_path(value) if name in SECRET_FILES else value)
    except (ValueError, OSError) as error:
        raise ConfigError(f"{where}: {tamed(str(error), LONGEST_MISTAKE)}") from error
    if isinstance(checked, Path):
        return base / checked
    if name == "journeys":
        return tuple(base / one for one in checked)
    return checked


def _find_meant(name: str, where: str, parsers: Collection[str]) -> str:
    """What to say of a name that is not a setting."""
    if name == "tool":
        return "in journey.toml, settings are at the top; remove [tool.journey]"
    if name.lower() in OF_A_JOURNEY:
        return f"it is an option of a journey; write it where the journey is declared: @journey({name.lower()}=…)"
    close = get_close_matches(name.lower(), (*parsers, ENVIRONMENTS), 1)
    if not close:
        return f"settings are: {', '.join(parsers)}"
    if where.startswith(PREFIX):
        return f"did you mean {PREFIX}{close[0].upper()}?"
    if close[0] == ENVIRONMENTS:
        return f"did you mean [{ENVIRONMENTS}.NAME]?"
    return f"did you mean {where.rpartition(name)[0]}{close[0]}?"
