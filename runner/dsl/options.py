"""The options of a journey: what may be written, checked, in one form."""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal
from zoneinfo import available_timezones

from msgspec import Struct

from runner.dsl import schedule
from runner.settings.duration import positive
from runner.settings.secrets import Secret

Policy = Literal["off", "on", "retain-on-failure", "on-first-retry"]
POLICIES = ("off", "on", "retain-on-failure", "on-first-retry")


class Network(Struct, frozen=True):
    """A slower network: bytes a second, and seconds added to each request."""

    download_bytes_per_second: float
    upload_bytes_per_second: float
    latency_seconds: float
    offline: bool = False


NETWORKS = {
    # The presets of Chrome DevTools' network panel, with the factors that it applies to their names.
    "slow-3g": Network(50_000, 50_000, 2.0),
    "fast-3g": Network(180_000, 84_375, 0.5625),
    "4g": Network(1_012_500, 168_750, 0.165),
}


class Keeping(Struct, frozen=True, kw_only=True):
    """What a run leaves behind and what is hidden in it: a part of the settings, and of each plan."""

    trace: Policy = "retain-on-failure"
    screenshots: Policy = "retain-on-failure"
    video: Policy = "off"
    har: Policy = "off"
    console: Policy = "retain-on-failure"
    page_errors: Policy = "retain-on-failure"
    failed_requests: Policy = "retain-on-failure"
    aria: Policy = "retain-on-failure"
    replay: Policy = "retain-on-failure"
    artifact_limit: int = 200_000_000
    """Bytes of all artifacts of a run together."""
    redaction: bool = True
    redact: tuple[str, ...] = ()
    secrets_dir: Path | None = None
    secrets_file: Path | None = None


class Options(Struct, frozen=True, kw_only=True):
    """What a journey declares about itself; None where it leaves the choice to the settings."""

    name: str | None = None
    every: float | None = None
    cron: str | None = None
    cron_timezone: str | None = None
    jitter: float | None = None
    timeout: float | None = None
    tags: tuple[str, ...] = ()
    retries: int | None = None
    base_url: str | None = None
    viewport: tuple[int, int] | None = None
    device: str | None = None
    locale: str | None = None
    timezone: str | None = None
    geolocation: dict[str, float] | None = None
    headers: dict[str, str] = {}
    basic_auth: tuple[str, Secret] | None = None
    storage_state: Path | None = None
    signed_in_by: str | None = None
    ignore_https_errors: bool = False
    network: Network | None = None
    cpu: float | None = None
    user_agent_suffix: str | None = None
    trace: Policy | None = None
    screenshots: Policy | None = None
    video: Policy | None = None
    har: Policy | None = None
    console: Policy | None = None
    page_errors: Policy | None = None
    failed_requests: Policy | None = None
    aria: Policy | None = None
    replay: Policy | None = None


NAMES = Options.__struct_fields__


def check(given: Mapping[str, Any]) -> Options:
    """The options in their one form. Raises ValueError that names the option, the value, and what is accepted."""
    check_together(given)
    checked = {}
    for name, value in given.items():
        if value is None:
            continue
        try:
            checked[name] = _CHECKS[name](value)
        except ValueError as error:
            raise ValueError(f"option {name}: {error}") from error
    return Options(**checked)


def check_together(given: Mapping[str, Any]) -> None:
    """Raises ValueError for options that exclude each other."""
    if given.get("every") is not None and given.get("cron") is not None:
        raise ValueError("options every and cron: both say when to run; keep one")


def url(value: object) -> str:
    """An absolute http or https address."""
    if isinstance(value, str) and re.match(r"https?://[^/\s]+", value):
        return value
    raise ValueError(f"{value!r} is not an address; write one such as 'https://shop.example'")


def policy(value: object) -> Policy:
    """When an artifact is kept."""
    for known in POLICIES:
        if value == known:
            return known  # type: ignore[return-value]  # POLICIES holds exactly the literals of Policy
    raise ValueError(f"{value!r} is not a policy; choose one of {', '.join(POLICIES)}")


def count(value: object) -> int:
    """A whole number from 0."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f"{value!r} is not a count; write a whole number from 0")


def size(value: object) -> int:
    """Bytes, from a number or from a text with a unit."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(k|M|G|T)?B?", str(value)) if not isinstance(value, bool) else None
    if found is None:
        raise ValueError(f"{value!r} is not a size; write a number of bytes, or one with a unit such as '200MB'")
    return int(float(found[1]) * {None: 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}[found[2]])


def text(value: object) -> str:
    """A text with something in it."""
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError(f"{value!r} is not a text")


def label(value: object) -> str:
    """A text that can be a metric's label and a column of the store."""
    if len(text(value)) > 100:
        raise ValueError(f"{value!r} has more than 100 characters")
    return str(value)


def yes_or_no(value: object) -> bool:
    """True or False."""
    if isinstance(value, bool):
        return value
    raise ValueError(f"{value!r} is neither True nor False")


def name_of_journey(value: object) -> str:
    """A name that can stand in a path and in a label."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", value):
        return value
    raise ValueError(f"{value!r} is not a name for a journey; use letters, digits, '_', '-' and '.', 100 at most")


def _tags(value: object) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and all(isinstance(one, str) and one.strip() for one in value):
        return tuple(value)
    raise ValueError(f"{value!r} is not a list of texts; write one such as ['checkout', 'critical']")


def _viewport(value: object) -> tuple[int, int]:
    sizes: object = value
    if isinstance(value, str):
        sizes = [int(part) for part in value.split("x")] if re.fullmatch(r"\d+x\d+", value) else None
    elif isinstance(value, Mapping):
        sizes = [value.get("width"), value.get("height")]
    if isinstance(sizes, list | tuple) and len(sizes) == 2 and all(isinstance(one, int) and 0 < one <= 16384 for one in sizes):
        return (sizes[0], sizes[1])
    raise ValueError(f"{value!r} is not a size of a window; write one such as '1280x720' or (1280, 720)")


def _device(value: object) -> str:
    known = devices()
    if value in known or (not known and isinstance(value, str)):
        return str(value)
    close = get_close_matches(str(value), known, 3)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "it is a name such as 'Pixel 7' or 'iPhone 15'"
    raise ValueError(f"{value!r} is not a device that Playwright knows; {hint}")


@cache
def devices() -> tuple[str, ...]:
    """The names of Playwright's devices, read from its files: starting it only to ask would cost half a second.

    Empty when a later Playwright keeps them elsewhere; a wrong name is then found when the browser context is opened.
    """
    package = find_spec("playwright")
    if package is None or package.origin is None:
        return ()
    bundle = Path(package.origin).parent / "driver" / "package" / "lib" / "coreBundle.js"
    if not bundle.is_file():
        return ()
    return tuple(re.findall(r'"([^"\n]+)":\s*\{\s*"?userAgent"?:', bundle.read_text(encoding="utf-8")))


def timezone(value: object) -> str:
    if value in available_timezones():
        return str(value)
    raise ValueError(f"{value!r} is not a time zone; write one of the IANA database, such as 'Europe/Berlin'")


def _locale(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", value):
        return value.replace("_", "-")
    raise ValueError(f"{value!r} is not a locale; write one such as 'de-DE'")


def _geolocation(value: object) -> dict[str, float]:
    place = dict(value) if isinstance(value, Mapping) else None
    if isinstance(value, list | tuple) and len(value) == 2:
        place = dict(zip(("latitude", "longitude"), value, strict=True))
    if place and {"latitude", "longitude"} <= set(place) <= {"latitude", "longitude", "accuracy"}:
        numbers = {key: float(one) for key, one in place.items() if isinstance(one, int | float)}
        if len(numbers) == len(place) and abs(numbers["latitude"]) <= 90 and abs(numbers["longitude"]) <= 180:
            return numbers
    raise ValueError(f"{value!r} is not a place; write (latitude, longitude) in degrees, such as (52.52, 13.4)")


def _headers(value: object) -> dict[str, str]:
    if isinstance(value, Mapping) and all(isinstance(key, str) and isinstance(one, str) for key, one in value.items()):
        return dict(value)
    raise ValueError(f"{value!r} is not a set of headers; write one such as {{'X-Team': 'shop'}}")


def _basic_auth(value: object) -> tuple[str, Secret]:
    if isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], str | Secret):
        return (value[0], value[1] if isinstance(value[1], Secret) else Secret(value[1]))
    raise ValueError("is not (user, password)")


def _path(value: object) -> Path:
    if isinstance(value, str | Path) and str(value):
        return Path(value)
    raise ValueError(f"{value!r} is not a path")


def _network(value: object) -> Network:
    if isinstance(value, Network):
        return value
    if isinstance(value, str) and value in NETWORKS:
        return NETWORKS[value]
    raise ValueError(f"{value!r} is not a network; choose one of {', '.join(NETWORKS)}, or give a runner.Network(…)")


def _cpu(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= 100:
        return float(value)
    raise ValueError(f"{value!r} is not a slow-down of the processor; write a factor from 1 to 100")


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": name_of_journey,
    "every": positive,
    "cron": schedule.cron,
    "cron_timezone": timezone,
    "jitter": positive,
    "timeout": positive,
    "tags": _tags,
    "retries": count,
    "base_url": url,
    "viewport": _viewport,
    "device": _device,
    "locale": _locale,
    "timezone": timezone,
    "geolocation": _geolocation,
    "headers": _headers,
    "basic_auth": _basic_auth,
    "storage_state": _path,
    "signed_in_by": name_of_journey,
    "ignore_https_errors": yes_or_no,
    "network": _network,
    "cpu": _cpu,
    "user_agent_suffix": text,
    "trace": policy,
    "screenshots": policy,
    "video": policy,
    "har": policy,
    "console": policy,
    "page_errors": policy,
    "failed_requests": policy,
    "aria": policy,
    "replay": policy,
}
