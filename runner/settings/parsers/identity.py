"""Parsers of settings about an identity provider (OpenID Connect).

Each raises ValueError that says what is wrong with the value and what to write; the caller adds where it is written.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Literal, get_args
from urllib.parse import urlsplit

from runner.settings.parsers.addresses.web_address import parse_url

DashboardRole = Literal["view", "operate"]
"""What a user of the dashboard may do."""


def parse_issuer(value: object) -> str:
    """The https address of an issuer, or an http address of this machine.

    >>> parse_issuer("https://login.example/realms/staff")
    'https://login.example/realms/staff'
    """
    address = parse_url(value)
    parts = urlsplit(address)
    if parts.username is not None or parts.fragment:
        raise ValueError("is not the address of an issuer; write it without a name, a password and a fragment")
    if parts.scheme.lower() != "https" and not _is_local(parts.hostname or ""):
        raise ValueError(
            f"{address!r} is not safe: whoever is on the way could sign in as anybody; write an https address (http only for this machine)"
        )
    return address


def parse_scopes(value: object) -> tuple[str, ...]:
    """Scopes to request: a list, or a text with spaces between them."""
    scopes = _parse_words(
        value, r"[\x21\x23-\x5b\x5d-\x7e]{1,100}", "a list of scopes; write one such as ['openid', 'profile', 'groups']"
    )
    if "openid" not in scopes:
        raise ValueError(f"{value!r} lacks 'openid', without which a provider does not say who has signed in; add it")
    return scopes


def parse_claim_names(value: object) -> tuple[str, ...]:
    """Names of claims: a list, or a text with spaces between them."""
    return _parse_words(value, r"[^\s\x00-\x1f\x7f]{1,200}", "a list of claims; write one such as ['groups']")


def parse_role_table(value: object) -> dict[str, DashboardRole]:
    """The role of each value of a claim: a table, or a text such as `operators=operate, staff=view`."""
    example = "write one such as { operators = 'operate', staff = 'view' }, in the environment 'operators=operate, staff=view'"
    if isinstance(value, str):
        pairs = [one.strip().rpartition("=") for one in value.split(",") if one.strip()]
        table: Mapping[object, object] = {name.strip(): role.strip() for name, _, role in pairs}
    elif isinstance(value, Mapping):
        table = value
    else:
        raise ValueError(f"{value!r} is not a table of roles; {example}")
    roles: dict[str, DashboardRole] = {}
    for name, role in table.items():
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"{value!r} is not a table of roles; {example}")
        if role not in get_args(DashboardRole):
            raise ValueError(f"the role of {name!r} is {role!r}; choose one of {', '.join(get_args(DashboardRole))}")
        roles[name] = "operate" if role == "operate" else "view"
    if not roles:
        raise ValueError(f"names nobody, so nobody would have access; {example}")
    return roles


def _parse_words(value: object, form: str, what: str) -> tuple[str, ...]:
    words = value.split() if isinstance(value, str) else value
    if (
        not isinstance(words, list | tuple)
        or not words
        or not all(isinstance(one, str) and re.fullmatch(form, one) for one in words)
    ):
        raise ValueError(f"{value!r} is not {what}")
    return tuple(words)


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
