"""Parsers of settings about runs that other machines make.

Each raises ValueError that says what is wrong with the value and what to write; the caller adds where it is written.
"""

import re
from typing import Literal, get_args
from urllib.parse import urlsplit

from runner.settings.secrets import Secret

Dispatch = Literal["local", "celery"]
SCHEMES = ("amqp", "amqps", "redis", "rediss")
EXAMPLE = "amqps://journeys@broker.example"


def parse_dispatch(value: object) -> Dispatch:
    """Where runs are made: by this process, or by workers that take them from a broker."""
    found: Dispatch | None = next((one for one in get_args(Dispatch) if one == value), None)
    if found is None:
        raise ValueError(f"{value!r} is not a way to dispatch runs; choose one of {', '.join(get_args(Dispatch))}")
    return found


def parse_broker(value: object) -> Secret:
    """The address of RabbitMQ or Redis. It is never shown, as it may hold a password."""
    text = value.reveal() if isinstance(value, Secret) else value
    if not isinstance(text, str):
        raise ValueError(f"{value!r} is not the address of a broker; write one such as '{EXAMPLE}'")
    shown = "it" if "@" in text else repr(text)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"{shown} is not the address of a broker; write one such as '{EXAMPLE}'") from None
    if parts.scheme not in SCHEMES or not parts.hostname or port == 0 or parts.query or parts.fragment:
        raise ValueError(
            f"{shown} is not the address of a broker; write amqps:// (RabbitMQ) or rediss:// (Redis), or without TLS amqp:// or redis://, "
            f"and a host: '{EXAMPLE}'"
        )
    return Secret(text)


def holds_password(value: object) -> bool:
    """Whether an address holds a password."""
    text = value.reveal() if isinstance(value, Secret) else str(value or "")
    return re.search(r"//[^/@]*:[^/@]*@", text) is not None


def parse_queue_prefix(value: object) -> str:
    """What the names of all queues begin with."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,49}", value):
        return value
    raise ValueError(f"{value!r} cannot begin the names of queues; use at most 50 letters, digits, '_' and '-'")
