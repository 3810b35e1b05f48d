"""Settings: from the configuration file, the environment and the command line, the later winning."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, get_args

from msgspec import field

from runner import options
from runner.apps import App, apps
from runner.budget import Budget, budgets
from runner.duration import parse_duration, positive
from runner.errors import ConfigError
from runner.maintenance import Window, windows
from runner.options import Keeping
from runner.secrets import PREFIX as SECRET_PREFIX
from runner.secrets import Secret

Origin = Literal["default", "file", "environment", "option"]
Traffic = Literal["real", "bot", "synthetic"]
PREFIX = "JOURNEY_"
PARAM_PREFIX = "JOURNEY_PARAM_"
ENVIRONMENT = "JOURNEY_ENV"
ONLY_SECRET = {"pushgateway_password", "pushgateway_bearer_token", "alert_urls", "serve_token"}
SHORTEST_TOKEN = 16
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
    None is an option that was not given. Raises ConfigError that names the file or variable, the key, and the fix.
    """
    file, table = _find_file(start)
    base = file.parent if file else start
    environments: object = table.pop("env", {})
    chosen = environment or environ.get(ENVIRONMENT)
    if chosen is not None:
        table = {**table, **_environment(environments, chosen, file)}
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}

    def lay(layer: Mapping[str, object], origin: Origin, where: Callable[[str], str], base: Path) -> None:
        for name, value in layer.items():
            checked = _check(name, value, where(name), base)
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
        if variable.startswith(PARAM_PREFIX):
            params[variable.removeprefix(PARAM_PREFIX).lower()] = value
            continue
        found[variable.removeprefix(PREFIX).lower()] = value
    return {**found, "params": params} if params else found


def _check(name: str, value: object, where: str, base: Path) -> Any:
    if name not in CHECKS:
        close = get_close_matches(name, CHECKS, 1)
        written = where.rpartition(name)[0] + close[0] if close and name in where else close[0] if close else ""
        if close and where.startswith(PREFIX):
            written = PREFIX + close[0].upper()
        hint = f"did you mean {written}?" if close else f"settings are: {', '.join(CHECKS)}"
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


def _boolean(value: object) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    if isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is neither true nor false")


def _count(value: object) -> int:
    return options.count(int(value) if isinstance(value, str) and value.isdecimal() else value)


def _at_least_one(value: object) -> int:
    number = _count(value)
    if number == 0:
        raise ValueError("0 is too few; write a number from 1")
    return number


def _gateway(value: object) -> str:
    return options.url(f"http://{value}" if isinstance(value, str) and "://" not in value else value)


def _database(value: object) -> str:
    if isinstance(value, str) and re.match(r"sqlite:///.|postgresql(\+psycopg)?://[^/]*/.", value):
        return re.sub(r"^postgresql://", "postgresql+psycopg://", value)
    shown = "it" if "@" in str(value) else repr(value)
    raise ValueError(f"{shown} is not the address of a database; write sqlite:///FILE or postgresql://USER@HOST/NAME")


def _address(value: object) -> str:
    found = re.fullmatch(r"(?:\[[0-9a-f:]+\]|[\w.-]+):(\d{1,5})", value) if isinstance(value, str) else None
    if found is None or int(found[1]) > 65535:
        raise ValueError(f"{value!r} is not an address to listen on; write one such as '127.0.0.1:9464'")
    return str(value)


def _ingest_path(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"(?:/[A-Za-z0-9_.~-]+){1,8}", value):
        return value
    raise ValueError(f"{value!r} is not a path; write one such as '/v1/views'")


def _proxies(value: object) -> tuple[str, ...]:
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(one, str) for one in words):
        raise ValueError(f"{value!r} is not a list of networks; write one such as ['10.0.0.0/8']")
    try:
        return tuple(str(ip_network(one)) for one in words)
    except ValueError as error:
        raise ValueError(f"{error}; write addresses and networks such as ['127.0.0.1', '10.0.0.0/8']") from error


def _traffic(value: object) -> tuple[Traffic, ...]:
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    known = get_args(Traffic)
    if not isinstance(words, list | tuple) or not words or any(one not in known for one in words):
        raise ValueError(f"{value!r} is not a list of kinds of traffic; choose from {', '.join(known)}")
    return tuple(words)


def _params(value: object) -> dict[str, str]:
    if isinstance(value, Mapping) and all(isinstance(one, str | int | float) for one in value.values()):
        return {str(key): str(one) for key, one in value.items()}
    raise ValueError(f"{value!r} is not a table of texts; write one such as {{ product = 'sencha' }}")


def _paths(value: object) -> tuple[Path, ...]:
    words = value.split(":") if isinstance(value, str) else value
    if isinstance(words, list | tuple) and words and all(isinstance(one, str | Path) and str(one) for one in words):
        return tuple(Path(one) for one in words)
    raise ValueError(f"{value!r} is not a list of files and folders; write one such as ['journeys']")


def _release(value: object) -> str:
    """Nothing is one that is not known: a pipeline may set the variable without a value."""
    if isinstance(value, str) and len(value.strip()) <= 100 and value.strip().isprintable():
        return value.strip()
    raise ValueError(f"{value!r} is not the name of a release; write a text of 100 characters at the most, such as '2026.11.2'")


def _patterns(value: object) -> tuple[str, ...]:
    patterns = [value] if isinstance(value, str) else value
    if not isinstance(patterns, list | tuple) or not all(isinstance(one, str) and one for one in patterns):
        raise ValueError(f"{value!r} is not a list of regular expressions; write one such as ['card=\\\\d+']")
    for one in patterns:
        try:
            matches_nothing = re.compile(one.encode()).match(b"")
        except re.error as error:
            raise ValueError(f"{one!r} is not a regular expression: {error}") from error
        if matches_nothing:
            raise ValueError(f"{one!r} matches the empty text, so it would hide everything and nothing; ask for a character")
    return tuple(patterns)


def _path(value: object) -> Path:
    return Path(options.text(str(value)))


def _secret(value: object) -> Secret:
    return value if isinstance(value, Secret) else Secret(options.text(value))


def _secret_file(value: object) -> Secret:
    return Secret(_path(value).read_text(encoding="utf-8").strip())


def _token(value: object) -> Secret:
    token = _secret(value)
    if len(token.reveal()) < SHORTEST_TOKEN or not re.fullmatch(r"[A-Za-z0-9._~+/=-]+", token.reveal()):
        raise ValueError(
            f"is no token that is hard to guess; write {SHORTEST_TOKEN} or more letters and digits, such as `openssl rand -hex 32` prints"
        )
    return token


def _token_file(value: object) -> Secret:
    return _token(_secret_file(value))


def _header(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,63}", value):
        return value
    raise ValueError(f"{value!r} is not the name of a header; write one such as 'X-Forwarded-User'")


def _alert_urls(value: object) -> tuple[Secret, ...]:
    words = value.split() if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(one, str | Secret) for one in words):
        raise ValueError("is not a list of addresses; write them with spaces between")
    urls = tuple(one if isinstance(one, Secret) else Secret(one) for one in words)
    if any("://" not in one.reveal() for one in urls):
        raise ValueError("holds a word that is no address; each begins with a service, such as mailto:// or slack://")
    return urls


def _alert_urls_file(value: object) -> tuple[Secret, ...]:
    return _alert_urls(_path(value).read_text(encoding="utf-8"))


def _of(value: object) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)/(\d+)", value) if isinstance(value, str) else None
    if found and 0 < int(found[1]) <= int(found[2]) <= 50:
        return int(found[1]), int(found[2])
    raise ValueError(f"{value!r} is not so many of so many; write one such as '3/5', of 50 at the most")


def _share(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if 0 <= number <= 1:
        return number
    raise ValueError(f"{value!r} is not a share; write a number from 0 to 1")


def _chance(value: object) -> float:
    number = _share(value)
    if 0 < number < 0.5:
        return number
    raise ValueError(f"{value!r} is no chance to be wrong that says anything; write a number between 0 and 0.5, such as 0.01")


def _tolerance(value: object) -> tuple[float | None, float | None]:
    """A share, as in `0.1` or `10%`, or a duration, or both with a comma between; None for what is not written."""
    share = seconds = None
    try:
        for word in str(value).split(","):
            number = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", word)
            if number:
                share = float(number[1]) / (100 if number[2] else 1)
            else:
                seconds = parse_duration(word)
    except ValueError as error:
        raise ValueError(
            f"{value!r} is not a tolerance; write a share such as '10%', or one with a time, '10%,20ms'"
        ) from error
    if share is not None and share > 1 and "%" not in str(value):
        raise ValueError(f"{value!r} is {share:g} times the baseline; write '{share:g}%' for a share of a hundred")
    return share, seconds


def _undecided(value: object) -> str:
    if value in {"pass", "fail"}:
        return str(value)
    raise ValueError(f"{value!r} is neither 'pass' nor 'fail'")


def _looks(value: object) -> tuple[int, ...]:
    words = value.split(",") if isinstance(value, str) else value
    if isinstance(words, list | tuple) and words:
        looks = tuple(_at_least_one(one.strip() if isinstance(one, str) else one) for one in words)
        if list(looks) == sorted(set(looks)):
            return looks
    raise ValueError(f"{value!r} is not a list of rising numbers of runs; write one such as [8, 12, 18]")


CHECKS: dict[str, Callable[[Any], Any]] = {
    "base_url": options.url,
    "location": options.label,
    "release": _release,
    "runs_dir": _path,
    "journeys": _paths,
    "timeout": positive,
    "retries": _count,
    "workers": _at_least_one,
    "action_timeout": positive,
    "headed": _boolean,
    "slow_mo": parse_duration,
    "browser_path": _path,
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
    "redaction": _boolean,
    "redact": _patterns,
    "secrets_dir": _path,
    "secrets_file": _path,
    "keep_passed": positive,
    "keep_failed": positive,
    "keep_runs": _at_least_one,
    "keep_size": options.size,
    "keep_views": positive,
    "keep_views_size": options.size,
    "keep_rollups": positive,
    "keep_replays": positive,
    "keep_replays_size": options.size,
    "database": _database,
    "cron_timezone": options.timezone,
    "jitter": parse_duration,
    "max_delay": positive,
    "maintenance": windows,
    "listen": _address,
    "worker_runs": _at_least_one,
    "worker_memory": options.size,
    "min_free_memory": options.size,
    "delete_groups": _boolean,
    "alert_urls": _alert_urls,
    "alert_urls_file": _alert_urls_file,
    "alert_after": _count,
    "alert_of": _of,
    "alert_monitor_after": _count,
    "alert_flaky": _share,
    "alert_budget_after": _count,
    "alert_again": positive,
    "public_url": options.url,
    "budgets": budgets,
    "smoke_runs": _at_least_one,
    "smoke_warm_up": _count,
    "smoke_max_runs": _at_least_one,
    "smoke_tolerance": _tolerance,
    "smoke_undecided": _undecided,
    "smoke_looks": _looks,
    "smoke_alarm": _chance,
    "smoke_miss": _chance,
    "apps": apps,
    "serve_listen": _address,
    "serve_token": _token,
    "serve_token_file": _token_file,
    "serve_users": _path,
    "serve_proxy_user_header": _header,
    "serve_public_metrics": _boolean,
    "collector_path": _ingest_path,
    "replay_path": _ingest_path,
    "trusted_proxies": _proxies,
    "counted_traffic": _traffic,
    "vital_settle": parse_duration,
    "max_pages": _at_least_one,
    "params": _params,
    "pushgateway": _gateway,
    "pushgateway_username": options.text,
    "pushgateway_password": _secret,
    "pushgateway_password_file": _secret_file,
    "pushgateway_bearer_token": _secret,
    "pushgateway_bearer_token_file": _secret_file,
    "pushgateway_ca_file": _path,
    "pushgateway_timeout": positive,
    "require_push": _boolean,
}
"""Every setting, with what turns a written value into its one form or raises ValueError."""
