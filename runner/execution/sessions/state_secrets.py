"""Which values of a signed-in state are secrets: what can be a token, and no drawing, draft or setting."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

SHORTEST, LONGEST = 8, 8_192
"""Characters of a token; a shorter text may be any word, a longer one is something else."""
MANY = 500
"""Values of a state that are secrets, at most."""
TOTAL = 1_000_000
"""Characters of all of them."""
DEPTH = 8
_TOKEN = re.compile(r"[^\s<>{}\"]+")
_URL = re.compile(r"[a-z][a-z0-9+.-]*:(//|image/|font/)", re.IGNORECASE)
_anything = msgspec.json.Decoder()


def tokens(state: Any) -> list[str]:
    """The values of a state, as `browser_storage` saves it, that could sign somebody in. Cookies come first."""
    if not isinstance(state, dict):
        return []
    found: dict[str, None] = {}
    size = 0
    for value in _candidates(state):
        if value not in found and len(found) < MANY and size + len(value) <= TOTAL:
            found[value] = None
            size += len(value)
    return list(found)


def _candidates(state: dict[str, Any]) -> Iterator[str]:
    for cookie in state.get("cookies", ()):
        value = cookie.get("value", "")
        if len(value) >= SHORTEST and (cookie.get("httpOnly") or is_token(value)):
            yield value
    for origin in state.get("origins", ()):
        for entry in origin.get("localStorage", ()):
            yield from _leaves(entry.get("value"))
        for database in origin.get("indexedDB", ()):
            for store in database.get("stores", ()):
                yield from _leaves(store.get("records"))
    for entries in state.get("sessionStorage", {}).values():
        for _, value in entries:
            yield from _leaves(value)


def _leaves(value: Any, depth: int = DEPTH) -> Iterator[str]:
    """The tokens in a decoded value; in the JSON of a text too."""
    if isinstance(value, str):
        if is_token(value):
            yield value
        elif depth and value[:1] in {"{", "["}:
            try:
                yield from _leaves(_anything.decode(value.encode(errors="replace")), depth - 1)
            except (msgspec.DecodeError, RecursionError):
                return
    elif depth and isinstance(value, dict):
        for one in value.values():
            yield from _leaves(one, depth - 1)
    elif depth and isinstance(value, list):
        for one in value:
            yield from _leaves(one, depth - 1)


def is_token(text: str) -> bool:
    """Whether a text could be a token.

    >>> [is_token(text) for text in ("c2lkOjE3MzQ-x", "dark-mode", "https://shop.example/a1", "two words 12", "2026-08-01T12:00:00Z")]
    [True, False, False, False, False]
    """
    if not SHORTEST <= len(text) <= LONGEST or not _TOKEN.fullmatch(text) or _URL.match(text):
        return False
    letters, digits = sum(map(str.isalpha, text)), sum(map(str.isdigit, text))
    return letters > 2 and (digits > 0 or len(text) >= 20)
