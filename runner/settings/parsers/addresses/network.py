"""Parsers of settings that say where to listen, what to connect to, and whose requests to trust.

Each raises ValueError that says what is wrong with the value and what to write; the caller adds where it is written.
"""

import re
from ipaddress import ip_network
from urllib.parse import urlsplit

from runner.settings.parsers.addresses.web_address import parse_url


def parse_gateway_url(value: object) -> str:
    """The address of a Pushgateway; `http://` may be left out."""
    return parse_url(f"http://{value}" if isinstance(value, str) and "://" not in value else value)


def parse_database_url(value: object) -> str:
    """The address of a SQLite or PostgreSQL database, as SQLAlchemy takes it."""
    if isinstance(value, str) and re.match(r"sqlite:///.|postgresql(\+psycopg)?://[^/]*/.", value):
        return re.sub(r"^postgresql://", "postgresql+psycopg://", value)
    shown = "it" if "@" in str(value) else repr(value)
    raise ValueError(f"{shown} is not the address of a database; write sqlite:///FILE or postgresql://USER@HOST/NAME")


def parse_listen_address(value: object) -> str:
    """A host and a port to listen on."""
    found = re.fullmatch(r"(?:\[[0-9a-f:]+\]|[\w.-]+):(\d{1,5})", value) if isinstance(value, str) else None
    if found is None or int(found[1]) > 65535:
        raise ValueError(f"{value!r} is not an address to listen on; write one such as '127.0.0.1:9464'")
    return str(value)


def parse_ingest_path(value: object) -> str:
    """The path of a URL to which browsers send."""
    if isinstance(value, str) and re.fullmatch(r"(?:/[A-Za-z0-9_.~-]+){1,8}", value):
        return value
    raise ValueError(f"{value!r} is not a path; write one such as '/v1/views'")


def parse_proxies(value: object) -> tuple[str, ...]:
    """Addresses and networks: a list, or a text with commas or spaces between them."""
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(one, str) for one in words):
        raise ValueError(f"{value!r} is not a list of networks; write one such as ['10.0.0.0/8']")
    try:
        return tuple(str(ip_network(one)) for one in words)
    except ValueError as error:
        raise ValueError(f"{error}; write addresses and networks such as ['127.0.0.1', '10.0.0.0/8']") from error


def parse_header_name(value: object) -> str:
    """The name of an HTTP header."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,63}", value):
        return value
    raise ValueError(f"{value!r} is not the name of a header; write one such as 'X-Forwarded-User'")


def parse_mailbox(value: object) -> str:
    """The address of an account of a mail server: `imaps://user@host[:port][/folder]`, without a password. Raises ValueError."""
    example = "write one such as 'imaps://monitor@mail.example'"
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not the address of a mailbox; {example}")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"it is not the address of a mailbox: {error}; {example}") from error
    if parts.password is not None:
        raise ValueError("holds a password; remove it, and set the secret MAILBOX_PASSWORD")
    if parts.scheme not in {"imaps", "imap"} or not parts.hostname or not parts.username or port == 0 or parts.query:
        raise ValueError(f"{value!r} is not the address of a mailbox; {example}")
    return value
