"""Undoes escapes of ASCII letters and digits, which no encoder makes by itself, but a site may: `%61`, `\\u0061`, `&#97;`."""

import re

from runner.redaction.credentials import contains_any

_CODE = rb"(3[0-9]|4[1-9A-Fa-f]|5[0-9Aa]|6[1-9A-Fa-f]|7[0-9Aa])"
_NUMBER = rb"(4[89]|5[0-7]|6[5-9]|[78][0-9]|90|9[7-9]|1[01][0-9]|12[0-2])"
# One class at the beginning: `re` leaps from one such character to the next.
_ESCAPED = re.compile(
    rb"[%\\&](?:"
    rb"(?<=%)(?:25)*(?:[uU]00)?"
    + _CODE
    +
    # All backslashes of a run: to try it from each of them would take time with the square of its length.
    rb"|(?<=\\)(?<!\\\\)\\*+(?:(?:[uU]00|[xX])"
    + _CODE
    + rb"|u\{0{0,4}"
    + _CODE
    + rb"\})"
    rb"|(?<=&)(?:amp;)*#[xX]0{0,6}" + _CODE + rb";?|(?<=&)(?:amp;)*#0{0,6}" + _NUMBER + rb"(?![0-9]);?)"
)
_SIGNS = (b"%", b"\\u", b"\\x", b"\\U", b"\\X", b"&#", b"&amp;")


def unescape_letters(content: bytes) -> bytes:
    """`content` with its escaped letters and digits as they are; the same object if there were none.

    >>> unescape_letters(rb"%6f%6Fl \\u006fng %C3%A4 &#109;il&#x6B;")
    b'ool ong %C3%A4 milk'
    """
    if not contains_any(content, _SIGNS) or not _ESCAPED.search(content):
        return content
    return _ESCAPED.sub(_letter, content)


def _letter(found: re.Match[bytes]) -> bytes:
    group = found.lastindex or 0
    return bytes([int(found[group], 10 if group == 5 else 16)])
