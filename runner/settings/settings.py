"""Settings: from the configuration file, the environment and the command line, the later winning."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from msgspec import field

from runner.dsl import options
from runner.dsl.options import Keeping
from runner.errors import ConfigError
from runner.settings import parsers as written
from runner.settings.apps import App, apps
from runner.settings.budgets import Budget, budgets
from runner.settings.duration import parse_duration, positive
from runner.settings.maintenance import Window, windows
from runner.settings.parsers import Traffic
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


class Settings(Keeping, frozen=True, kw_only=True):
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
    database: str | None = None
    cron_timezone: str = "UTC"
    jitter: float = 0.0
    max_delay: float = 60.0
    maintenance: tuple[Window, ...] = ()
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
    """A share of the baseline, and seconds; None, here and below, leaves it to the rule of the comparison."""
    smoke_looks: tuple[int, ...] | None = None
    smoke_alarm: float | None = None
    smoke_miss: float | None = None
    apps: tuple[App, ...] = ()
    serve_listen: str = "127.0.0.1:8321"
    serve_token: Secret | None = None
    serve_users: Path | None = None
    serve_proxy_user_header: str | None = None
    serve_public_metrics: bool = False
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
    """Where each setting that is not a default comes from."""

    @property
    def database_url(self) -> str:
        """Where runs are stored: `database`, else a file beside the saved runs."""
        return self.database or f"sqlite:///{self.runs_dir.resolve() / 'journeys.db'}"

    def origin(self, name: str) -> Origin:
        """Where the setting's value comes from."""
        return self.origins.get(name, "default")


def load_settings(
    start: Path, overrides: Mapping[str, object], environ: Mapping[str, str], environment: str | None = None
) -> Settings:
    """Reads the settings for a command that is run in folder `start`.

    The file is `journey.toml`, or `pyproject.toml` with a table `[tool.journey]`, in `start` or the nearest folder above.
    `environment` (or JOURNEY_ENV) lays the table `env.NAME` of the file over it. `overrides` are the command's options;
    None is an option that was not given. Raises ConfigError with every problem, one a line: file or variable, key, and the fix.
    """
    file, table = _find_file(start)
    base = file.parent if file else start
    environments: object = table.pop("env", {})
    chosen = environment or environ.get(ENVIRONMENT)
    if chosen is not None:
        table = {**table, **_environment(environments, chosen, file)}
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}

    problems: list[str] = []

    def lay(layer: Mapping[str, object], origin: Origin, where: Callable[[str], str], base: Path) -> None:
        for name, value in layer.items():
            try:
                checked = _check(name, value, where(name), base)
            except ConfigError as error:
                problems.append(str(error))
                continue
            key = name.removesuffix("_file") if name in SECRET_FILES else name
            values[key] = {**values.get("params", {}), **checked} if key == "params" else checked
            origins[key] = origin

    for name in ONLY_SECRET & set(table):
        raise ConfigError(
            f"{file}: {name} must not be written in a file that others read; set {PREFIX}{name.upper()}, or {name}_file to a "
            "file that holds it"
        )
    if re.search(r"//[^/@]*:[^/@]*@", str(table.get("database", ""))):
        raise ConfigError(f"{file}: database must not hold a password, as others read the file; set {PREFIX}DATABASE")
    lay(table, "file", lambda name: f"{file}: {name}", base)
    lay(_from_environment(environ), "environment", lambda name: f"{PREFIX}{name.upper()}", start)
    given = {name: value for name, value in overrides.items() if value is not None}
    lay(given, "option", lambda name: f"--{name.removeprefix('smoke_').replace('_', '-')}", start)
    if problems:
        raise ConfigError("\n".join(problems))
    values.setdefault("runs_dir", base / "runs")
    values.setdefault("journeys", (base / "journeys",))
    return Settings(**values, origins=origins)


def parse_params(given: Iterable[str], option: str) -> dict[str, str]:
    """The texts `k=v` of a repeated option as a table. Raises ConfigError, naming the option, for one without `=`."""
    table = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise ConfigError(f"{option} {text!r} has no value; write it as {option} {key or 'name'}=value")
        table[key] = value
    return table


def has_settings(start: Path) -> bool:
    """Whether there is a file of settings for `start`, be it valid or not."""
    try:
        return _find_file(start)[0] is not None
    except ConfigError:
        return True


def _find_file(start: Path) -> tuple[Path | None, dict[str, Any]]:
    for folder in (start, *start.resolve().parents):
        file = folder / "journey.toml"
        if file.is_file():
            return file, _read(file)
        file = folder / "pyproject.toml"
        if file.is_file():
            table = _read(file).get("tool", {}).get("journey")
            if isinstance(table, dict):
                return file, table
    return None, {}


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read as TOML: {error}") from error


def _environment(environments: object, name: str, file: Path | None) -> dict[str, Any]:
    known = environments if isinstance(environments, dict) else {}
    table = known.get(name)
    if isinstance(table, dict):
        return table
    where = file or "no configuration file was found"
    there_are = f"there are: {', '.join(known)}" if known else "it has none"
    raise ConfigError(f"{where}: no environment named {name!r} ({there_are}); add a table [env.{name}] to the settings")


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {}
    params: dict[str, str] = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or variable == ENVIRONMENT or variable.startswith(SECRET_PREFIX):
            continue
        if _is_service_address(variable, value):
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


def _check(name: str, value: object, where: str, base: Path) -> Any:
    if name not in CHECKS:
        close = get_close_matches(name, CHECKS, 1)
        meant = where.rpartition(name)[0] + close[0] if close and name in where else close[0] if close else ""
        if close and where.startswith(PREFIX):
            meant = PREFIX + close[0].upper()
        hint = f"did you mean {meant}?" if close else f"settings are: {', '.join(CHECKS)}"
        raise ConfigError(f"{where} is not a setting; {hint}")
    try:
        checked = CHECKS[name](base / str(value) if name in SECRET_FILES else value)
    except (ValueError, OSError) as error:
        raise ConfigError(f"{where}: {error}") from error
    if isinstance(checked, Path):
        return base / checked
    if name == "journeys":
        return tuple(base / one for one in checked)
    return checked


CHECKS: dict[str, Callable[[Any], Any]] = {
    "base_url": options.url,
    "location": options.label,
    "release": written.release,
    "runs_dir": written.path,
    "journeys": written.paths,
    "timeout": positive,
    "retries": written.count,
    "workers": written.at_least_one,
    "action_timeout": positive,
    "headed": written.boolean,
    "slow_mo": parse_duration,
    "browser_path": written.path,
    "trace": options.policy,
    "screenshots": options.policy,
    "video": options.policy,
    "har": options.policy,
    "console": options.policy,
    "page_errors": options.policy,
    "failed_requests": options.policy,
    "aria": options.policy,
    "replay": options.policy,
    "artifact_limit": options.size,
    "redaction": written.boolean,
    "redact": written.patterns,
    "secrets_dir": written.path,
    "secrets_file": written.path,
    "keep_passed": positive,
    "keep_failed": positive,
    "keep_runs": written.at_least_one,
    "keep_size": options.size,
    "keep_views": positive,
    "keep_views_size": options.size,
    "keep_rollups": positive,
    "keep_replays": positive,
    "keep_replays_size": options.size,
    "database": written.database,
    "cron_timezone": options.timezone,
    "jitter": parse_duration,
    "max_delay": positive,
    "maintenance": windows,
    "listen": written.address,
    "worker_runs": written.at_least_one,
    "worker_memory": options.size,
    "min_free_memory": options.size,
    "delete_groups": written.boolean,
    "alert_urls": written.alert_urls,
    "alert_urls_file": written.alert_urls_file,
    "alert_after": written.count,
    "alert_of": written.of,
    "alert_monitor_after": written.count,
    "alert_flaky": written.share,
    "alert_budget_after": written.count,
    "alert_again": positive,
    "public_url": options.url,
    "budgets": budgets,
    "smoke_runs": written.at_least_one,
    "smoke_warm_up": written.count,
    "smoke_max_runs": written.at_least_one,
    "smoke_tolerance": written.tolerance,
    "smoke_undecided": written.undecided,
    "smoke_looks": written.looks,
    "smoke_alarm": written.chance,
    "smoke_miss": written.chance,
    "apps": apps,
    "serve_listen": written.address,
    "serve_token": written.token,
    "serve_token_file": written.token_file,
    "serve_users": written.path,
    "serve_proxy_user_header": written.header,
    "serve_public_metrics": written.boolean,
    "collector_path": written.ingest_path,
    "replay_path": written.ingest_path,
    "trusted_proxies": written.proxies,
    "counted_traffic": written.traffic,
    "vital_settle": parse_duration,
    "max_pages": written.at_least_one,
    "params": written.params,
    "pushgateway": written.gateway,
    "pushgateway_username": options.text,
    "pushgateway_password": written.secret,
    "pushgateway_password_file": written.secret_file,
    "pushgateway_bearer_token": written.secret,
    "pushgateway_bearer_token_file": written.secret_file,
    "pushgateway_ca_file": written.path,
    "pushgateway_timeout": positive,
    "require_push": written.boolean,
}
"""Every setting, with what turns a written value into its one form or raises ValueError."""
