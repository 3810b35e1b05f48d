"""Undoes escapes of ASCII characters, which no encoder makes by itself, but a site may: `%61`, `\\u0061`, `&#97;`."""

import re

from runner.redaction.credentials import contains_any


def _compile(code: bytes, number: bytes) -> re.Pattern[bytes]:
    """Finds characters that are escaped by these codes in hexadecimal, and numbers in decimal."""
    # One class at the beginning: `re` leaps from one such character to the next.
    return re.compile(
        rb"[%\\&](?:"
        rb"(?<=%)(?:25)*(?:[uU]00)?"
        + code
        +
        # All backslashes of a run: to try it from each of them would take time with the square of its length.
        rb"|(?<=\\)(?<!\\\\)\\*+(?:(?:[uU]00|[xX])"
        + code
        + rb"|[uU]\{0{0,4}"
        + code
        + rb"\})"
        # `&#x4E2D;` is one character, and not `N` before `2D;`.
        rb"|(?<=&)(?:amp;)*#[xX]0{0,6}" + code + rb"(?![0-9A-Fa-f]);?|(?<=&)(?:amp;)*#0{0,6}" + number + rb"(?![0-9]);?)"
    )


_LETTERS = _compile(
    rb"(3[0-9]|4[1-9A-Fa-f]|5[0-9Aa]|6[1-9A-Fa-f]|7[0-9Aa])", rb"(4[89]|5[0-7]|6[5-9]|[78][0-9]|90|9[7-9]|1[01][0-9]|12[0-2])"
)
_PRINTED = _compile(rb"([2-6][0-9A-Fa-f]|7[0-9A-Ea-e])", rb"(3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6])")
_SIGNS = (b"%", b"\\u", b"\\x", b"\\U", b"\\X", b"&#", b"&amp;")


def unescape_letters(content: bytes) -> bytes:
    """`content` with its escaped letters and digits as they are; the same object if there were none.

    >>> unescape_letters(rb"%6f%6Fl \\u006fng %C3%A4 &#109;il&#x6B; &#x6B65;")
    b'ool ong %C3%A4 milk &#x6B65;'
    """
    return _unescape(content, _LETTERS)


def unescape_printed(content: bytes) -> bytes:
    """As `unescape_letters`, of every character of ASCII that is printed: those with which escapes are written are among them.

    >>> unescape_printed(rb"%5Cx6f &#38;#109; %C3%A4 %0A")
    b'\\\\x6f &#109; %C3%A4 %0A'
    """
    return _unescape(content, _PRINTED)


def _unescape(content: bytes, escaped: re.Pattern[bytes]) -> bytes:
    if not contains_any(content, _SIGNS) or not escaped.search(content):
        return content
    return escaped.sub(_character, content)


def _character(found: re.Match[bytes]) -> bytes:
    group = found.lastindex or 0
    return bytes([int(found[group], 10 if group == 5 else 16)])
