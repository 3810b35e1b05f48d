"""The `mailbox` that a journey gets: waits for a mail that the site has sent, and reads links and codes out of it (IMAP, RFC 9051)."""

import re
import secrets as random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from html.parser import HTMLParser
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from runner.errors import ConfigError, MailboxError
from runner.installation import install_command
from runner.network.tls_trust import tls_context
from runner.settings.duration import parse_positive_duration
from runner.settings.secrets import Secrets
from runner.untrusted_text import tamed

if TYPE_CHECKING:
    from imap_tools import BaseMailBox

SIGN_IN = "MAILBOX_PASSWORD"
"""The journey's secret that signs in."""
CONNECT = 10.0
"""Seconds that the server has for an answer."""
IDLE = 5.0
"""Seconds after which the mailbox is read again although the server has announced nothing: some forget to."""
LARGEST = 1_000_000
"""Bytes of a mail that are read."""
LARGEST_HEAD = 100_000
"""Bytes of the head of a mail; to take a list of addresses apart takes the square of its length."""
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_CODE = r"(?<![\w.-])\d{4,8}(?![\w-]|\.\d)"


class Mail(Struct, frozen=True, kw_only=True):
    """A mail as its reader sees it."""

    subject: str
    sender: str
    to: tuple[str, ...]
    text: str
    """Its text; that of its HTML, where it has no other."""
    html: str
    links: tuple[str, ...]
    """The addresses of its links, and those in its text, in order."""
    hide: Callable[[str], None] = lambda _: None

    def code(self, pattern: str = _CODE) -> str:
        """The first match in its text, or of the first group: of 4 to 8 digits, if nothing else is given. Hidden in artifacts from then on.

        Raises AssertionError where there is none.
        """
        found = re.search(pattern, self.text)
        assert found is not None, f"the mail {self.subject!r} has no code; its text begins: {tamed(self.text, 200)!r}"
        code = found[1] if found.re.groups else found[0]
        self.hide(code)
        return code

    def link(self, containing: str = "") -> str:
        """Its first link that contains a text. Raises AssertionError, with the links there are, where there is none."""
        found = next((one for one in self.links if containing in one), None)
        there_are = ", ".join(tamed(one, 200) for one in self.links[:10]) or "none"
        assert found is not None, f"the mail {self.subject!r} has no link with {containing!r}; it has: {there_are}"
        return found


class Unreadable(Struct, frozen=True):
    """A mail that cannot be taken apart. Anybody can send one, so it must not end the wait for another."""

    reason: str


class Mailbox:
    """Sees what arrives from when it is opened; `note` receives the beginning and the end of each wait, in seconds since the epoch."""

    def __init__(
        self, address: str, box: "BaseMailBox", note: Callable[[float, float], None], hide: Callable[[str], None]
    ) -> None:
        self.address = address
        """An address of this mailbox that no other run has: with a random part behind `+` (RFC 5233)."""
        self._box = box
        self._note = note
        self._hide = hide
        self._next = self._next_uid()

    def wait(
        self,
        *,
        subject: str | None = None,
        sender: str | None = None,
        to: str | None = None,
        text: str | None = None,
        timeout: str | float = "60s",
    ) -> Mail:
        """The next mail whose parts contain these texts, in either case; each mail is given once.

        `timeout` is in seconds or a text such as `"90s"`. Raises AssertionError, with what came instead, when it is over; MailboxError
        when the server is lost; ValueError for an invalid timeout.
        """
        wanted = {
            name: value.lower()
            for name, value in (("subject", subject), ("sender", sender), ("to", to), ("text", text))
            if value
        }
        end = time.monotonic() + parse_positive_duration(timeout)
        others: list[str] = []
        started = time.time()
        try:
            with _explained(self._box):
                while True:
                    for mail in self._arrived():
                        if isinstance(mail, Unreadable):
                            others.append(mail.reason)
                        elif all(value in _part(mail, name).lower() for name, value in wanted.items()):
                            return mail
                        else:
                            others.append(tamed(mail.subject, 100))
                    left = end - time.monotonic()
                    if left <= 0:
                        break
                    # With IDLE the server announces a mail when it arrives.
                    self._box.idle.wait(timeout=max(min(left, IDLE), 0.05))
        finally:
            self._note(started, time.time())
        sought = ", ".join(f"{name} {value!r}" for name, value in wanted.items()) or "any text"
        came = f"what came: {', '.join(map(repr, others))}" if others else "none came"
        raise AssertionError(f"no mail with {sought} within {parse_positive_duration(timeout):g} s; {came}")

    def _next_uid(self) -> int:
        return int(self._box.folder.status(self._box.folder.get(), ["UIDNEXT"])["UIDNEXT"])

    def _arrived(self) -> "Iterator[Mail | Unreadable]":
        """What has arrived, oldest first; each is remembered when the next is asked for."""
        # A range ends at the newest mail, and contains it also where that is older (RFC 9051, 9, seq-range).
        uids = [int(one) for one in self._box.uids(f"UID {self._next}:*") if int(one) >= self._next]
        for uid in sorted(uids):
            self._next = uid + 1
            try:
                # None where somebody has removed it meanwhile.
                for message in self._box.fetch(f"UID {uid}", mark_seen=False, bulk=False):
                    yield read_mail(message, self._hide)
            except RecursionError:
                yield Unreadable("a mail whose parts are nested too deeply")


@contextmanager
def open_mailbox(address: str, secrets: Secrets, note: Callable[[float, float], None]) -> Iterator[Mailbox]:
    """Signs in to `imaps://user@host[:port][/folder]` with the secret MAILBOX_PASSWORD.

    Raises SecretMissing without it, ConfigError without imap-tools, MailboxError when the server refuses.
    """
    if find_spec("imap_tools") is None:
        raise ConfigError(f"mailbox needs the package imap-tools; install it with: {install_command('mailbox')}")
    parts = urlsplit(address)
    user, host = unquote(parts.username or ""), parts.hostname or ""
    password = secrets[SIGN_IN].reveal()
    name, _, domain = (user if "@" in user else f"{user}@{host}").partition("@")
    with ExitStack() as stack:
        with _explained(None, host):
            box = _connect(parts.scheme, host, parts.port)
            stack.callback(_close, box)
            box.login(user, password, unquote(parts.path.strip("/")) or "INBOX")
            opened = Mailbox(f"{name}+{random.token_hex(6)}@{domain}", box, note, secrets.hide)
        yield opened


def _close(box: "BaseMailBox") -> None:
    """Ends the connection, which the server may have ended already."""
    import imaplib

    from imap_tools.errors import ImapToolsError

    with suppress(OSError, imaplib.IMAP4.error, ImapToolsError):
        box.logout()


def _connect(scheme: str, host: str, port: int | None) -> "BaseMailBox":
    from imap_tools import MailBox, MailBoxStartTls, MailBoxUnencrypted

    if scheme == "imaps":
        return MailBox(host, port or 993, timeout=CONNECT, ssl_context=tls_context())
    if host in LOOPBACK:
        return MailBoxUnencrypted(host, port or 143, timeout=CONNECT)
    return MailBoxStartTls(host, port or 143, timeout=CONNECT, ssl_context=tls_context())


@contextmanager
def _explained(box: "BaseMailBox | None", host: str = "") -> Iterator[None]:
    """Makes a MailboxError of what the library and the network raise."""
    import imaplib

    from imap_tools.errors import ImapToolsError

    try:
        yield
    except (OSError, imaplib.IMAP4.error, ImapToolsError) as error:
        where = host or (box.client.host if box is not None else "")
        reason = tamed(" ".join(str(error).split()), 300)
        raise MailboxError(
            f"the mailbox at {where} cannot be read: {reason}; see the setting mailbox and the secret {SIGN_IN}"
        ) from error


def _part(mail: Mail, name: str) -> str:
    return " ".join(mail.to) if name == "to" else str(getattr(mail, name))


def read_mail(message: Any, hide: Callable[[str], None]) -> Mail | Unreadable:
    """A mail as imap-tools has fetched it."""
    if sum(len(name) + len(str(value)) for name, value in message.obj.items()) > LARGEST_HEAD:
        return Unreadable(f"a mail whose head has more than {LARGEST_HEAD} bytes")
    try:
        return _read(message, hide)
    except Exception as error:  # noqa: BLE001 (the parsers of heads, encodings and HTML raise whatever a stranger's mail makes them)
        return Unreadable(tamed(f"a mail that cannot be read ({type(error).__name__}: {error})", 200))


def _read(message: Any, hide: Callable[[str], None]) -> Mail:
    html = str(message.html or "")[:LARGEST]
    reader = _Html()
    reader.feed(html)
    plain = str(message.text or "")[:LARGEST]
    links = [*reader.links, *re.findall(r"https?://[^\s<>\"')\]]+", plain)]
    return Mail(
        subject=message.subject,
        sender=message.from_,
        to=tuple(message.to),
        text=plain.strip() or " ".join("".join(reader.texts).split()),
        html=html,
        links=tuple(dict.fromkeys(one.rstrip(".,;:!?") for one in links)),
        hide=hide,
    )


class _Html(HTMLParser):
    """The links and the text of a mail."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.texts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in {"style", "script", "title"}
        address = dict(attrs).get("href") if tag == "a" else None
        if address and address.startswith(("http://", "https://")):
            self.links.append(address)
        self.texts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"style", "script", "title"} and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.texts.append(data)
