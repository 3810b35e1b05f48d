"""The options of a journey, and their parsers."""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from msgspec import Struct

from runner.dsl.browser_options import (
    ClientCertificate,
    ColorScheme,
    Cookie,
    Mock,
    Proxy,
    ReducedMotion,
    ServiceWorkers,
    parse_block,
    parse_client_certificates,
    parse_color_scheme,
    parse_cookies,
    parse_headers,
    parse_mock,
    parse_permissions,
    parse_proxy,
    parse_reduced_motion,
    parse_service_workers,
)
from runner.settings.artifact_kinds import ARTIFACT_KINDS, Policy
from runner.settings.duration import parse_positive_duration
from runner.settings.parsers.accessibility import Switch, parse_switch
from runner.settings.parsers.addresses.network import parse_mailbox
from runner.settings.parsers.addresses.web_address import parse_url
from runner.settings.parsers.locations import parse_locations
from runner.settings.parsers.values import (
    Engine,
    Waits,
    check_bool,
    check_count,
    parse_cron,
    parse_engine,
    parse_journey_name,
    parse_policy,
    parse_text,
    parse_timezone,
    parse_waits,
)
from runner.settings.secrets import Secret


class Network(Struct, frozen=True):
    """A slower network: bytes per second, and seconds added to each request."""

    download_bytes_per_second: float
    upload_bytes_per_second: float
    latency_seconds: float
    offline: bool = False


NETWORKS = {
    # The presets of Chrome DevTools' network panel, with the adjustment factors that it applies.
    "slow-3g": Network(50_000, 50_000, 2.0),
    "fast-3g": Network(180_000, 84_375, 0.5625),
    "4g": Network(1_012_500, 168_750, 0.165),
    "offline": Network(0.0, 0.0, 0.0, offline=True),
}


class Options(Struct, frozen=True, kw_only=True):
    """What a journey declares about itself; None where the settings decide."""

    name: str | None = None
    every: float | None = None
    cron: str | None = None
    cron_timezone: str | None = None
    jitter: float | None = None
    timeout: float | None = None
    locations: tuple[str, ...] | None = None
    rotate: bool | None = None
    tags: tuple[str, ...] = ()
    owner: str | None = None
    runbook: str | None = None
    retries: int | None = None
    waits: Waits | None = None
    accessibility: Switch | None = None
    browser: Engine | None = None
    base_url: str | None = None
    mailbox: str | None = None
    viewport: tuple[int, int] | None = None
    device: str | None = None
    locale: str | None = None
    timezone: str | None = None
    geolocation: dict[str, float] | None = None
    headers: dict[str, str] = {}
    basic_auth: tuple[str, Secret] | None = None
    ca_file: Path | None = None
    storage_state: Path | None = None
    signed_in_by: str | None = None
    ignore_https_errors: bool = False
    network: Network | None = None
    cpu: float | None = None
    user_agent_suffix: str | None = None
    proxy: Proxy | None = None
    client_certificates: tuple[ClientCertificate, ...] = ()
    permissions: tuple[str, ...] = ()
    color_scheme: ColorScheme | None = None
    reduced_motion: ReducedMotion | None = None
    service_workers: ServiceWorkers | None = None
    http_cache: bool = True
    cookies: tuple[Cookie, ...] = ()
    block: tuple[str, ...] = ()
    mock: tuple[Mock, ...] = ()
    artifact_policies: dict[str, Policy] = {}
    """Those that it sets, by the kind's `option`; each is an option of its own."""


def list_options(kind: str = "journey") -> tuple[str, ...]:
    """The names of all options of a journey, or of a check."""
    if kind == "check":
        return CHECK_OPTIONS
    return tuple(name for name in (*_PARSERS, *ARTIFACT_KINDS) if name not in ONLY_OF_CHECKS)


def explain_refusal(name: str, kind: str) -> str | None:
    """Why an option of journeys is not one of checks, or the other way round; None if nothing has it."""
    if kind == "check" and name == "ignore_https_errors":
        return "option ignore_https_errors is not for checks, which always verify certificates; name an authority of your own with ca_file"
    if kind == "check" and name in list_options():
        return f"option {name} is not for checks, which have no browser; they have: {', '.join(CHECK_OPTIONS)}"
    if kind == "journey" and name in ONLY_OF_CHECKS:
        return f"option {name} is for checks only; a browser trusts the authorities of this machine"
    return None


def parse_options(given: Mapping[str, Any]) -> Options:
    """The options, parsed. Raises ValueError that names the option, the value, and what is accepted."""
    check_together(given)
    checked: dict[str, Any] = {}
    policies: dict[str, Policy] = {}
    for name, value in given.items():
        if value is None:
            continue
        try:
            if name in ARTIFACT_KINDS:
                policies[name] = parse_policy(value)
            else:
                checked[name] = _PARSERS[name](value)
        except ValueError as error:
            raise ValueError(f"option {name}: {error}") from error
    return Options(**checked, artifact_policies=policies)


def check_together(given: Mapping[str, Any]) -> None:
    """Raises ValueError for options that exclude each other."""
    if given.get("every") is not None and given.get("cron") is not None:
        raise ValueError("options every and cron: both say when to run; keep one")


def _parse_tags(value: object) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and all(isinstance(one, str) and one.strip() for one in value):
        return tuple(value)
    raise ValueError(f"{value!r} is not a list of texts; write one such as ['checkout', 'critical']")


def _parse_viewport(value: object) -> tuple[int, int]:
    sizes: object = value
    if isinstance(value, str):
        sizes = [int(part) for part in value.split("x")] if re.fullmatch(r"\d+x\d+", value) else None
    elif isinstance(value, Mapping):
        sizes = [value.get("width"), value.get("height")]
    if isinstance(sizes, list | tuple) and len(sizes) == 2 and all(isinstance(one, int) and 0 < one <= 16384 for one in sizes):
        return (sizes[0], sizes[1])
    raise ValueError(f"{value!r} is not a window size; write one such as '1280x720' or (1280, 720)")


def _parse_device(value: object) -> str:
    known = list_devices()
    if value in known or (not known and isinstance(value, str)):
        return str(value)
    close = get_close_matches(str(value), known, 3)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "it is a name such as 'Pixel 7' or 'iPhone 15'"
    raise ValueError(f"{value!r} is not one of Playwright's devices; {hint}")


@cache
def list_devices() -> tuple[str, ...]:
    """The names of Playwright's devices, read from its files, as starting it would take half a second.

    Empty when a later Playwright keeps them elsewhere; a wrong name then fails when the browser context is opened.
    """
    package = find_spec("playwright")
    if package is None or package.origin is None:
        return ()
    bundle = Path(package.origin).parent / "driver" / "package" / "lib" / "coreBundle.js"
    if not bundle.is_file():
        return ()
    return tuple(re.findall(r'"([^"\n]+)":\s*\{\s*"?userAgent"?:', bundle.read_text(encoding="utf-8")))


def _parse_locale(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", value):
        return value.replace("_", "-")
    raise ValueError(f"{value!r} is not a locale; write one such as 'de-DE'")


def _parse_geolocation(value: object) -> dict[str, float]:
    place = dict(value) if isinstance(value, Mapping) else None
    if isinstance(value, list | tuple) and len(value) == 2:
        place = dict(zip(("latitude", "longitude"), value, strict=True))
    if place and {"latitude", "longitude"} <= set(place) <= {"latitude", "longitude", "accuracy"}:
        numbers = {key: float(one) for key, one in place.items() if isinstance(one, int | float)}
        if len(numbers) == len(place) and abs(numbers["latitude"]) <= 90 and abs(numbers["longitude"]) <= 180:
            return numbers
    raise ValueError(f"{value!r} is not a location; write (latitude, longitude) in degrees, such as (52.52, 13.4)")


def _parse_basic_auth(value: object) -> tuple[str, Secret]:
    if isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], str | Secret):
        return (value[0], value[1] if isinstance(value[1], Secret) else Secret(value[1]))
    raise ValueError('is not a user and a password; write `("me", Secret(os.environ["PASSWORD"]))`')


def _parse_path(value: object) -> Path:
    if isinstance(value, str | Path) and str(value):
        return Path(value)
    raise ValueError(f"{value!r} is not a path")


def _parse_network(value: object) -> Network:
    if isinstance(value, Network):
        return value
    if isinstance(value, str) and value in NETWORKS:
        return NETWORKS[value]
    raise ValueError(f"{value!r} is not a network; choose one of {', '.join(NETWORKS)}, or give a runner.Network(…)")


def _parse_cpu(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= 100:
        return float(value)
    raise ValueError(f"{value!r} is not a CPU slow-down; write a factor from 1 to 100")


CHECK_OPTIONS = (
    "name", "every", "cron", "cron_timezone", "jitter", "locations", "rotate", "timeout", "tags", "owner", "runbook", "retries",
    "base_url", "headers", "basic_auth", "ca_file",
)  # fmt: skip
"""The options of checks."""
ONLY_OF_CHECKS = ("ca_file",)
_PARSERS: dict[str, Callable[[Any], Any]] = {
    "name": parse_journey_name,
    "every": parse_positive_duration,
    "cron": parse_cron,
    "cron_timezone": parse_timezone,
    "jitter": parse_positive_duration,
    "locations": parse_locations,
    "rotate": check_bool,
    "timeout": parse_positive_duration,
    "tags": _parse_tags,
    "owner": parse_text,
    "runbook": parse_url,
    "retries": check_count,
    "waits": parse_waits,
    "accessibility": parse_switch,
    "browser": parse_engine,
    "base_url": parse_url,
    "mailbox": parse_mailbox,
    "viewport": _parse_viewport,
    "device": _parse_device,
    "locale": _parse_locale,
    "timezone": parse_timezone,
    "geolocation": _parse_geolocation,
    "headers": parse_headers,
    "basic_auth": _parse_basic_auth,
    "ca_file": _parse_path,
    "storage_state": _parse_path,
    "signed_in_by": parse_journey_name,
    "ignore_https_errors": check_bool,
    "network": _parse_network,
    "cpu": _parse_cpu,
    "user_agent_suffix": parse_text,
    "proxy": parse_proxy,
    "client_certificates": parse_client_certificates,
    "permissions": parse_permissions,
    "color_scheme": parse_color_scheme,
    "reduced_motion": parse_reduced_motion,
    "service_workers": parse_service_workers,
    "http_cache": check_bool,
    "cookies": parse_cookies,
    "block": parse_block,
    "mock": parse_mock,
}
