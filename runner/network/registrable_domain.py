"""Whose site a host belongs to: its registrable domain by the public suffix list (extra `sites`), read once where it is needed.

Reading the list takes a fifth of a second of CPU, so hosts that nothing but the list can tell apart are the only ones it is asked for.
"""

import re
from functools import lru_cache
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit


def is_list_installed() -> bool:
    """Whether registrable domains can be known."""
    return find_spec("publicsuffixlist") is not None


def host_of(address: str) -> str:
    """The host of an address in lower case, without brackets; empty if it has none.

    >>> host_of("https://WWW.Shop.example:8443/a"), host_of("http://[::1]:80/"), host_of("data:,x")
    ('www.shop.example', '::1', '')
    """
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


def site_of(host: str) -> str:
    """The registrable domain of a host, or the host itself where it has none (an IP address, `localhost`).

    Raises ModuleNotFoundError for a name of several labels where the list is not installed.
    """
    if _is_own_site(host):
        return host
    return _public_suffixes().privatesuffix(host) or host


@lru_cache(maxsize=4096)
def find_party(host: str, first: str) -> str:
    """`first` or `third`, as `host` is of the site of the host `first` or not; empty where only the list could say, and is missing.

    >>> find_party("cdn.shop.example", "shop.example"), find_party("ads.test", "shop.example"), find_party("::1", "::1")
    ('first', 'third', 'first')
    """
    if host == first or (not _is_own_site(first) and host.endswith(f".{first}") and "." in first):
        return "first"
    if _is_own_site(host) or _is_own_site(first) or host.split(".")[-2:] != first.split(".")[-2:]:
        # A registrable domain has two labels or more.
        return "third"
    if not is_list_installed():
        return ""
    return "first" if site_of(host) == site_of(first) else "third"


def _is_own_site(host: str) -> bool:
    return ":" in host or "." not in host or re.fullmatch(r"[\d.]+", host) is not None


@lru_cache(maxsize=1)
def _public_suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
