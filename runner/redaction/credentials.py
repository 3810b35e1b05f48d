"""Credentials that nobody declared: recognized by their header, or by what they look like."""

import re
from typing import Any

from runner.redaction.secret_search import HIDDEN

CREDENTIALS = {
    *("authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "apikey", "x-auth-token"),
    *("x-access-token", "x-csrf-token", "x-xsrf-token", "x-session-token", "x-amz-security-token", "x-goog-api-key"),
    *("x-vault-token", "private-token"),
}
"""Headers whose value is a credential, in lower case."""
_ROUGHLY = (b"authorization", b"cookie", b"api-key", b"apikey", b"-token")
"""One of these is in each of SIGNS: most texts have none, and are searched for five instead of a dozen."""
SIGNS = tuple(name.encode() for name in sorted(CREDENTIALS) if not any(other in name for other in CREDENTIALS if other != name))
"""One of these is in each of them."""
_HEADER_NAMES = "|".join(sorted(CREDENTIALS))
_LOOKS = (
    # What is in all that the pattern matches, one of them in any case; the pattern; what stays of it.
    # user:password@ of an address (RFC 3986, 3.2.1)
    ((b"@",), rb"(://)[^/?#\s:@\"'<>\\]+:[^/?#\s@\"'<>\\]+(?=@)", rb"\1" + HIDDEN.encode()),
    # JSON Web Token, RFC 7519; its first part is always an object in base64url, which begins so. It is looked for from the beginning of a
    # word only, and where the second part follows: else the time would grow with the square of the length of a word.
    (
        (b".eyj",),
        rb"(?<![\w-])(?=[\w-]{11,}+\.eyJ[\w-]{8})((?:[\w-]*?-)?)eyJ[\w-]{8,}\.eyJ[\w-]{8,}+\.[\w-]*",
        rb"\1" + HIDDEN.encode(),
    ),
    # RFC 7617 and RFC 6750
    ((b"bearer", b"basic"), rb"(?i)\b(bearer|basic)(\s+|%20|\+)[\w+/.~-]{8,}=*", rb"\1\2" + HIDDEN.encode()),
    # A header written as a line of text, as in the log of an API request.
    (
        SIGNS,
        rf"(?im)^([ \t]*(?:{_HEADER_NAMES})[ \t]*:[ \t]*)[^\r\n]+".encode(),
        rb"\1" + HIDDEN.encode(),
    ),
)
_COMPILED = [(literals, re.compile(pattern), replacement) for literals, pattern, replacement in _LOOKS]


def hide_by_looks(content: bytes) -> bytes:
    """`content` without what looks like a credential; the same object if there was none."""
    lowered = content.lower()
    for literals, pattern, replacement in _COMPILED:
        if literals is SIGNS and not contains_any(lowered, _ROUGHLY):
            continue
        if contains_any(lowered, literals):
            clean = pattern.sub(replacement, content)
            content = content if clean == content else clean
    return content


def contains_any(content: bytes, literals: tuple[bytes, ...]) -> bool:
    """Whether one of them is in `content`. This is done several times for each line of a trace: `any` would take twice as long."""
    for literal in literals:  # noqa: SIM110
        if literal in content:
            return True
    return False


def is_credential(name: object) -> bool:
    """Whether a header or a key of this name holds a credential."""
    return isinstance(name, str) and name.lower() in CREDENTIALS


def hide_header(name: str, value: str) -> str:
    """A credential header's value, of which only the scheme, or the names and attributes of cookies, are left."""
    if name.lower() == "cookie":
        return "; ".join(f"{part.partition('=')[0].strip()}={HIDDEN}" for part in value.split(";"))
    if name.lower() == "set-cookie":
        lines = []
        for line in value.split("\n"):
            first, semicolon, attributes = line.partition(";")
            lines.append(f"{first.partition('=')[0]}={HIDDEN}{semicolon}{attributes}")
        return "\n".join(lines)
    scheme = re.match(r"(?i)(basic|bearer|digest|negotiate)\s+", value)
    return f"{scheme[0] if scheme else ''}{HIDDEN}"


def hide_by_key(found: dict[str, Any], key: str) -> dict[str, Any]:
    """A decoded JSON object, which stands under `key`, without the credentials that its keys tell of."""
    name, text = found.get("name"), found.get("value")
    if is_credential(name) and isinstance(name, str) and isinstance(text, str):
        found = {**found, "value": hide_header(name, text)}
    if key == "httpCredentials" and "password" in found:
        found = {**found, "password": HIDDEN}
    return {
        one: hide_header(one, inner) if is_credential(one) and isinstance(inner, str) else inner for one, inner in found.items()
    }
