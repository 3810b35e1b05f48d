"""Addresses of sites: what a browser accepts as one, and what is wrong with the others."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import urlsplit

EXAMPLE = "https://shop.example"
_SCHEME = re.compile(r"(?i)(https?)://")
_OTHER_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_BROKEN_SCHEME = re.compile(r"(?i)(https?)(:[/\\]*|[/\\]+)")
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060\ufeff]")
_FORBIDDEN = re.compile(r"[<>^|%$\\\[\]\"`{}]")
_NUMBER = re.compile(r"\d+|0[xX][0-9A-Fa-f]*")


def parse_url(value: object) -> str:
    """An absolute http or https address, such as a browser can open."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not an address; write one such as '{EXAMPLE}'")
    problem = _find_problem(value)
    if problem is not None:
        raise ValueError(f"{_shown(value)!r} is not an address: {problem}")
    return value


def parse_source_url(value: object) -> str:
    """The address of a line of a file, with `{file}` and, if wanted, `{line}` in place of both."""
    if not isinstance(value, str) or "{file}" not in value:
        raise ValueError(
            f"{value!r} does not contain {{file}}; write one such as 'https://git.example/shop/blob/main/{{file}}#L{{line}}'"
        )
    filled = value.replace("{file}", "file.py").replace("{line}", "1")
    if "{" in filled or "}" in filled:
        raise ValueError(f"{value!r} contains braces other than {{file}} and {{line}}; write other braces as %7B and %7D")
    parse_url(filled)
    return value


def _find_problem(address: str) -> str | None:
    """What is wrong with an address, and the fix; None when it is right."""
    if not address:
        return f"it is empty; write one such as '{EXAMPLE}'"
    if _UNPRINTABLE.search(address):
        return "it contains a space or another character that cannot be seen; remove it, or write it as %20 in the path"
    if not _SCHEME.match(address):
        return _find_scheme_problem(address)
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError as error:
        return f"{error}; write an IPv6 address in brackets, such as 'http://[::1]:8000'"
    if not host or (host in {"http", "https"} and parts.path.startswith("//")):
        return f"it has no host; write one such as '{EXAMPLE}'"
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        return "its port is not a number from 1 to 65535"
    return _find_host_problem(host)


def _find_scheme_problem(address: str) -> str:
    broken = _BROKEN_SCHEME.match(address)
    if broken and address[broken.end() :]:
        return f"did you mean '{broken[1].lower()}://{_shown(address)[broken.end() :]}'?"
    other = _OTHER_SCHEME.match(address)
    if other:
        return f"it begins with {other[1]}://; only http:// and https:// are opened"
    meant = f"http://{address.lstrip('/')}"
    if broken is None and address.lower() not in {"http", "https"} and _find_problem(meant) is None:
        local = re.match(r"(?i)(\d|\[|localhost\b|[^/.]+(:|/|$))", address.lstrip("/"))
        return f"it does not begin with http:// or https://; did you mean '{'http' if local else 'https'}://{_shown(address).lstrip('/')}'?"
    return f"it does not begin with http:// or https://; write one such as '{EXAMPLE}'"


def _find_host_problem(host: str) -> str | None:
    if ":" in host:
        try:
            IPv6Address(host)
        except AddressValueError:
            return f"{host!r} is not an IPv6 address"
        return None
    forbidden = _FORBIDDEN.search(host)
    if forbidden:
        return f"its host {host!r} contains {forbidden[0]!r}"
    labels = host.removesuffix(".").split(".")
    if "" in labels:
        return f"its host {host!r} has nothing between two dots"
    if _NUMBER.fullmatch(labels[-1]) and len(labels) >= 4:
        try:
            IPv4Address(".".join(labels))
        except AddressValueError:
            return f"its host {host!r} is not an IPv4 address"
    return None


def _shown(address: str) -> str:
    """The address without a password in it."""
    return re.sub(r"(//[^:@]*):.*@", r"\1:…@", address)
