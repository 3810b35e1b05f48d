"""Where the broker is, and its errors in words that hold no password."""

import re
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from runner.dispatch.broker.tls import describe_tls, find_hint
from runner.errors import ConfigError
from runner.settings.settings import Settings


class BrokerAddress:
    """Where the broker is. Its password, which may come with the address or on its own, is never shown."""

    def __init__(self, settings: Settings) -> None:
        """Raises ConfigError when the settings name no broker."""
        if settings.broker is None:
            raise ConfigError(
                "broker: dispatch through Celery needs a broker; set broker to an address such as 'amqps://broker.example'"
            )
        self._settings = settings
        address = settings.broker.reveal()
        parts = urlsplit(address)
        self.scheme = parts.scheme
        self._host = parts.hostname or ""
        password = settings.broker_password.reveal() if settings.broker_password else unquote(parts.password or "")
        user = unquote(parts.username or "")
        account = f"{quote(user, safe='')}:{quote(password, safe='')}@" if password or user else ""
        place = parts.netloc.rpartition("@")[2]
        self.url = f"{parts.scheme}://{account}{place}{parts.path}"
        self.shown = f"{parts.scheme}://{f'{user}@' if user else ''}{place}{parts.path}"
        """Without the password."""
        self._hidden = password

    @property
    def is_redis(self) -> bool:
        """Whether it is Redis, else RabbitMQ."""
        return self.scheme.startswith("redis")

    def describe(self, error: BaseException) -> str:
        """What is wrong with it, in words that hold no password."""
        text = re.sub(r"//[^/@\s]*@", "//", str(error))
        text = text.replace(self._hidden, "•••") if self._hidden else text
        hint = find_hint(error)
        return f"the broker {self.shown} cannot be used: {text or type(error).__name__}{f'; {hint}' if hint else ''}"

    @property
    def tls(self) -> dict[str, Any] | None:
        """How both sides know each other; None without TLS. Raises ConfigError for a file that cannot be used."""
        return describe_tls(self._settings, self.scheme, self._host)
