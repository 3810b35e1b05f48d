"""The forms of one character, and of a text in base64, as regular expressions of bytes.

Encoders leave ASCII letters and digits as they are; every other character may be percent-encoded (RFC 3986, once or more),
HTML-escaped, JSON- or JavaScript-escaped (once or more), and any mixture of these.
"""

import re
from base64 import b64encode
from functools import lru_cache
from html.entities import codepoint2name

_ENCODED_BACKSLASH = rb"%(?:25)*5c"
_ESCAPING = rb"(?:(?<!\\)\\*+)?(?:" + _ENCODED_BACKSLASH + rb"\\*+){0,16}"
"""The backslashes before a character: all of a run, or none. The time that it takes to try a run again at each of its characters, in
each combination with what follows, would grow with the square of its length and more; pages may hold such runs."""
_AFTER_BACKSLASH = rb"(?:(?<=\\)|(?<=5c))"
_BACKSLASH = rb"(?:\\++(?:u005c|x5c)?|" + _ENCODED_BACKSLASH + rb"|&(?:amp;)*#(?:92|x5c);)"
"""One piece of a run of backslashes in some form; all that follow each other unescaped are one."""
_SEMICOLON = rb"(?:;|%(?:25)*3[bB])"
_AND = rb"(?:&|%(?:25)*26|" + _AFTER_BACKSLASH + rb"u0026)(?:amp" + _SEMICOLON + b")*"
_SYMBOL = rb"(?:[\w+/-]|%(?:25)*2[bBfF])"
_SYMBOLS = {
    ord("+"): rb"(?:[+-]|%(?:25)*2[bB]|\\+u002[bB]|&#(?:43|[xX]2[bB]);)",
    ord("/"): rb"(?:\\*/|_|%(?:25)*2[fF]|\\+u002[fF]|&#(?:47|[xX]2[fF]);)",
}


@lru_cache(1024)
def text_pattern(text: str) -> re.Pattern[bytes]:
    """Finds a text in every form, its letters in either case. Costs about a millisecond for each character that is not a letter."""
    parts: list[str] = re.findall(r"\\+|[^\\]", text)
    found = [_BACKSLASH + b"++" if one[0] == "\\" else _any_case(one) for one in parts]
    if parts[0][0] == "\\":
        # From the beginning of a run, and not all of one that is encoded: it may be much longer than the secret's.
        found[0] = rb"(?<!\\)" + _BACKSLASH + b"{1,64}+"
    return re.compile(b"".join(found), re.IGNORECASE)


@lru_cache(4096)
def character_pattern(char: str) -> re.Pattern[bytes]:
    """Finds one character in every form; or several backslashes, whose number an encoder changes."""
    if char.startswith("\\"):
        return re.compile(_BACKSLASH + b"++", re.IGNORECASE)
    return re.compile(_any_case(char), re.IGNORECASE)


def base64_patterns(text: str, whole: bool) -> list[tuple[bytes, bytes]]:
    """Finds a text inside a longer one in base64 or base64url (RFC 4648), at each of the three alignments.

    Where its bytes begin or end within a symbol, that one goes as well; and all symbols that follow, unless `text` is the `whole`
    secret. Each pattern comes with a literal that is in all that it finds.
    """
    raw = text.encode(errors="surrogatepass")
    found = []
    for shift in range(3):
        encoded = b64encode(bytes(shift) + raw)
        first, bits = -(-8 * shift // 6), 8 * (shift + len(raw))
        core = encoded[first : bits // 6]
        written = b"".join(_SYMBOLS.get(char, bytes([char])) for char in core)
        after = _SYMBOL + (b"*" if not whole else b"?" if bits % 6 else b"{0}")
        found.append((longest_run(core.decode()), (_SYMBOL if shift else b"") + written + after))
    return found


def longest_run(text: str) -> bytes:
    """The longest stretch of characters that no encoder touches."""
    runs: list[str] = re.findall("[A-Za-z0-9]*", text)
    return max(runs, key=len).encode()


def _any_case(char: str) -> bytes:
    if char.isascii():
        return _character(char)
    # `re` ignores the case of ASCII letters in bytes.
    cases = dict.fromkeys((char, char.lower(), char.upper()))
    return b"(?:" + b"|".join(b"".join(map(_character, case)) for case in cases) + b")"


def _character(char: str) -> bytes:
    if char.isascii() and char.isalnum():
        return char.encode()
    encoded = char.encode(errors="surrogatepass")
    code = ord(char)
    forms = [
        _AND + rb"(?:#|%(?:25)*23)(?:0*" + str(code).encode() + rb"|x0*" + b"%x" % code + b")" + _SEMICOLON + b"?",
    ]
    names = [codepoint2name[code]] if code in codepoint2name else ["apos"] if char == "'" else []
    forms += [_AND + name.encode() + _SEMICOLON for name in names]
    if 0x80 <= code < 0x100:
        # Pages in ISO 8859-1, and `escape()`.
        forms += [re.escape(bytes([code])), rb"%%(?:25)*%02x" % code]
    if char == " ":
        forms.append(rb"\+")
    if char == "\n":
        forms += [rb"\r\n", rb"%(?:25)*0d%(?:25)*0a"]
    # JSON (RFC 8259, 7) writes what lies beyond the first plane as two units of UTF-16.
    units = [code] if code < 0x10000 else [0xD800 + ((code - 0x10000) >> 10), 0xDC00 + ((code - 0x10000) & 0x3FF)]
    between = rb"(?:\\++|" + _ENCODED_BACKSLASH + b")"
    escapes = [between.join(b"u%04x" % unit for unit in units), rb"u\{0*%x\}" % code]
    if code < 256:
        escapes.append(b"x%02x" % code)
    if char in "\n\r\t":
        escapes.append({"\n": b"n", "\r": b"r", "\t": b"t"}[char])
    if char == "\n":
        escapes.append(b"r" + between + b"n")
    # The longest first: what follows a form is compared with the next character. The character itself begins several of them.
    forms += [b"".join(rb"%%(?:25)*%02x" % byte for byte in encoded), re.escape(encoded)]
    forms.insert(0, b"".join(rb"%%u%04x" % unit for unit in units))
    return _ESCAPING + b"(?:" + _AFTER_BACKSLASH + b"(?:" + b"|".join(reversed(escapes)) + b")|" + b"|".join(forms) + b")"
