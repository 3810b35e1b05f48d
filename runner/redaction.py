"""Takes secret texts and credentials out of everything that is kept.

A secret is found verbatim, URL-encoded (RFC 3986, once or more), HTML-escaped, JSON- or JavaScript-escaped (once or more), in
any mixture of these, and inside base64 and base64url (RFC 4648) at each of the three alignments. Credentials are found
without being declared: the values of credential headers and cookies, user and password in an address, bearer tokens, JSON Web
Tokens (RFC 7519).
"""

import gzip
import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable
from html.entities import codepoint2name
from typing import Any

import msgspec
from msgspec import Struct

from runner.untrusted_text import decode_json, encode_json

HIDDEN = "•••"
SHORTEST = 4
"""Characters; a shorter secret stands by chance in any file, and cannot be told from what is not one."""

CREDENTIALS = {
    *("authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "apikey", "x-auth-token"),
    *("x-access-token", "x-csrf-token", "x-xsrf-token", "x-session-token", "x-amz-security-token", "x-goog-api-key"),
    *("x-vault-token", "private-token"),
}
"""Headers whose value is a credential, in lower case."""
OWN_KEYS = {
    *("run", "id", "callId", "parentId", "pageId", "pageref", "frameId", "_frameref", "guid", "type", "kind", "status"),
    *("clock", "cause", "ended_by", "path", "_file", "sha1", "_sha1"),
}
"""Keys whose values are made by the runner or by Playwright: names and references that must stay as they are."""

_HEADER_NAMES = "|".join(sorted(CREDENTIALS))
_STRUCTURED = [word.encode() for word in (*CREDENTIALS, "cookies", "localstorage", "httpcredentials", "base64")]
"""What a JSON document has to hold, in lower case, before its keys matter."""
_LOOKS = (
    # What is in all that the pattern matches, one of them in any case; the pattern; what stays of it.
    # user:password@ of an address (RFC 3986, 3.2.1)
    ((b"@",), rb"(://)[^/?#\s:@\"'<>\\]+:[^/?#\s@\"'<>\\]+(?=@)", rb"\1" + HIDDEN.encode()),
    # JSON Web Token, RFC 7519; its first part is always an object in base64url, which begins so
    ((b".eyj",), rb"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*", HIDDEN.encode()),
    # RFC 7617 and RFC 6750
    ((b"bearer", b"basic"), rb"\b([Bb]earer|[Bb]asic)(\s+|%20|\+)[\w+/.~-]{8,}=*", rb"\1\2" + HIDDEN.encode()),
    # A header written as a line of text, as in the log of an API request.
    (
        tuple(name.encode() for name in CREDENTIALS),
        rf"(?im)^([ \t]*(?:{_HEADER_NAMES})[ \t]*:[ \t]*)[^\r\n]+".encode(),
        rb"\1" + HIDDEN.encode(),
    ),
)
GZIP = b"\x1f\x8b"
ZSTANDARD = b"\x28\xb5\x2f\xfd"
UNREADABLE = b"this body was compressed in a way that cannot be searched for secrets, and was not kept"


class _Form(Struct, frozen=True):
    """One form of a secret. `literal` is in all that `pattern` matches: where it is not, nothing has to be searched."""

    length: int
    literal: bytes
    pattern: re.Pattern[bytes]


class Redactor:
    """What is to be hidden, and how: one for each run.

    >>> redactor = Redactor(["oolong & milk"])
    >>> redactor.text("pw=oolong%20%26+milk, b29sb25nICYgbWlsaw==, oolong &amp; milk")
    'pw=•••, •••==, •••'
    >>> redactor.json(b'{"name": "Cookie", "value": "sid=1"}')
    b'{"name":"Cookie","value":"sid=\\xe2\\x80\\xa2\\xe2\\x80\\xa2\\xe2\\x80\\xa2"}'
    """

    def __init__(self, secrets: Iterable[str] = (), patterns: Iterable[str] = ()) -> None:
        self._secrets: dict[str, None] = {}
        self._patterns = [re.compile(pattern.encode()) for pattern in patterns]
        self._forms: list[_Form] = []
        for secret in secrets:
            self.hide(secret)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret texts."""
        return tuple(self._secrets)

    def hide(self, secret: str) -> None:
        """Adds a secret; of one with several lines, its longer lines too. One that is shorter than SHORTEST is left out."""
        lines = [line.strip() for line in secret.splitlines()] if "\n" in secret.strip() else []
        for text in (secret.strip(), *(line for line in lines if len(line) >= 2 * SHORTEST)):
            if len(text) >= SHORTEST and text not in self._secrets:
                self._secrets[text] = None
                # The longest first: where one secret is the beginning of another, nothing of the other may stay.
                self._forms = sorted([*self._forms, *_forms(text)], key=lambda form: -form.length)

    def holds_secret(self, text: str | bytes) -> bool:
        """Whether a declared secret is in `text`, in any of its forms."""
        content = text.encode(errors="surrogatepass") if isinstance(text, str) else text
        return any(form.literal in content and form.pattern.search(content) for form in self._forms)

    def text(self, text: str) -> str:
        """`text` with everything hidden."""
        raw = text.encode(errors="surrogatepass")
        clean = self.raw(raw)
        return text if clean is raw else clean.decode(errors="surrogatepass")

    def raw(self, content: bytes) -> bytes:
        """`content`, in any encoding that has ASCII in it, with everything hidden; the same object if there was nothing."""
        clean = content
        for form in self._forms:
            if form.literal in content:
                clean = form.pattern.sub(HIDDEN.encode(), clean)
        for pattern in self._patterns:
            clean = pattern.sub(HIDDEN.encode(), clean)
        lowered = clean.lower()
        for literals, pattern, replacement in _COMPILED:
            if any(literal in lowered for literal in literals):
                clean = pattern.sub(replacement, clean)
        return content if clean == content else clean

    def body(self, content: bytes) -> bytes:
        """The body of a request or an answer, compressed or not; the same object if there was nothing to hide."""
        if content.startswith(ZSTANDARD):
            return UNREADABLE
        if content.startswith(GZIP):
            try:
                plain = gzip.decompress(content)
            except (OSError, EOFError, zlib.error):
                return UNREADABLE
            clean = self.raw(plain)
            return content if clean is plain else gzip.compress(clean, mtime=0)
        return self.raw(content)

    def json(self, document: bytes) -> bytes:
        """One JSON value with everything hidden in its strings, its structure kept; the same object if there was nothing.

        Raises msgspec.DecodeError when it has to be read and is no JSON.
        """
        if not self._patterns and self.raw(document) is document:
            lowered = document.lower()
            if not any(word in lowered for word in _STRUCTURED):
                return document
        return encode_json(self.value(decode_json(document, _anything)))

    def value(self, value: Any, key: str = "") -> Any:
        """A decoded JSON value with everything hidden in its strings; `key` is the key that it stands under."""
        if isinstance(value, str):
            return value if key in OWN_KEYS or key.endswith("_at") else self.text(value)
        if isinstance(value, list):
            if key in {"cookies", "localStorage"}:
                value = [{**one, "value": HIDDEN} if isinstance(one, dict) and "value" in one else one for one in value]
            return [self.value(one, key) for one in value]
        if isinstance(value, dict):
            return self._object(value, key)
        if isinstance(value, int) and not isinstance(value, bool) and str(value) in self._secrets:
            return 0
        return value

    def _object(self, found: dict[str, Any], key: str) -> dict[str, Any]:
        name, text = found.get("name"), found.get("value")
        if isinstance(name, str) and isinstance(text, str) and name.lower() in CREDENTIALS:
            found = {**found, "value": _hide_header(name.lower(), text)}
        if key == "httpCredentials" and "password" in found:
            found = {**found, "password": HIDDEN}
        if found.get("encoding") == "base64" and isinstance(found.get("text"), str):
            found = {**found, "text": b64encode(self.body(b64decode(found["text"]))).decode()}
        return {
            self.text(one): _hide_header(one.lower(), inner)
            if one.lower() in CREDENTIALS and isinstance(inner, str)
            else inner
            if one == "text" and found.get("encoding") == "base64"
            else self.value(inner, one)
            for one, inner in found.items()
        }


class _HidesNothing(Redactor):
    """For a run whose redaction is off."""

    def hide(self, secret: str) -> None:
        """Nothing is hidden."""

    def raw(self, content: bytes) -> bytes:
        """The content as it is."""
        return content

    def json(self, document: bytes) -> bytes:
        """The document as it is."""
        return document


NOTHING: Redactor = _HidesNothing()
"""A redactor that leaves everything as it is."""


def _hide_header(name: str, value: str) -> str:
    """A credential header's value, of which only the scheme, or the names and attributes of cookies, are left."""
    if name == "cookie":
        return "; ".join(f"{part.partition('=')[0].strip()}={HIDDEN}" for part in value.split(";"))
    if name == "set-cookie":
        lines = []
        for line in value.split("\n"):
            first, semicolon, attributes = line.partition(";")
            lines.append(f"{first.partition('=')[0]}={HIDDEN}{semicolon}{attributes}")
        return "\n".join(lines)
    scheme = re.match(r"(?i)(basic|bearer|digest|negotiate)\s+", value)
    return f"{scheme[0] if scheme else ''}{HIDDEN}"


_BACKSLASH = rb"(?:\\|%(?:25)*5[cC])"
_SEMICOLON = rb"(?:;|%(?:25)*3[bB])"
_AND = rb"(?:&|%(?:25)*26|\\+u0026)(?:amp" + _SEMICOLON + b")*"


def _forms(secret: str) -> list[_Form]:
    """The forms that a secret can have in a file."""
    plain = b"".join(map(_character, secret))
    return [_form(secret, _longest_run(secret), plain), *_base64(secret)]


def _form(secret: str, literal: bytes, pattern: bytes) -> _Form:
    return _Form(length=len(secret), literal=literal, pattern=re.compile(pattern))


def _longest_run(text: str) -> bytes:
    """The longest stretch of characters that no encoder touches."""
    runs: list[str] = re.findall("[A-Za-z0-9]*", text)
    return max(runs, key=len).encode()


def _character(char: str) -> bytes:
    """A regular expression of the forms of one character. Encoders leave ASCII letters and digits as they are."""
    if char.isascii() and char.isalnum():
        return char.encode()
    encoded = char.encode(errors="surrogatepass")
    code = ord(char)
    forms = [
        re.escape(encoded),
        b"".join(rb"%(?:25)*" + _hex(byte, 2) for byte in encoded),
        _AND + rb"(?:#|%(?:25)*23)(?:0*" + str(code).encode() + rb"|[xX]0*" + _hex(code, 1) + b")" + _SEMICOLON,
    ]
    names = [codepoint2name[code]] if code in codepoint2name else ["apos"] if char == "'" else []
    forms += [_AND + name.encode() + _SEMICOLON for name in names]
    if char == " ":
        forms.append(rb"\+")
    if char == "\n":
        forms += [rb"\r\n", rb"%0[dD]%0[aA]"]
    # JSON (RFC 8259, 7) writes what lies beyond the first plane as two units of UTF-16.
    units = [code] if code < 0x10000 else [0xD800 + ((code - 0x10000) >> 10), 0xDC00 + ((code - 0x10000) & 0x3FF)]
    escapes = [b"".join(_BACKSLASH + b"+u" + _hex(unit, 4) for unit in units)]
    if code < 256:
        escapes.append(_BACKSLASH + b"+x" + _hex(code, 2))
    if char in "\n\r\t":
        escapes.append(_BACKSLASH + b"+" + {"\n": b"n", "\r": b"r", "\t": b"t"}[char])
    if char == "\n":
        escapes.append(_BACKSLASH + b"+r" + _BACKSLASH + b"+n")
    return b"(?:" + b"|".join([_BACKSLASH + b"*(?:" + b"|".join(forms) + b")", *escapes]) + b")"


def _hex(number: int, digits: int) -> bytes:
    return b"".join(
        f"[{digit}{digit.upper()}]".encode() if digit.isalpha() else digit.encode() for digit in f"{number:0{digits}x}"
    )


def _base64(secret: str) -> list[_Form]:
    """The secret inside a longer text in base64. Where its bytes begin or end within a character, that one goes as well."""
    raw = secret.encode(errors="surrogatepass")
    forms = []
    symbol = rb"(?:[\w+/-]|%2[bBfF])"
    for shift in range(3):
        encoded = b64encode(bytes(shift) + raw)
        first, bits = -(-8 * shift // 6), 8 * (shift + len(raw))
        core = encoded[first : bits // 6]
        written = b"".join(_SYMBOLS.get(char, bytes([char])) for char in core)
        pattern = (symbol if shift else b"") + written + (symbol + b"?" if bits % 6 else b"")
        forms.append(_form(secret, _longest_run(core.decode()), pattern))
    return forms


_SYMBOLS = {
    ord("+"): rb"(?:[+-]|%(?:25)*2[bB]|\\+u002[bB]|&#(?:43|[xX]2[bB]);)",
    ord("/"): rb"(?:\\*/|_|%(?:25)*2[fF]|\\+u002[fF]|&#(?:47|[xX]2[fF]);)",
}
_anything = msgspec.json.Decoder()
_COMPILED = [(literals, re.compile(pattern), replacement) for literals, pattern, replacement in _LOOKS]
