"""Who sends a request, and why an attempt to sign in is refused."""

from typing import Literal

from msgspec import Struct

from reports.web.access.users_file import Role
from runner.errors import JourneyError

Way = Literal["machine", "bearer", "proxy", "token", "password", "provider"]
"""How a user has authenticated; the last three with a session."""


class Identity(Struct, frozen=True, kw_only=True):
    """An authenticated user."""

    name: str
    """Empty where the machine itself is the only user."""
    role: Role
    way: Way = "machine"
    proved_presence: bool = False
    """Whether the user has authenticated again at the provider a moment ago."""

    @property
    def signed_in(self) -> bool:
        """Whether there is a session."""
        return self.way in {"token", "password", "provider"}

    @property
    def by_header(self) -> bool:
        """Authenticated by a token in a header, which no page elsewhere can make a browser send."""
        return self.way == "bearer"


class TooManyGuesses(JourneyError):
    """Too many failed attempts; `seconds` until the next one is checked."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"too many failed attempts; try again in {seconds:.0f} s")
        self.seconds = seconds


class TooManyRequests(JourneyError):
    """More requests than are answered; `seconds` until the next one is."""

    def __init__(self, who: str, seconds: float) -> None:
        super().__init__(f"too many requests per minute by {who}; try again in {max(seconds, 1):.0f} s")
        self.seconds = seconds


class WrongGuess(JourneyError):
    """A wrong token, name or password."""
