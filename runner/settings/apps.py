"""Sites whose visitors may report to the collector: who may send, under which key, and how their pages are called."""

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
    """Scheme, host and port of its pages; `https://*.shop.example` stands for all below, `*` for every page there is."""
    key: str = ""
    """What its beacons have to bring. It stands in every page, so it is no secret: it tells sites apart, and can be changed."""
    routes: tuple[str, ...] = ()
    """How its pages are called, such as `/item/:slug`; the first that fits counts, before anything is guessed."""
    query_keys: tuple[str, ...] = ()
    """What may stay of the query of an address."""
    rate: float = 50.0
    """Beacons a second that one network (/24, or /48 of IPv6) may send for long …"""
    burst: int = 200
    """… and how many at once."""


def apps(value: object) -> tuple[App, ...]:
    """A list of tables as in the configuration file. Raises ValueError that names what is wrong."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"{value!r} is not a list of apps; write [[apps]] tables in the configuration file")
    known = tuple(_app(one) for one in value)
    names = [one.name for one in known]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two apps are called {name!r}; give each a name of its own")
    return known


def _app(value: object) -> App:
    if isinstance(value, App):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is not a table")
    unknown = set(value) - set(App.__struct_fields__)
    if unknown or "name" not in value or "origins" not in value:
        what = f"{', '.join(sorted(unknown))} is not known" if unknown else "name and origins are needed"
        raise ValueError(f"app {dict(value)}: {what}; keys are {', '.join(App.__struct_fields__)}")
    checked = {}
    for key, one in value.items():
        try:
            checked[key] = _CHECKS[key](one)
        except ValueError as error:
            raise ValueError(f"app {value['name']}: {key}: {error}") from error
    return App(**checked)


def _name(value: object) -> str:
    if isinstance(value, str) and NAME.fullmatch(value):
        return value
    raise ValueError(f"{value!r} is not a name; use letters, digits, '_', '-' and '.', 64 at most")


def _key(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[\x21-\x7e]{8,100}", value):
        return value
    raise ValueError(f"{value!r} is not a key; write 8 to 100 letters, digits and signs without a space")


def _texts(value: object, example: str) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and all(isinstance(one, str) and one for one in value):
        return tuple(value)
    raise ValueError(f"{value!r} is not a list of texts; write one such as [{example!r}]")


def _origins(value: object) -> tuple[str, ...]:
    example = "https://shop.example"
    for one in _texts(value, example):
        if one != "*" and not ORIGIN.fullmatch(one.lower()):
            raise ValueError(f"{one!r} is not an origin; write scheme, host and port without a path, such as {example!r}")
    known = tuple(one.lower() for one in _texts(value, example))
    if not known:
        raise ValueError("nobody may send; name the site's origin, or '*' for any")
    return known


def _routes(value: object) -> tuple[str, ...]:
    for one in _texts(value, "/item/:slug"):
        if not ROUTE.fullmatch(one) or len(one) > 200:
            raise ValueError(f"{one!r} is not a route; write one such as '/item/:slug', or '/docs/*' for all below")
    return _texts(value, "/item/:slug")


def _query_keys(value: object) -> tuple[str, ...]:
    return _texts(value, "page")


def _rate(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1_000_000:
        return float(value)
    raise ValueError(f"{value!r} is not a rate; write a number of beacons a second above 0")


def _burst(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 1_000_000:
        return value
    raise ValueError(f"{value!r} is not a number of beacons; write a whole number from 1")


_CHECKS: dict[str, Callable[[object], Any]] = {
    "name": _name,
    "origins": _origins,
    "key": _key,
    "routes": _routes,
    "query_keys": _query_keys,
    "rate": _rate,
    "burst": _burst,
}
