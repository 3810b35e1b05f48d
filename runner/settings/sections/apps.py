"""Sites whose visitors may report to the collector: accepted origins, key, names of pages, rate limit."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
ORIGIN = re.compile(r"https?://(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::\d{1,5})?|https?://\[[0-9a-f:]+\](?::\d{1,5})?")
ROUTE = re.compile(r"/|(?:/(?::[a-z][a-z0-9_]*|[^/?#*:\s][^/?#*\s]*))*(?:/\*)?", re.IGNORECASE)


class App(Struct, frozen=True, kw_only=True):
    """One site, and what its visitors may send."""

    name: str
    origins: tuple[str, ...]
    """Scheme, host and port of its pages; `https://*.shop.example` stands for all its subdomains, `*` for any page."""
    key: str = ""
    """Required in each beacon. Every page contains it, so it is not a secret: it tells sites apart, and can be changed."""
    routes: tuple[str, ...] = ()
    """Templates that name its pages, such as `/item/:slug`; the first match wins, and only without a match is one derived."""
    query_keys: tuple[str, ...] = ()
    """Query parameters of an address that are kept."""
    rate: float = 50.0
    """Beacons per second that one network (/24, or /48 of IPv6) may send on average."""
    burst: int = 200
    """Beacons that it may send at once."""


def parse_apps(value: object) -> tuple[App, ...]:
    """A list of tables as in the configuration file. Raises ValueError that names what is wrong."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"{value!r} is not a list of apps; write [[apps]] tables in the configuration file")
    known = tuple(_parse_app(one) for one in value)
    names = [one.name for one in known]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two apps are named {name!r}; give each app its own name")
    return known


def _parse_app(value: object) -> App:
    if isinstance(value, App):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is not a table")
    unknown = set(value) - set(App.__struct_fields__)
    if unknown or "name" not in value or "origins" not in value:
        what = f"unknown: {', '.join(sorted(unknown))}" if unknown else "name and origins are required"
        raise ValueError(f"app {dict(value)}: {what}; keys are {', '.join(App.__struct_fields__)}")
    checked = {}
    for key, one in value.items():
        try:
            checked[key] = _PARSERS[key](one)
        except ValueError as error:
            raise ValueError(f"app {value['name']}: {key}: {error}") from error
    return App(**checked)


def _parse_name(value: object) -> str:
    if isinstance(value, str) and NAME.fullmatch(value):
        return value
    raise ValueError(f"{value!r} is not a name; use at most 64 letters, digits, '_', '-' and '.'")


def _parse_key(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[\x21-\x7e]{8,100}", value):
        return value
    raise ValueError(f"{value!r} is not a key; write 8 to 100 letters, digits and punctuation marks, without spaces")


def _parse_texts(value: object, example: str) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and all(isinstance(one, str) and one for one in value):
        return tuple(value)
    raise ValueError(f"{value!r} is not a list of texts; write one such as [{example!r}]")


def _parse_origins(value: object) -> tuple[str, ...]:
    example = "https://shop.example"
    for one in _parse_texts(value, example):
        if one != "*" and not ORIGIN.fullmatch(one.lower()):
            raise ValueError(f"{one!r} is not an origin; write scheme, host and port without a path, such as {example!r}")
    known = tuple(one.lower() for one in _parse_texts(value, example))
    if not known:
        raise ValueError("the list is empty, so nothing would be accepted; write the site's origin, or '*' for any")
    return known


def _parse_routes(value: object) -> tuple[str, ...]:
    for one in _parse_texts(value, "/item/:slug"):
        if not ROUTE.fullmatch(one) or len(one) > 200:
            raise ValueError(f"{one!r} is not a route; write one such as '/item/:slug', or '/docs/*' for all below")
    return _parse_texts(value, "/item/:slug")


def _parse_query_keys(value: object) -> tuple[str, ...]:
    return _parse_texts(value, "page")


def _parse_rate(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1_000_000:
        return float(value)
    raise ValueError(f"{value!r} is not a rate; it must be a number of beacons per second greater than 0")


def _parse_burst(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 1_000_000:
        return value
    raise ValueError(f"{value!r} is not a number of beacons; write a whole number from 1")


_PARSERS: dict[str, Callable[[object], Any]] = {
    "name": _parse_name,
    "origins": _parse_origins,
    "key": _parse_key,
    "routes": _parse_routes,
    "query_keys": _parse_query_keys,
    "rate": _parse_rate,
    "burst": _parse_burst,
}
