"""Whether a site has forgotten the session of a signed-in state: what it shows to users who are signed out.

Without such a sign, a failure is about something else, and walking the journey again in a new session would only repeat it.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from playwright.sync_api import BrowserContext
from playwright.sync_api import Error as PlaywrightError

from runner.browser.deadline import DeadlineReached, deadline
from runner.result import StepResult

PAGES = "signInPages"
"""The key in a state for the addresses at which the set-up journey was not signed in yet."""
PATIENCE = 3.0
"""Seconds in which the pages answer."""
SIGNED_OUT = frozenset({401, 403, 419, 440})
"""The HTTP statuses of a session that has expired; the last two are Laravel's and Microsoft's."""
_LOOK = """() => ({
  password: [...document.querySelectorAll("input[type=password]")].some((one) => one.getClientRects().length > 0),
  links: [...document.links].slice(0, 5000).map((one) => one.origin + one.pathname),
})"""


def sign_in_pages(steps: Sequence[StepResult], context: BrowserContext) -> list[str]:
    """The addresses, without queries, that a set-up journey has loaded, except those at which it ended."""
    ends = {_address(page.url) for page in context.pages}
    loaded = (_address(navigation.url) for step in steps for navigation in step.navigations)
    return [one for one in dict.fromkeys(loaded) if one not in ends]


def find_session_loss(context: BrowserContext, steps: Sequence[StepResult], file: Path) -> str:
    """What shows that the site no longer accepts the session of the state in `file`; empty if nothing does."""
    try:
        state = msgspec.json.decode(file.read_bytes())
        with deadline(PATIENCE):
            return next(_signs(context, steps, state), "")
    except (OSError, msgspec.DecodeError, PlaywrightError, DeadlineReached):
        return ""


def _signs(context: BrowserContext, steps: Sequence[StepResult], state: dict[str, Any]) -> Iterator[str]:
    login = set(state.get(PAGES, ()))
    for step in steps:
        for request in step.requests.failures:
            if request.status in SIGNED_OUT:
                yield f"{request.method} {request.url} was answered with {request.status}"
        for navigation in step.navigations:
            if navigation.status in SIGNED_OUT:
                yield f"{navigation.url} was answered with {navigation.status}"
            if _address(navigation.url) in login:
                yield f"{navigation.url} was shown, where one signs in"
    yield from _cookie_signs(context, state)
    for page in context.pages:
        seen = page.evaluate(_LOOK)
        if seen["password"]:
            yield f"{page.url} asks for a password"
        if login & {_address(page.url), *seen["links"]}:
            yield f"{page.url} proposes to sign in"


def _cookie_signs(context: BrowserContext, state: dict[str, Any]) -> Iterator[str]:
    now = {(one.get("name"), one.get("domain"), one.get("path")): one.get("value") for one in context.cookies()}
    for cookie in state.get("cookies", ()):
        if not cookie.get("httpOnly"):
            continue
        value = now.get((cookie["name"], cookie["domain"], cookie["path"]))
        if value != cookie["value"]:
            expired = 0 < cookie.get("expires", -1) < time.time()
            happened = "has expired" if expired else "was removed" if value is None else "was replaced by the site"
            yield f"the cookie {cookie['name']} {happened}"


def _address(url: str) -> str:
    try:
        split = urlsplit(url)
    except ValueError:
        return url
    return f"{split.scheme}://{split.netloc}{split.path}"
