"""Undoes escapes of ASCII characters, which no encoder makes by itself, but a site may: `%61`, `\\u0061`, `&#97;`."""

import re
from functools import lru_cache

from runner.redaction.credentials import contains_any

_LETTER = (
    rb"(3[0-9]|4[1-9A-Fa-f]|5[0-9Aa]|6[1-9A-Fa-f]|7[0-9Aa])",
    rb"(?P<number>4[89]|5[0-7]|6[5-9]|[78][0-9]|90|9[7-9]|1[01][0-9]|12[0-2])",
)
"""The codes of letters and digits in hexadecimal, and in decimal."""
_PRINTED = (rb"([2-6][0-9A-Fa-f]|7[0-9A-Ea-e])", rb"(?P<number>3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6])")
_BACKSLASHED = (rb"\u", rb"\x", rb"\U", rb"\X")
_NUMBERED = (b"&#", b"amp;#")
_OF_ESCAPES = frozenset(rb"%\&#;{}0123456789abcdefABCDEFmpuUxX")
"""What an escape consists of: only where one of these was escaped can there be another escape."""


def unescape_letters(content: bytes) -> tuple[bytes, bool]:
    """`content` with its escaped letters and digits as they are, and whether escapes may have come of that.

    It is the same object if there were none.

    >>> unescape_letters(rb"%6f%6Fl \\u006fng %C3%A4 &#109;il&#x6B; &#x6B65;")
    (b'ool ong %C3%A4 milk &#x6B65;', True)
    """
    return _unescape(content, _LETTER)


def unescape_printed(content: bytes) -> tuple[bytes, bool]:
    """As `unescape_letters`, of every character of ASCII that is printed: those with which escapes are written are among them.

    >>> unescape_printed(rb"%5Cx6f &#38;#109; %C3%A4 %0A")
    (b'\\\\x6f &#109; %C3%A4 %0A', True)
    >>> unescape_printed(b"one%20two")
    (b'one two', False)
    """
    return _unescape(content, _PRINTED)


def _unescape(content: bytes, codes: tuple[bytes, bytes]) -> tuple[bytes, bool]:
    # `re` leaps from one sign to the next, so it is given those only with which something is escaped.
    signs = b"%" if b"%" in content else b""
    signs += b"\\" if contains_any(content, _BACKSLASHED) else b""
    signs += b"&" if contains_any(content, _NUMBERED) else b""
    if not signs:
        return content, False
    escaped = _pattern(signs, *codes)
    if not escaped.search(content):
        return content, False
    made = set()

    def undo(found: re.Match[bytes]) -> bytes:
        code = int(found[found.lastindex or 0], 10 if found.lastgroup else 16)
        made.add(code)
        return _CHARACTERS[code]

    return escaped.sub(undo, content), not _OF_ESCAPES.isdisjoint(made)


_CHARACTERS = [bytes([code]) for code in range(128)]


@lru_cache
def _pattern(signs: bytes, code: bytes, number: bytes) -> re.Pattern[bytes]:
    """Finds characters that are escaped with these signs, by these codes in hexadecimal, and numbers in decimal."""
    forms = {
        b"%": rb"%(?:25)*(?:[uU]00)?" + code,
        # All backslashes of a run: to try it from each of them would take time with the square of its length.
        b"\\": rb"\\(?<!\\\\)\\*+(?:(?:[uU]00|[xX])" + code + rb"|[uU]\{0{0,4}" + code + rb"\})",
        # `&#x4E2D;` is one character, and not `N` before `2D;`.
        b"&": rb"&(?:amp;)*#(?:[xX]0{0,6}" + code + rb"(?![0-9A-Fa-f]);?|0{0,6}" + number + rb"(?![0-9]);?)",
    }
    # Each form begins with its sign, for the same reason.
    return re.compile(b"|".join(form for sign, form in forms.items() if sign in signs))
