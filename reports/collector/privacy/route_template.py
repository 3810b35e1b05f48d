"""Route templates: the path of an address with `:id` in place of what varies.

The label `page` is made of them, so there must be few. Rules of the app go first. Then a segment is taken for an id when it, or a
part of it between dashes, dots and underscores, is a number, a UUID, a hash, a date, base64, or has many digits; when it is an e-mail
address; and when it is longer than any word.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from urllib.parse import unquote

from reports.collector.labels import OTHER

DEEPEST = 8
"""Segments of a path; what lies deeper is `*`."""
LONGEST = 40
"""Characters of a segment."""
KNOWN = 4_096
"""Paths of which the template is remembered."""

_PATH = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?(?://[^/?#]*)?([^?#;]*)", re.IGNORECASE | re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z][A-Za-z_-]{0,17}")
"""What most segments are: nothing in it has to be looked at, unless its case changes."""
_WHOLE = re.compile(
    r"""
      [+-]?[0-9]+(?:[.,][0-9]+)*                        # a number, also a year
    | \{?[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?  # a UUID
    | [0-9]{1,4}[-.][0-9]{1,2}(?:[-.][0-9]{1,4})?        # a date
    | (?=[^/]*[0-9])[0-9a-f]{6,}                         # a short hash
    | [0-9a-f]{16,}                                      # a hash without a digit
    | [A-Za-z0-9_+-]{2,}={1,2}                           # base64 with its padding
    """,
    re.IGNORECASE | re.VERBOSE,
)
_PART = re.compile(r"[0-9]{3,}|(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{5,}|[0-9a-f]{16,}", re.IGNORECASE)
_SPLIT = re.compile(r"[-_.~]+")


def path_of(address: str) -> str:
    """The path of an address, or of what is a path already; `/` where there is none."""
    found = _PATH.match(address)
    return (found[1] if found else "") or "/"


def route_template(address: str, rules: Iterable[str] = ()) -> str:
    """The route template of an address. Given a template, it gives it back.

    >>> route_template("https://shop.example/item/9f86d081884c?x=1"), route_template("/item/sencha")
    ('/item/:id', '/item/sencha')
    >>> route_template("/item/sencha", ["/item/:slug"])
    '/item/:slug'
    """
    segments = [one for one in path_of(address).split("/") if one]
    fixed = [[part for part in rule.split("/") if part] for rule in rules]
    for rule in (*(one for one in fixed if one == segments), *fixed):
        if _fits(rule, segments):
            return "/" + "/".join(rule)
    named = [_named(one) for one in segments[:DEEPEST]]
    return "/" + "/".join([*named, "*"] if len(segments) > DEEPEST else named)


def _fits(rule: list[str], segments: list[str]) -> bool:
    if rule and rule[-1] == "*":
        rule, segments = rule[:-1], segments[: len(rule) - 1]
    return len(rule) == len(segments) and all(
        wanted == found or wanted.startswith(":") for wanted, found in zip(rule, segments, strict=True)
    )


def _named(segment: str) -> str:
    if segment == ":id" or (_PLAIN.fullmatch(segment) and (segment.islower() or segment.isupper() or segment.istitle())):
        return segment
    try:
        text = unquote(segment, errors="strict") if "%" in segment else segment
    except UnicodeDecodeError:
        return ":id"
    return ":id" if is_id(text) else text


def is_id(segment: str) -> bool:
    """Whether a segment names one thing of many, as far as it shows.

    >>> [is_id(one) for one in ("42", "top10", "v2", "blue-teapot", "order-83a9f2", "dQw4w9WgXcQ", "MyAccount")]
    [True, True, False, False, True, True, False]
    """
    if len(segment) > LONGEST or "@" in segment or not all(one.isalnum() or one in "._~-" for one in segment):
        return True
    if _WHOLE.fullmatch(segment) or any(_PART.fullmatch(part) for part in _SPLIT.split(segment)):
        return True
    digits = sum(one.isdigit() for one in segment)
    if digits > 3 or (len(segment) > 3 and digits >= 0.3 * len(segment)):
        return True
    if len(segment) < 8:
        return False
    # Words written together change their case about every fifth letter, base64 at every second.
    switches = sum(one.isupper() != other.isupper() for one, other in pairwise(segment))
    return switches + digits >= 0.45 * len(segment)


class RouteTemplates:
    """The templates of one app: those of its rules, and at most `limit` others."""

    def __init__(self, rules: tuple[str, ...] = (), limit: int = 200) -> None:
        self._rules = rules
        self._limit = limit
        self._own = {route_template(rule, rules) for rule in rules}
        self._seen: set[str] = set()
        self._known: dict[str, str] = {}

    def of(self, address: str) -> str:
        """The page's label; `__other__` once there are too many, and for the rest of this process's life."""
        where = path_of(address)
        known = self._known.get(where)
        if known is None:
            known = self._of(where)
            if len(where) < 200:
                if len(self._known) >= KNOWN:
                    # Invented paths must not keep the real ones out.
                    self._known.clear()
                self._known[where] = known
        return known

    def _of(self, where: str) -> str:
        found = route_template(where, self._rules)
        if found in self._own or found in self._seen:
            return found
        if len(self._seen) >= self._limit:
            return OTHER
        self._seen.add(found)
        return found
