"""Options of a journey that decide how its browser context reaches a site, and what it finds there: values, and their parsers."""

import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from msgspec import Struct

from runner.installation import install_command
from runner.settings.parsers.addresses.web_address import parse_url
from runner.settings.secrets import Secret

ColorScheme = Literal["light", "dark", "no-preference"]
ReducedMotion = Literal["reduce", "no-preference"]
ServiceWorkers = Literal["allow", "block"]
COLOR_SCHEMES: tuple[ColorScheme, ...] = ("light", "dark", "no-preference")
REDUCED_MOTIONS: tuple[ReducedMotion, ...] = ("reduce", "no-preference")
SERVICE_WORKERS: tuple[ServiceWorkers, ...] = ("allow", "block")
T = TypeVar("T")
THIRD_PARTY = "third-party"
"""In `block`: every host that is not of the site of `base_url`."""


class Proxy(Struct, frozen=True, kw_only=True):
    """A proxy of one journey."""

    server: str
    """Scheme, host and port; `http`, `https` or `socks5`."""
    username: str = ""
    password: Secret | None = None
    bypass: tuple[str, ...] = ()
    """Hosts that are reached directly, such as `*.intern.example`."""


class ClientCertificate(Struct, frozen=True, kw_only=True):
    """A certificate by which the browser proves who it is to an origin; files are relative to the journey's file."""

    origin: str
    cert: Path | None = None
    key: Path | None = None
    pfx: Path | None = None
    passphrase: Secret | None = None


class Cookie(Struct, frozen=True, kw_only=True):
    """A cookie that the browser has from the beginning."""

    name: str
    value: Secret | str
    domain: str | None = None
    """None for the host of `base_url`."""
    path: str = "/"
    secure: bool = False
    http_only: bool = False


class Mock(Struct, frozen=True, kw_only=True):
    """What answers requests in place of the site: a file, a recording, or a written response."""

    pattern: str
    """As in `page.route`: `**/api/stock`, or a path below `base_url`."""
    file: Path | None = None
    """The body, or requests and responses if its name ends with `.har`."""
    status: int = 200
    headers: dict[str, str] = {}
    body: str | None = None


_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""Names of cookies and headers (RFC 9110, 5.6.2)."""


def parse_headers(value: object) -> dict[str, str]:
    """Raises ValueError for anything but names and values that a request can have; a browser would fail or hang with others."""
    if not isinstance(value, Mapping) or not all(isinstance(one, str) for pair in value.items() for one in pair):
        raise ValueError(f"{value!r} is not a set of headers; write one such as {{'X-Team': 'shop'}}")
    for name, text in value.items():
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of a header; write letters, digits and '-', such as 'X-Team'")
        if re.search(r"[\0\r\n]", text):
            raise ValueError(f"{name}: its value has a line break or a zero byte, which no header can have")
    return dict(value)


def parse_proxy(value: object) -> Proxy:
    """Raises ValueError for an invalid address, one that holds a password, and fields that do not exist."""
    given = _fields(value, Proxy, "server") if isinstance(value, Mapping) else {"server": value}
    server = given.get("server")
    if not isinstance(server, str) or not re.fullmatch(r"(https?|socks5)://[^\s/@]+/?", server):
        if isinstance(server, str) and "@" in server:
            raise ValueError(
                "holds a user or a password in its address; write {'server': …, 'username': …, 'password': Secret(…)}"
            )
        raise ValueError(f"{server!r} is not the address of a proxy; write one such as 'http://proxy.example:3128'")
    try:
        known = urlsplit(server).port != 0 and urlsplit(server).hostname
    except ValueError:
        known = None
    if not known:
        raise ValueError(f"{server!r} has no valid host or port; write one such as 'http://proxy.example:3128'")
    return Proxy(
        server=server.rstrip("/"),
        username=_text(given, "username", ""),
        password=_secret(given, "password"),
        bypass=_texts(given.get("bypass", ()), "bypass", "hosts such as ['*.intern.example']"),
    )


def parse_client_certificates(value: object) -> tuple[ClientCertificate, ...]:
    """Raises ValueError for one without an origin, or without files that make a pair."""
    return tuple(_parse_client_certificate(one) for one in _list(value, "certificates"))


def _parse_client_certificate(value: object) -> ClientCertificate:
    given = _fields(value, ClientCertificate, "origin")
    origin = urlsplit(parse_url(given["origin"]))
    if origin.scheme != "https" or origin.path.strip("/") or origin.query:
        raise ValueError(f"origin: {given['origin']!r} is not an https origin; write one such as 'https://shop.example'")
    files = {name: Path(given[name]) for name in ("cert", "key", "pfx") if given.get(name) is not None}
    if set(files) not in ({"cert", "key"}, {"pfx"}):
        raise ValueError("needs either 'cert' and 'key', files in PEM, or 'pfx', one file in PKCS #12")
    return ClientCertificate(origin=f"https://{origin.netloc}", **files, passphrase=_secret(given, "passphrase"))


def parse_cookies(value: object) -> tuple[Cookie, ...]:
    """Raises ValueError for one that has no name or no value."""
    if isinstance(value, Mapping):
        value = [{"name": name, "value": text} for name, text in value.items()]
    return tuple(_parse_cookie(one) for one in _list(value, "cookies"))


def _parse_cookie(value: object) -> Cookie:
    given = _fields(value, Cookie, "name", "value")
    name = given["name"]
    if not isinstance(name, str) or not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a cookie")
    if not isinstance(given["value"], str | Secret):
        raise ValueError(f"{name}: its value is a text or a Secret, not {given['value']!r}")
    for flag in ("secure", "http_only"):
        if not isinstance(given.get(flag, False), bool):
            raise ValueError(f"{name}: {flag} is True or False, not {given[flag]!r}")
    return Cookie(
        name=name,
        value=given["value"],
        domain=_text(given, "domain", None),
        path=_text(given, "path", "/"),
        secure=given.get("secure", False),
        http_only=given.get("http_only", False),
    )


def parse_permissions(value: object) -> tuple[str, ...]:
    """Names that the browser does not know fail when its context is opened. Raises ValueError for anything but a list of texts."""
    return _texts(value, "", "permissions such as ['clipboard-read', 'notifications']")


def parse_block(value: object) -> tuple[str, ...]:
    """Raises ValueError for anything but a list of patterns, and for `third-party` where the list of public suffixes is not installed."""
    patterns = _texts(value, "", "hosts and addresses such as ['third-party', '*.ads.example', '**/*.mp4']")
    if THIRD_PARTY in patterns and find_spec("publicsuffixlist") is None:
        raise ValueError(f"{THIRD_PARTY!r} needs the package publicsuffixlist; install it with: {install_command('sites')}")
    return patterns


def parse_mock(value: object) -> tuple[Mock, ...]:
    """Raises ValueError for a pattern without an answer."""
    if not isinstance(value, Mapping) or not all(isinstance(pattern, str) and pattern for pattern in value):
        raise ValueError(f"{value!r} is not a table of answers; write one such as {{'**/api/stock': 'stock.json'}}")
    return tuple(_parse_answer(pattern, answer) for pattern, answer in value.items())


def _parse_answer(pattern: str, answer: object) -> Mock:
    if isinstance(answer, str | Path) and str(answer):
        return Mock(pattern=pattern, file=Path(answer))
    if not isinstance(answer, Mapping):
        raise ValueError(
            f"{pattern}: {answer!r} is not an answer; name a file, or write one such as {{'status': 503, 'body': 'away'}}"
        )
    given = _fields(answer, Mock, but=("pattern",))
    status, headers, body = given.get("status", 200), given.get("headers", {}), given.get("body")
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:
        raise ValueError(f"{pattern}: {status!r} is not the status of a final response; write one from 200 to 599")
    try:
        headers = parse_headers(headers)
    except ValueError as error:
        raise ValueError(f"{pattern}: headers: {error}") from error
    if body is not None and not isinstance(body, str):
        raise ValueError(f"{pattern}: its body is a text, not {body!r}; for JSON use json.dumps, for bytes name a file")
    if body is not None and given.get("file") is not None:
        raise ValueError(f"{pattern}: body and file are both its body; keep one")
    file = given.get("file")
    return Mock(pattern=pattern, file=Path(file) if file is not None else None, status=status, headers=headers, body=body)


def parse_color_scheme(value: object) -> ColorScheme:
    """Raises ValueError for a colour scheme that CSS does not have."""
    return _one_of(value, COLOR_SCHEMES)


def parse_reduced_motion(value: object) -> ReducedMotion:
    """Raises ValueError for a preference that CSS does not have."""
    return _one_of(value, REDUCED_MOTIONS)


def parse_service_workers(value: object) -> ServiceWorkers:
    """Raises ValueError for anything but `allow` and `block`."""
    return _one_of(value, SERVICE_WORKERS)


def _one_of(value: object, choices: tuple[T, ...]) -> T:
    for one in choices:
        if value == one:
            return one
    raise ValueError(f"{value!r} is not one of {', '.join(map(repr, choices))}")


def _fields(value: object, kind: type[Struct], *needed: str, but: tuple[str, ...] = ()) -> Mapping[str, Any]:
    """The fields of what stands for a Struct. Raises ValueError for one that does not exist, or that is missing."""
    if isinstance(value, kind):
        return {name: getattr(value, name) for name in kind.__struct_fields__}
    known = [name for name in kind.__struct_fields__ if name not in but]
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} has none of the fields {', '.join(known)}; write a dictionary of them")
    for name in value:
        if name not in known:
            raise ValueError(f"{name!r} is not a field of it; there are: {', '.join(known)}")
    for name in needed:
        if value.get(name) is None:
            raise ValueError(f"{name!r} is missing; there are: {', '.join(known)}")
    return value


def _list(value: object, what: str) -> Sequence[object]:
    if isinstance(value, list | tuple):
        return value
    raise ValueError(f"{value!r} is not a list of {what}")


def _texts(value: object, field: str, such_as: str) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and all(isinstance(one, str) and one.strip() for one in value):
        return tuple(value)
    raise ValueError(f"{f'{field}: ' if field else ''}{value!r} is not a list of texts; write {such_as}")


def _text(given: Mapping[str, Any], name: str, default: Any) -> Any:
    value = given.get(name)
    if value is None:
        return default
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError(f"{name}: {value!r} is not a text")


def _secret(given: Mapping[str, Any], name: str) -> Secret | None:
    value = given.get(name)
    if value is None or isinstance(value, Secret):
        return value
    if isinstance(value, str):
        return Secret(value)
    raise ValueError(f"{name}: is not a text or a Secret")
