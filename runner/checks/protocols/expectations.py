"""What an answer is expected to hold: a text, or a compiled regular expression."""

import re
from collections.abc import Sequence

from runner.checks.failures import CallFailed, quote

Expected = str | re.Pattern[str]


def holds(found: str, expected: Expected) -> bool:
    """Whether a text holds what is expected.

    >>> holds("220 mail ESMTP", "ESMTP"), holds("220 mail ESMTP", re.compile("^220 "))
    (True, True)
    """
    return expected in found if isinstance(expected, str) else expected.search(found) is not None


def require_text(found: str, expected: Expected | Sequence[Expected] | None, where: str, cut: bool = False) -> None:
    """Raises CallFailed when a text lacks something that is expected; `cut`: only its beginning was read."""
    wanted = [] if expected is None else [expected] if isinstance(expected, str | re.Pattern) else list(expected)
    for one in wanted:
        if not holds(found, one):
            end = ", of which only the beginning was read" if cut else ""
            raise CallFailed("assertion", f"{where} does not contain {describe(one)}{end}; it is {quote(found)}")


def describe(expected: Expected) -> str:
    """What is expected, in a message."""
    return repr(expected) if isinstance(expected, str) else f"a match of {expected.pattern!r}"
