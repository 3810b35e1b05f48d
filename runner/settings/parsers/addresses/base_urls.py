"""The addresses that runs on demand may be made against: patterns of a setting, and whether an address matches one."""

import re
from urllib.parse import SplitResult, urlsplit

from runner.settings.parsers.addresses.web_address import parse_url

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9.*_-]+|[0-9a-f:.]+")
_PLAIN = re.compile(r"[!-~]+")
"""Printable ASCII: what looks like one address must not be read as another."""


def parse_base_url_patterns(value: object) -> tuple[str, ...]:
    """Patterns such as `https://*.staging.shop.example`, as a list or separated by spaces. Raises ValueError."""
    listed = value.split() if isinstance(value, str) else value
    if not isinstance(listed, list | tuple):
        raise ValueError(f"{value!r} is not a list of addresses; write one such as ['https://*.staging.shop.example']")
    return tuple(_parse_pattern(one) for one in listed)


def _parse_pattern(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not an address; write one such as 'https://*.staging.shop.example'")
    parse_url(value.replace("*", "x"))
    parts = urlsplit(value)
    host = parts.hostname or ""
    if "@" in parts.netloc or parts.query or parts.fragment or not _PLAIN.fullmatch(value) or not _HOST.fullmatch(host):
        raise ValueError(f"{value!r}: a pattern has a scheme, a host, and if wanted a port and a path; nothing else")
    if "*" in parts.path or "*" in "".join(host.split(".")[-2:]):
        raise ValueError(
            f"{value!r}: `*` is for a part of the host before its last two, such as in 'https://*.staging.shop.example'"
        )
    return value


def is_allowed_base_url(address: str, patterns: tuple[str, ...]) -> bool:
    """Whether an address is that of a pattern, or below it. One with a user, a query or a fragment never is.

    >>> is_allowed_base_url("https://pr-7.staging.shop.example/", ("https://*.staging.shop.example",))
    True
    """
    try:
        parts = urlsplit(parse_url(address))
    except ValueError:
        return False
    if not _PLAIN.fullmatch(address) or "@" in parts.netloc or "\\" in address or parts.query or parts.fragment:
        return False
    return any(_matches(parts, urlsplit(pattern)) for pattern in patterns)


def _matches(parts: SplitResult, pattern: SplitResult) -> bool:
    if parts.scheme.lower() != pattern.scheme.lower() or _port(parts) != _port(pattern):
        return False
    host = re.escape((pattern.hostname or "").rstrip(".")).replace(r"\*", "[^.]+")
    if not re.fullmatch(host, (parts.hostname or "").rstrip(".")):
        return False
    folder, path = pattern.path.rstrip("/"), parts.path
    # A browser resolves these, also in their encoded form.
    if any(one in {".", ".."} for one in path.lower().replace("%2e", ".").split("/")):
        return False
    return path.rstrip("/") == folder or path.startswith(f"{folder}/")


def _port(parts: SplitResult) -> int | None:
    return parts.port or _PORTS.get(parts.scheme.lower())
