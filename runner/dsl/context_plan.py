"""How one run's browser context reaches a site and what it finds there: resolved, and plain enough to be sent to a worker."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from runner.dsl.browser_options import THIRD_PARTY, ClientCertificate, ColorScheme, Cookie, Mock, ReducedMotion, ServiceWorkers
from runner.dsl.journey import Journey
from runner.errors import ConfigError
from runner.network.registrable_domain import host_of, site_of
from runner.settings.secrets import Secret
from runner.untrusted_text import decode_json

LOOPBACK = ("localhost", "*.localhost", "127.0.0.1", "[::1]")
"""Hosts that are never asked of a proxy, as Chromium does it by itself; Playwright would."""


class ContextPlan(Struct, frozen=True, kw_only=True):
    """What a browser context is opened and prepared with, beside what `Plan` says of devices and accounts."""

    proxy: dict[str, str] | None = None
    """`server`, `username`, `password`, `bypass`, as Playwright takes them."""
    client_certificates: tuple[dict[str, str], ...] = ()
    """`origin`, `certPath`, `keyPath`, `pfxPath`, `passphrase`, as Playwright takes them."""
    permissions: tuple[str, ...] = ()
    color_scheme: ColorScheme | None = None
    reduced_motion: ReducedMotion | None = None
    service_workers: ServiceWorkers | None = None
    http_cache: bool = True
    cookies: tuple[dict[str, Any], ...] = ()
    """As Playwright takes them."""
    blocked: str = ""
    """A regular expression of addresses that are not requested; empty for none."""
    mocks: tuple[Mock, ...] = ()
    """Their files are absolute."""
    hidden: tuple[str, ...] = ()
    """Texts in it that are secret."""


class _HarRequest(Struct, frozen=True):
    url: str
    method: str


class _HarResponse(Struct, frozen=True):
    status: int
    headers: list[dict[str, Any]]
    content: dict[str, Any]


class _HarEntry(Struct, frozen=True):
    request: _HarRequest
    response: _HarResponse


class _HarLog(Struct, frozen=True):
    entries: list[_HarEntry]


class _Har(Struct, frozen=True):
    """What a browser needs of a recording: without it, it would answer requests with a failure, as if the site were at fault."""

    log: _HarLog


_har = msgspec.json.Decoder(_Har)


def plan_context(journey: Journey, base_url: str | None) -> ContextPlan:
    """Resolves the options of one journey; files are relative to its own. Raises ConfigError for a file that does not exist, and for
    `third-party` without a base_url, which says whose site is the first."""
    given = journey.options
    proxy = given.proxy
    return ContextPlan(
        proxy={
            "server": proxy.server,
            "username": proxy.username,
            "password": _reveal(proxy.password),
            "bypass": ",".join((*LOOPBACK, *proxy.bypass)),
        }
        if proxy
        else None,
        client_certificates=tuple(_plan_certificate(journey, one) for one in given.client_certificates),
        permissions=given.permissions,
        color_scheme=given.color_scheme,
        reduced_motion=given.reduced_motion,
        service_workers=given.service_workers,
        http_cache=given.http_cache,
        cookies=tuple(_plan_cookie(journey, one, base_url) for one in given.cookies),
        blocked="|".join(list_expressions(given.block, base_url, f"{journey.where}: option block")),
        mocks=tuple(_plan_mock(journey, one) for one in given.mock),
        hidden=tuple(_hidden(journey)),
    )


def _reveal(secret: Secret | str | None) -> str:
    return secret.reveal() if isinstance(secret, Secret) else secret or ""


def _hidden(journey: Journey) -> Iterator[str]:
    """The secrets among the options. A cookie's value is one if it is given as one."""
    given = journey.options
    passwords = (given.proxy.password if given.proxy else None, *(one.passphrase for one in given.client_certificates))
    for secret in (*passwords, *(one.value for one in given.cookies)):
        if isinstance(secret, Secret):
            yield secret.reveal()


def _plan_certificate(journey: Journey, given: ClientCertificate) -> dict[str, str]:
    planned = {"origin": given.origin}
    for name, file in (("certPath", given.cert), ("keyPath", given.key), ("pfxPath", given.pfx)):
        if file is not None:
            planned[name] = str(_find(journey, "client_certificates", file))
    return planned | ({"passphrase": given.passphrase.reveal()} if given.passphrase else {})


def _plan_cookie(journey: Journey, given: Cookie, base_url: str | None) -> dict[str, Any]:
    planned: dict[str, Any] = {"name": given.name, "value": _reveal(given.value)}
    planned |= {"secure": True} if given.secure else {}
    planned |= {"httpOnly": True} if given.http_only else {}
    if given.domain is not None:
        return planned | {"domain": given.domain, "path": given.path}
    if base_url is None:
        raise ConfigError(
            f"{journey.where}: option cookies: {given.name} has no domain, and there is no base_url; give it a domain"
        )
    host = urlsplit(base_url).hostname or ""
    return planned | {"domain": host, "path": given.path}


def _plan_mock(journey: Journey, given: Mock) -> Mock:
    if given.file is None:
        return given
    found = _find(journey, "mock", given.file)
    if found.suffix == ".har":
        try:
            decode_json(found.read_bytes(), _har)
        except (OSError, msgspec.DecodeError) as error:
            raise ConfigError(
                f"{journey.where}: option mock: {found} is not a recording in HAR: {error}; record it again"
            ) from error
    return Mock(pattern=given.pattern, file=found, status=given.status, headers=given.headers)


def _find(journey: Journey, option: str, file: Path) -> Path:
    found = (journey.file.parent / file).absolute()
    if not found.is_file():
        raise ConfigError(f"{journey.where}: option {option}: {found} does not exist; name a file relative to the journey's")
    return found


def list_expressions(patterns: Iterable[str], base_url: str | None, where: str) -> Iterator[str]:
    """Regular expressions that JavaScript and Python read alike, one for each pattern of `block`, which stands at `where`.

    Raises ConfigError for `third-party` without a base_url.
    """
    for pattern in patterns:
        if pattern == THIRD_PARTY:
            if base_url is None:
                raise ConfigError(f"{where}: {pattern!r} needs a base_url: its site is the first party")
            yield rf"^https?://(?!(?:[^/?#]*\.)?{re.escape(_site(base_url))}(?::\d+)?(?:[/?#]|$))"
        elif "/" in pattern:
            yield "^" + _glob(pattern) + "$"
        else:
            yield rf"^https?://(?:[^/?#]*\.)?{_glob(pattern.removeprefix('*.'))}(?::\d+)?(?:[/?#]|$)"


def _glob(pattern: str) -> str:
    """A pattern with `*` and `?` as an expression without anchors; `**` is `*`."""
    parts = re.split(r"(\*+|\?)", pattern)
    return "".join(".*" if one.startswith("*") else "." if one == "?" else re.escape(one) for one in parts)


def _site(base_url: str) -> str:
    """The registrable domain of an address as it is in addresses, or its host where that has none (an IP address, `localhost`)."""
    site = site_of(host_of(base_url))
    return f"[{site}]" if ":" in site else site
