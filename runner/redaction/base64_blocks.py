"""Texts in base64 as they are embedded in other texts: on one line, or on lines of equal length (RFC 2045, RFC 7468)."""

import re
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Callable, Iterator

from msgspec import Struct

from runner.redaction.bodies import may_be_packed

SHORTEST_BLOCK = 16
"""Symbols; a shorter text is searched for in its three alignments (secret_patterns)."""
SHORTEST_LINE = 40
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_SYMBOLS = bytes(ord("s") if char in _ALPHABET else ord(" ") for char in range(256))
# The literal of sixteen is what `re` finds fast.
_RUN = re.compile(b"s" * SHORTEST_BLOCK + b"s*")
_NEXT_LINE = re.compile(
    rb"((?:(?:\\+r)?\\+n|\r?\n|(?:%(?:25)*0[dD])?%(?:25)*0[aA]|(?:&#0*13;|&#[xX]0*[dD];)?(?:&#0*10;|&#[xX]0*[aA];)"
    rb"|(?:\\+(?:u000|x0)[dD])?\\+(?:u000|x0)[aA]|(?:\\+u\{0*[dD]\})?\\+u\{0*[aA]\})[ \t]*)([A-Za-z0-9+/]+)"
)
_ESCAPE = re.compile(rb"(?:(?<=\\)(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[nrtbf])|(?<=%)(?:25)*[0-9A-Fa-f]{2})")
_URL = bytes.maketrans(b"-_", b"+/")
_SAFE = bytes.maketrans(b"+/", b"-_")


class Block(Struct, frozen=True):
    """A stretch of base64: where it stands, its symbols, how its lines are broken."""

    start: int
    end: int
    symbols: bytes
    line: int = 0
    """Symbols of a line, 0 for one line."""
    separator: bytes = b""

    def decode(self) -> bytes:
        """The bytes that it stands for."""
        plain = self.symbols.translate(_URL, b"=")
        whole = len(plain) - (len(plain) % 4 == 1)
        # Quicker than `b64decode`, of which a large text needs thousands.
        return a2b_base64(plain[:whole] + b"=" * (-whole % 4))

    def encode(self, content: bytes) -> bytes:
        """Other bytes, written as this block is: with padding, unless it lacks some."""
        symbols = b64encode(content)
        if len(self.symbols) % 4:
            symbols = symbols.rstrip(b"=")
        if b"-" in self.symbols or b"_" in self.symbols:
            symbols = symbols.translate(_SAFE)
        if not self.line:
            return symbols
        return self.separator.join(symbols[at : at + self.line] for at in range(0, len(symbols), self.line))


def blocks(content: bytes) -> Iterator[Block]:
    """Every stretch of base64 in `content`."""
    done = 0
    for found in _RUN.finditer(content.translate(_SYMBOLS)):
        start, end = found.span()
        if start < done:
            continue
        if start and content[start - 1] in b"\\%":
            # A run may begin with the end of an escape: `\nQUJD`, `%0AQUJD`.
            escape = _ESCAPE.match(content, start)
            start = escape.end() if escape else start
        length = end - start
        if (length < SHORTEST_LINE or length % 4) and content[end : end + 1] != b"=":
            # Most are ids and hashes.
            done = end
            yield Block(start, end, content[start:end])
            continue
        lines, separator = [content[start:end]], b""
        while length >= SHORTEST_LINE and length % 4 == 0 and len(lines[-1]) == length:
            following = _NEXT_LINE.match(content, end)
            if following is None or len(following[2]) > length:
                break
            separator, end = following[1], following.end()
            lines.append(following[2])
        padding = b"=" * (content[end : end + 2].count(b"=") if content[end : end + 1] == b"=" else 0)
        done = end + len(padding)
        yield Block(start, done, b"".join(lines) + padding, length if separator else 0, separator)


def replace_inside(content: bytes, hide: Callable[[bytes], bytes], hide_packed: Callable[[bytes], bytes]) -> bytes:
    """`content` with `hide` applied to what its base64 stands for; the same object if that changes nothing.

    `hide_packed` is applied before to what may be packed.
    """
    found = list(blocks(content))
    if not found:
        return content
    decoded = [block.decode() for block in found]
    packed = [may_be_packed(plain) for plain in decoded]
    # Searched at once: there may be thousands of them, and most often there is nothing.
    joined = b"\0\n".join(plain for plain, one in zip(decoded, packed, strict=True) if not one)
    clean_otherwise = hide(joined) is joined
    if clean_otherwise and not any(packed):
        return content
    pieces, at = [], 0
    for block, plain, one in zip(found, decoded, packed, strict=True):
        clean = hide_packed(plain) if one else plain
        if clean is plain and (one or not clean_otherwise):
            clean = hide(plain)
        if clean is not plain:
            pieces += [content[at : block.start], block.encode(clean)]
            at = block.end
    return b"".join([*pieces, content[at:]]) if pieces else content
