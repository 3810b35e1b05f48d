"""Settings from the configuration file, the environment and the command line; the later wins."""

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from msgspec import field

from runner.errors import ConfigError
from runner.settings.apps import App, parse_apps
from runner.settings.artifact_kinds import ARTIFACT_KINDS, default_policies
from runner.settings.artifact_policy import ArtifactSettings
from runner.settings.budgets import Budget, parse_budgets
from runner.settings.config_file import find_config_file, select_environment
from runner.settings.duration import parse_duration, parse_positive_duration
from runner.settings.maintenance import MaintenanceWindow, parse_windows
from runner.settings.parsers.network import (
    parse_database_url,
    parse_gateway_url,
    parse_header_name,
    parse_ingest_path,
    parse_listen_address,
    parse_proxies,
)
from runner.settings.parsers.secret_values import (
    parse_alert_urls,
    parse_secret,
    parse_token,
    read_alert_urls,
    read_secret,
    read_token,
)
from runner.settings.parsers.smoke import parse_error_probability, parse_looks, parse_tolerance, parse_undecided
from runner.settings.parsers.values import (
    Traffic,
    Waits,
    parse_bool,
    parse_count,
    parse_count_of_count,
    parse_fraction,
    parse_label,
    parse_path,
    parse_paths,
    parse_policy,
    parse_positive_count,
    parse_regexes,
    parse_release,
    parse_size,
    parse_text,
    parse_text_table,
    parse_timezone,
    parse_traffic,
    parse_waits,
)
from runner.settings.parsers.web_address import parse_url
from runner.settings.raw_text import strip_value
from runner.settings.secrets import PREFIX as SECRET_PREFIX
from runner.settings.secrets import Secret

Origin = Literal["default", "file", "environment", "option"]
PREFIX = "JOURNEY_"
PARAM_PREFIX = "JOURNEY_PARAM_"
ENVIRONMENT = "JOURNEY_ENV"
SERVICE_ADDRESS = re.compile(
    r"(?:_[A-Z0-9_]+)?_(?:SERVICE_HOST=.*|SERVICE_PORT(?:_[A-Z0-9_]+)?=\d+|PORT=\w+://.*|PORT_\d+_(?:TCP|UDP|SCTP)(?:_[A-Z]+)?=.*)"
)
"""Variables that Kubernetes sets in every container beside a service named `journey` or `journey-…`, after `JOURNEY`.

https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
"""
ONLY_SECRET = {"pushgateway_password", "pushgateway_bearer_token", "alert_urls", "serve_token"}
SECRET_FILES = {f"{name}_file" for name in ONLY_SECRET}
MEANT_EMPTY = {"JOURNEY_RELEASE", "JOURNEY_LOCATION"}
"""Variables of which an empty value is not as good as none: a release that is not known; a location that would be that of others."""


class Settings(ArtifactSettings, frozen=True, kw_only=True):
    """All settings, resolved. Durations are seconds; every one is described in docs/configuration.md."""

    base_url: str | None = None
    location: str = "local"
    release: str = ""
    runs_dir: Path = Path("runs")
    journeys: tuple[Path, ...] = (Path("journeys"),)
    timeout: float = 60.0
    retries: int = 0
    workers: int = 1
    action_timeout: float = 30.0
    waits: Waits = "events"
    headed: bool = False
    slow_mo: float = 0.0
    browser_path: Path | None = None
    keep_passed: float = 30 * 86_400.0
    keep_failed: float = 90 * 86_400.0
    keep_runs: int = 2_000
    keep_size: int = 10_000_000_000
    keep_views: float = 30 * 86_400.0
    keep_views_size: int = 20_000_000_000
    keep_rollups: float = 400 * 86_400.0
    keep_replays: float = 7 * 86_400.0
    keep_replays_size: int = 5_000_000_000
    keep_events_size: int = 500_000_000
    database: str | None = None
    cron_timezone: str = "UTC"
    jitter: float = 0.0
    max_delay: float = 60.0
    maintenance: tuple[MaintenanceWindow, ...] = ()
    listen: str = "127.0.0.1:9464"
    worker_runs: int = 200
    worker_memory: int = 2_000_000_000
    min_free_memory: int = 300_000_000
    delete_groups: bool = False
    alert_urls: tuple[Secret, ...] = ()
    alert_after: int = 2
    alert_of: tuple[int, int] = (0, 0)
    alert_monitor_after: int = 3
    alert_flaky: float = 0.3
    alert_budget_after: int = 3
    alert_again: float = 4 * 3600.0
    public_url: str | None = None
    budgets: tuple[Budget, ...] = ()
    smoke_runs: int = 5
    smoke_warm_up: int = 1
    smoke_max_runs: int | None = None
    smoke_undecided: Literal["pass", "fail"] = "pass"
    smoke_tolerance: tuple[float | None, float | None] = (None, None)
    """A fraction of the baseline, and seconds; None, here and below, means the default of the comparison."""
    smoke_looks: tuple[int, ...] | None = None
    smoke_alarm: float | None = None
    smoke_miss: float | None = None
    apps: tuple[App, ...] = ()
    serve_listen: str = "127.0.0.1:8321"
    serve_token: Secret | None = None
    serve_users: Path | None = None
    serve_proxy_user_header: str | None = None
    serve_public_metrics: bool = False
    collector_listen: str | None = None
    collector_path: str = "/v1/views"
    replay_path: str = "/v1/replay"
    trusted_proxies: tuple[str, ...] = ()
    counted_traffic: tuple[Traffic, ...] = ("real",)
    vital_settle: float = 30.0
    max_pages: int = 200
    params: dict[str, str] = field(default_factory=dict)
    pushgateway: str | None = None
    pushgateway_username: str | None = None
    pushgateway_password: Secret | None = None
    pushgateway_bearer_token: Secret | None = None
    pushgateway_ca_file: Path | None = None
    pushgateway_timeout: float = 10.0
    require_push: bool = False
    origins: dict[str, Origin] = field(default_factory=dict)
    """The origin of each setting that is not a default."""

    @property
    def database_url(self) -> str:
        """Where runs are stored: `database`, or a file beside the saved runs."""
        return self.database or f"sqlite:///{self.runs_dir.resolve() / 'journeys.db'}"

    def origin(self, name: str) -> Origin:
        """Where the value of a setting comes from."""
        return self.origins.get(name, "default")


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
    environments: object = table.pop("env", {})
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
                checked = _parse(name, strip_value(value), where(name), base)
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
    lay(table, "file", lambda name: f"{file}: {name}", base)
    lay(_read_environ(environ), "environment", lambda name: f"{PREFIX}{name.upper()}", start)
    given = {name: value for name, value in overrides.items() if value is not None}
    lay(given, "option", lambda name: f"--{name.removeprefix('smoke_').replace('_', '-')}", start)
    if problems:
        raise ConfigError("\n".join(problems))
    values.setdefault("runs_dir", base / "runs")
    values.setdefault("journeys", (base / "journeys",))
    return Settings(**values, origins=origins)


def parse_params(given: Iterable[str], option: str) -> dict[str, str]:
    """The values `k=v` of a repeated option as a table. Raises ConfigError that names the option for one without `=`."""
    table = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(f"{option} {text!r} has no value; write it as {option} {key or 'name'}=value")
        table[key] = value
    return table


def _read_environ(environ: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {}
    params: dict[str, str] = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or variable == ENVIRONMENT or variable.startswith(SECRET_PREFIX):
            continue
        if _is_service_address(variable, value) or (not strip_value(value).strip() and variable not in MEANT_EMPTY):
            continue
        if variable.startswith(PARAM_PREFIX):
            params[variable.removeprefix(PARAM_PREFIX).lower()] = value
            continue
        found[variable.removeprefix(PREFIX).lower()] = value
    return {**found, "params": params} if params else found


def _is_service_address(variable: str, value: str) -> bool:
    """Whether Kubernetes set the variable, for a service whose name begins with `journey`.

    >>> _is_service_address("JOURNEY_PORT_9464_TCP_ADDR", "10.0.0.7"), _is_service_address("JOURNEY_PORT", "tcp://10.0.0.7:9464")
    (True, True)

    A number alone is a user's mistake, and is reported:

    >>> _is_service_address("JOURNEY_PORT", "9464")
    False
    """
    text = f"_{variable.removeprefix(PREFIX)}={value}"
    return not variable.startswith(PARAM_PREFIX) and SERVICE_ADDRESS.fullmatch(text) is not None


def _parse(name: str, value: object, where: str, base: Path) -> Any:
    parsers = list_parsers()
    if name not in parsers:
        close = get_close_matches(name, parsers, 1)
        meant = where.rpartition(name)[0] + close[0] if close and name in where else close[0] if close else ""
        if close and where.startswith(PREFIX):
            meant = PREFIX + close[0].upper()
        hint = f"did you mean {meant}?" if close else f"settings are: {', '.join(parsers)}"
        raise ConfigError(f"{where} is not a setting; {hint}")
    try:
        checked = parsers[name](base / str(value) if name in SECRET_FILES else value)
    except (ValueError, OSError) as error:
        raise ConfigError(f"{where}: {error}") from error
    if isinstance(checked, Path):
        return base / checked
    if name == "journeys":
        return tuple(base / one for one in checked)
    return checked


def list_parsers() -> dict[str, Callable[[Any], Any]]:
    """Every setting, with the function that parses its value or raises ValueError."""
    return _PARSERS | dict.fromkeys(ARTIFACT_KINDS, parse_policy)


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "base_url": parse_url,
    "location": parse_label,
    "release": parse_release,
    "runs_dir": parse_path,
    "journeys": parse_paths,
    "timeout": parse_positive_duration,
    "retries": parse_count,
    "workers": parse_positive_count,
    "action_timeout": parse_positive_duration,
    "waits": parse_waits,
    "headed": parse_bool,
    "slow_mo": parse_duration,
    "browser_path": parse_path,
    "artifact_limit": parse_size,
    "redaction": parse_bool,
    "redact": parse_regexes,
    "secrets_dir": parse_path,
    "secrets_file": parse_path,
    "keep_passed": parse_positive_duration,
    "keep_failed": parse_positive_duration,
    "keep_runs": parse_positive_count,
    "keep_size": parse_size,
    "keep_views": parse_positive_duration,
    "keep_views_size": parse_size,
    "keep_rollups": parse_positive_duration,
    "keep_replays": parse_positive_duration,
    "keep_replays_size": parse_size,
    "keep_events_size": parse_size,
    "database": parse_database_url,
    "cron_timezone": parse_timezone,
    "jitter": parse_duration,
    "max_delay": parse_positive_duration,
    "maintenance": parse_windows,
    "listen": parse_listen_address,
    "worker_runs": parse_positive_count,
    "worker_memory": parse_size,
    "min_free_memory": parse_size,
    "delete_groups": parse_bool,
    "alert_urls": parse_alert_urls,
    "alert_urls_file": read_alert_urls,
    "alert_after": parse_count,
    "alert_of": parse_count_of_count,
    "alert_monitor_after": parse_count,
    "alert_flaky": parse_fraction,
    "alert_budget_after": parse_count,
    "alert_again": parse_positive_duration,
    "public_url": parse_url,
    "budgets": parse_budgets,
    "smoke_runs": parse_positive_count,
    "smoke_warm_up": parse_count,
    "smoke_max_runs": parse_positive_count,
    "smoke_tolerance": parse_tolerance,
    "smoke_undecided": parse_undecided,
    "smoke_looks": parse_looks,
    "smoke_alarm": parse_error_probability,
    "smoke_miss": parse_error_probability,
    "apps": parse_apps,
    "serve_listen": parse_listen_address,
    "serve_token": parse_token,
    "serve_token_file": read_token,
    "serve_users": parse_path,
    "serve_proxy_user_header": parse_header_name,
    "serve_public_metrics": parse_bool,
    "collector_listen": parse_listen_address,
    "collector_path": parse_ingest_path,
    "replay_path": parse_ingest_path,
    "trusted_proxies": parse_proxies,
    "counted_traffic": parse_traffic,
    "vital_settle": parse_duration,
    "max_pages": parse_positive_count,
    "params": parse_text_table,
    "pushgateway": parse_gateway_url,
    "pushgateway_username": parse_text,
    "pushgateway_password": parse_secret,
    "pushgateway_password_file": read_secret,
    "pushgateway_bearer_token": parse_secret,
    "pushgateway_bearer_token_file": read_secret,
    "pushgateway_ca_file": parse_path,
    "pushgateway_timeout": parse_positive_duration,
    "require_push": parse_bool,
}
