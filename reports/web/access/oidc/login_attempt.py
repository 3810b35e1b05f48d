"""An attempt to sign in: begun in a browser, which goes to the provider and comes back.

The browser's cookie holds a random key. From it come the state, the nonce and the code verifier, none of which reveals the key or
another of them: what the provider sends back is thereby bound to the browser in which the attempt was begun (OpenID Connect Core,
15.5.2), and the server keeps nothing until then.
"""

import hmac
from base64 import urlsafe_b64encode
from secrets import token_urlsafe
from urllib.parse import quote, unquote

from msgspec import Struct

LASTS = 600
"""Seconds from the beginning until the browser must be back."""
COOKIE = "journey-attempt"
SECURE_COOKIE = "__Host-journey-attempt"
LONGEST_TARGET = 2_000
"""Characters of an encoded address to return to; a cookie has at most 4,096 (RFC 6265, 6.1)."""


class LoginAttempt(Struct, frozen=True):
    """One attempt; `to` is where the user wanted to go."""

    key: str
    begun: int
    to: str = "/"
    again: bool = False
    """Whether somebody who has signed in is asked to do so again, as proof of presence."""

    @property
    def cookie(self) -> str:
        """Its form in the browser."""
        return f"{self.key}.{self.begun}.{int(self.again)}.{quote(self.to, safe='')}"

    @property
    def state(self) -> str:
        """What the provider sends back with its answer."""
        return self._derive("state")

    @property
    def nonce(self) -> str:
        """What the ID token must contain."""
        return self._derive("nonce")

    @property
    def verifier(self) -> str:
        """What proves to the provider that the code comes from here (RFC 7636, 4.1)."""
        return self._derive("verifier")

    def _derive(self, purpose: str) -> str:
        text = f"{purpose}\0{self.begun}\0{int(self.again)}\0{self.to}"
        return urlsafe_b64encode(hmac.digest(self.key.encode(), text.encode(), "sha256")).decode().rstrip("=")


def begin_attempt(to: str, now: float, again: bool = False) -> LoginAttempt:
    """A new attempt. A very long address to return to is not kept."""
    return LoginAttempt(token_urlsafe(32), int(now), to if len(quote(to, safe="")) <= LONGEST_TARGET else "/", again)


def restore_attempt(cookie: str, now: float) -> LoginAttempt | None:
    """The attempt of a browser's cookie; None if there is none, or it has taken too long.

    >>> attempt = begin_attempt("/runs?status=failed", 1000.0)
    >>> restore_attempt(attempt.cookie, 1600.0) == attempt, restore_attempt(attempt.cookie, 1601.0)
    (True, None)
    """
    key, _, rest = cookie.partition(".")
    begun, _, rest = rest.partition(".")
    again, dot, to = rest.partition(".")
    if not dot or len(key) < 43 or not (begun.isascii() and begun.isdecimal()) or len(begun) > 12 or again not in {"0", "1"}:
        return None
    if not cookie.isascii() or not 0 <= now - int(begun) <= LASTS:
        return None
    return LoginAttempt(key, int(begun), unquote(to), again == "1")
