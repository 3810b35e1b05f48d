"""What all protocols have in common: the steps of the attempt, and reading `host:port`."""

from typing import Any

from runner.checks.steps import CallError, CheckSteps
from runner.settings.secrets import Secret


class ProtocolClient:
    """Base of the classes that checks get as `http`, `tcp`, …; one for each attempt."""

    def __init__(self, steps: CheckSteps) -> None:
        self._steps = steps

    def close(self) -> None:
        """Ends what the attempt has left open; called at its end."""


def reveal(value: Any) -> Any:
    """What is to be sent, with the texts of secrets in their place.

    >>> reveal({"user": "me", "password": Secret("oolong")})
    {'user': 'me', 'password': 'oolong'}
    """
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, dict):
        return {key: reveal(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [reveal(one) for one in value]
    return value


def parse_peer(text: str, default: int | None = None) -> tuple[str, int]:
    """Host and port of `host:port`. Raises CallError.

    >>> parse_peer("mail.example:25"), parse_peer("shop.example", 443), parse_peer("[::1]:53")
    (('mail.example', 25), ('shop.example', 443), ('::1', 53))
    """
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    elif text.count(":") > 1:
        host, port = text, ""
    else:
        host, _, port = text.partition(":")
    if not port and default is not None and host:
        return host, default
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise CallError(f"{text!r} is not a host with a port; write one such as 'mail.example:25'")
    return host, int(port)
