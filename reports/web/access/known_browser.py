"""Browsers in which a user has signed in before: a cookie shows it, so that nobody's guesses elsewhere keep the owner out.

The cookie permits nothing: the password is required and checked as ever, with a count of wrong attempts for this browser alone.
It holds a random number and a code made from it with the user's password hash, so nothing is stored, and a new password ends it.
"""

import hmac
from secrets import token_hex

from reports.web.access.users_file import User

LASTS = 180 * 86_400
"""Seconds that a browser is recognized after a sign-in."""
COOKIE = "journey-browser"
SECURE_COOKIE = "__Host-journey-browser"


def mark_browser(user: User) -> str:
    """The value of the cookie for a browser in which the user has signed in."""
    number = token_hex(16)
    return f"{number}.{_code(user, number)}"


def recognize_browser(user: User | None, cookie: str) -> str:
    """The number of the browser if the user has signed in there with the present password, else empty."""
    number, _, code = cookie[:200].partition(".")
    if user is None or not code or not hmac.compare_digest(code.encode(), _code(user, number).encode()):
        return ""
    return number


def _code(user: User, number: str) -> str:
    return hmac.new(user.credential.encode(), f"browser\0{number}".encode("utf-8", "replace"), "sha256").hexdigest()
