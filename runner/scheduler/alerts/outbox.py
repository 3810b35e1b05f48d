"""Sends stored messages in a thread of its own, each again and again until it arrives."""

import logging
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib.util import find_spec
from typing import Any

from runner.errors import ConfigError
from runner.installation import install_command
from runner.settings.secrets import Secret
from runner.store import Store, StoreDown

PAUSE = 5.0
"""Seconds until messages that could not be sent are tried again; doubled after each failure, up to LONGEST."""
LONGEST = 600.0
GIVE_UP = timedelta(hours=24)
log = logging.getLogger("journey.alerts")


class _Statuses(logging.Handler):
    """Keeps the HTTP status of a failure, and nothing else of Apprise's records: they hold addresses with their passwords."""

    def __init__(self) -> None:
        super().__init__()
        self.newest = 0

    def emit(self, record: logging.LogRecord) -> None:
        found = re.search(r"\berror=(\d{3})\b", record.getMessage())
        self.newest = int(found[1]) if found else self.newest


class Outbox:
    """Sends the messages stored for these addresses, which are Apprise's (`mailto://…`, `slack://…`, `json://…`).

    A message is marked when it has been sent. If the process ends in between, the message is sent again: rather twice than
    never. Raises ConfigError for an address that Apprise does not know, or when it is not installed.
    """

    def __init__(self, urls: tuple[Secret, ...], store: Store) -> None:
        self._store = store
        self._statuses = _Statuses()
        self._senders = {name_of(url): _sender(url) for url in urls}
        if urls:
            logging.getLogger("apprise").handlers = [self._statuses]
        self._changed = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)
        self._thread.start()

    @property
    def targets(self) -> tuple[str, ...]:
        """The names under which messages for the addresses are stored."""
        return tuple(self._senders)

    def wake(self) -> None:
        """Makes the thread look for messages."""
        self._changed.set()

    def stop(self, timeout: float) -> None:
        """Sends waiting messages once more, for at most `timeout` seconds."""
        self._stopping = True
        self._changed.set()
        self._thread.join(timeout)

    def _work(self) -> None:
        pause = PAUSE
        while True:
            self._changed.clear()
            try:
                done = self._send_all()
            except StoreDown as error:
                log.warning("%s", error)
                done = False
            pause = PAUSE if done else min(pause * 2, LONGEST)
            if self._stopping:
                return
            self._changed.wait(LONGEST if done else pause)

    def _send_all(self) -> bool:
        """Sends all waiting messages once; True when all were sent."""
        done = True
        for message in self._store.alerts.unsent(self.targets):
            began = time.monotonic()
            self._statuses.newest = 0
            # A page under test may have written part of the body: it is text, also where a service shows HTML or Markdown.
            if self._senders[message.target].notify(
                title=message.title,
                body=message.body or message.title,
                body_format="text",
                notify_type="failure" if message.bad else "success",
            ):
                self._store.alerts.mark_sent(message.id, datetime.now(UTC))
                log.info("sent in %.1f s: %s", time.monotonic() - began, message.title)
            elif datetime.now(UTC) - message.made_at > GIVE_UP:
                log.error("given up after a day: %s", message.title)
                self._store.alerts.mark_sent(message.id, datetime.now(UTC))
            else:
                log.warning("could not be sent%s, tried again later: %s", _explain(self._statuses.newest), message.title)
                done = False
        return done


def _explain(status: int) -> str:
    """Why a service did not accept a message, as far as its status says."""
    if 300 <= status < 400:
        return (
            f" (the service redirects, status {status}, and redirects are not followed: set the address of alert_urls to the one that it "
            "names, or add redirect=yes to it)"
        )
    return f" (status {status})" if status else ""


def name_of(url: Secret) -> str:
    """The name of an address in the store, which does not reveal the address."""
    return sha256(url.reveal().encode()).hexdigest()[:16]


def _sender(url: Secret) -> Any:
    if find_spec("apprise") is None:
        raise ConfigError(f"alert_urls needs the package apprise; install it with: {install_command('alerts')}")
    import apprise

    # Its records hold addresses with their passwords; what went wrong is logged here, by the message's title.
    logging.getLogger("apprise").propagate = False
    # A redirect is not followed: what is sent is not meant for another address.
    sender = apprise.Apprise(asset=apprise.AppriseAsset(http_redirects=False))
    if not sender.add(url.reveal()):
        scheme = url.reveal().partition("://")[0]
        raise ConfigError(f"alert_urls: Apprise does not know addresses that begin with {scheme!r}; see its list of services")
    return sender
