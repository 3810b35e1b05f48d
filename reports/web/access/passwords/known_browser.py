"""Browsers in which a user has signed in before: a cookie shows it, so that nobody's guesses elsewhere keep the owner out.

The cookie permits nothing: the password is required and checked as ever, with a count of wrong attempts for this browser alone.
It holds a random number, the time of the sign-in, and a code made from both with the user's password hash: so nothing is stored, a new
password ends it, and it ends after 180 days wherever it is kept.
"""

import hmac
from secrets import token_hex

from reports.web.access.users_file import User

LASTS = 180 * 86_400
"""Seconds that a browser is recognized after a sign-in."""
COOKIE = "journey-browser"
SECURE_COOKIE = "__Host-journey-browser"


def mark_browser(user: User, now: float) -> str:
    """The value of the cookie for a browser in which the user has signed in at `now`, in seconds since the epoch."""
    number, at = token_hex(16), int(now)
    return f"{number}.{at}.{_code(user, number, str(at))}"


def recognize_browser(user: User | None, cookie: str, now: float) -> str:
    """The number of the browser if the user has signed in there with the present password, in the last 180 days; else empty."""
    number, _, rest = cookie[:200].partition(".")
    at, _, code = rest.partition(".")
    if user is None or not code or not hmac.compare_digest(code.encode(), _code(user, number, at).encode()):
        return ""
    # Only we can have written the time.
    return number if now - int(at) <= LASTS else ""


def _code(user: User, number: str, at: str) -> str:
    return hmac.new(user.credential.encode(), f"browser\0{number}\0{at}".encode("utf-8", "replace"), "sha256").hexdigest()
