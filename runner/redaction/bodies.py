"""Bodies of requests and answers: packed in any way, in UTF-16, or pictures, whatever type they claim to have.

What is packed in a way that cannot be undone here (brotli, Zstandard, encryption) is not kept: nothing could be found in it.
"""

import codecs
import re
import zlib
from collections.abc import Callable, Iterator

GZIP = b"\x1f\x8b"
PACKED = frozenset({GZIP, b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"})
"""How gzip and zlib begin, the latter at each of its levels."""
ZSTANDARD = b"\x28\xb5\x2f\xfd"
UNREADABLE = b"this body was compressed in a way that cannot be searched for secrets, and was not kept"
LARGEST = 200_000_000
"""Bytes that a body may have when it is unpacked, however large it was."""
ALWAYS, RATIO = 262_144, 30
"""Bytes that a body may have in any case, and how many times what was packed: beyond both it is a bomb, and searching it would cost a site
nothing and us minutes. Text is packed to a tenth of its size, at most to a thirtieth."""
LAYERS = 3
"""How often a body may be packed."""
SAMPLE = 65_536
_NONE = bytes(4)
_MEDIA = re.compile(
    # PNG, JPEG, GIF, ICO, WebP and WAV, AVIF and MP4, WebM, Ogg, MP3, WOFF, OpenType, TrueType, WebAssembly
    rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|\0\0[\x01\x02]\0|RIFF....W|....ftyp|\x1aE\xdf\xa3|OggS\0|ID3[\x02-\x04]|wOF[F2]|OTTO\0|\0\x01\0\0\0|\0asm",
    re.DOTALL,
)
_TEXT_RUN = re.compile(rb"[\x20-\x7e]{5,}")
_LONG_TEXT_RUN = re.compile(rb"[\x20-\x7e\t\r\n]{20,}")
"""What is packed has none by chance."""
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
SHORTEST_STRETCH, SHORTEST_PACKED = 8, 24
"""Bytes between texts that are looked at, and that are not kept if they cannot be unpacked."""
SHORT_MOST = 1_024
"""Bytes that a stretch may have in any case when it is unpacked; the sum of all is in proportion to the body."""
_PRINTED = bytes([*range(0x20, 0x7F), 9, 10, 12, 13])


def clean_body(
    content: bytes, clean: Callable[[bytes], bytes], strict: bool, layers: int = LAYERS, most: int | None = None
) -> bytes:
    """`content` with `clean` applied to the text in it, packed again as it was; the same object if that changes nothing.

    With `strict`, UNREADABLE stands for a body that is packed in an unknown way. `most` are the bytes that it may have when it is unpacked.
    """
    if most is None:
        most = min(max(ALWAYS, RATIO * len(content)), LARGEST)
    if content.startswith(ZSTANDARD):
        return UNREADABLE
    unpacked = _unpack(content, most)
    if unpacked is not None:
        plain, pack = unpacked
        if len(plain) > most or layers == 0:
            return UNREADABLE
        inner = clean_body(plain, clean, strict, layers - 1, most)
        return content if inner is plain else pack(inner)
    if content.startswith(GZIP):
        return UNREADABLE
    for encoding in _wide(content):
        text = content.decode(encoding, "surrogatepass").encode(errors="surrogatepass")
        found = clean(text)
        return content if found is text else found.decode(errors="surrogatepass").encode(encoding, "surrogatepass")
    if not strict or _MEDIA.match(content):
        return clean(content)
    if _looks_packed(content):
        return UNREADABLE
    return clean(_clean_stretches(content, clean, layers))


def _clean_stretches(content: bytes, clean: Callable[[bytes], bytes], layers: int) -> bytes:
    """A body in which text surrounds what is packed, such as a form with a file: that is unpacked, or not kept where it cannot be."""
    if layers == 0 or _is_utf8(content):
        return content
    pieces, at = [], 0
    for start, end in _find_stretches(content):
        stretch = content[start:end]
        if _is_utf8(stretch):
            continue
        found = clean_body(stretch, clean, False, layers - 1, max(SHORT_MOST, RATIO * len(stretch)))
        unpacked = found is not stretch or _unpack(stretch, SHORT_MOST) is not None or _wide(stretch)
        # Texts in older encodings have no control characters; what is packed has, if it is not very short.
        if not unpacked and len(stretch) >= SHORTEST_PACKED and not _MEDIA.match(stretch) and _CONTROL.search(stretch):
            found = UNREADABLE
        if found is not stretch:
            pieces += [content[at:start], found]
            at = end
    return b"".join([*pieces, content[at:]]) if pieces else content


def _find_stretches(content: bytes) -> Iterator[tuple[int, int]]:
    """Where a body is something else than text for a while."""
    start = 0
    for end, after in (*(run.span() for run in _LONG_TEXT_RUN.finditer(content)), (len(content), len(content))):
        first = int.from_bytes(content[start - 1 : start + 1]) if 0 < start < end else 0
        if (first >> 8 == ord("x") and first % 31 == 0) or (first >= 0x2000 and first & 0xFF == 0 and (end - start) % 2):
            # The first byte of zlib is a letter, and so is that of a text in UTF-16.
            start -= 1
        if end - start >= SHORTEST_STRETCH:
            yield start, end
        start = after


def _is_utf8(content: bytes) -> bool:
    """Without NUL, of which a text in UTF-16 has many."""
    if b"\0" in content:
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


class Allowance:
    """What all that is packed in one text may unpack to beyond RATIO: a text may hold thousands of small bombs, one in another too."""

    def __init__(self) -> None:
        self.left = ALWAYS

    def take(self, packed: int, plain: int) -> None:
        """Notes that so many bytes were unpacked to so many."""
        self.left -= min(max(plain - RATIO * packed, 0), self.left)


def clean_packed(content: bytes, clean: Callable[[bytes], bytes], allowance: Allowance) -> bytes:
    """As `clean_body`, of what may be part of any text: only what can be unpacked, or is in UTF-16, is touched."""
    if not may_be_packed(content):
        return content
    most = min(RATIO * len(content) + allowance.left, LARGEST)
    unpacked = None if _wide(content) else _unpack(content, most)
    if unpacked is None and not _wide(content):
        return content
    allowance.take(len(content), len(unpacked[0]) if unpacked else 0)
    return clean_body(content, clean, strict=False, most=most)


def may_be_packed(content: bytes) -> bool:
    """Whether it begins as what is packed in gzip or zlib does, or as a text in UTF-16."""
    if content[:2] in PACKED:
        return True
    start = content[:8]
    return 0 in start and len(start) == 8 and (start[1::2] == _NONE or start[::2] == _NONE)


def _unpack(content: bytes, most: int) -> tuple[bytes, Callable[[bytes], bytes]] | None:
    """What a body in gzip, zlib or raw deflate holds (the last has no sign: it is what can be undone), and how it is packed."""
    if content.startswith(GZIP):
        plain = _inflate(content, 31, most)
        return None if plain is None else (plain, lambda inner: _deflate(inner, 31))
    if len(content) >= 6 and content[0] & 0x0F == 8 and int.from_bytes(content[:2], "big") % 31 == 0:
        plain = _inflate(content, 15, most)
        if plain is not None:
            return plain, lambda inner: _deflate(inner, 15)
    if content and not _is_text(content) and not _MEDIA.match(content):
        plain = _inflate(content, -15, most)
        if plain:
            return plain, lambda inner: _deflate(inner, -15)
    return None


def _inflate(content: bytes, window: int, most: int) -> bytes | None:
    """None for what is not wholly packed so. Ends after `most` bytes and one."""
    pieces, size, rest = [], 0, content
    while rest and size <= most:
        inflater = zlib.decompressobj(window)
        try:
            piece = inflater.decompress(rest, most + 1 - size)
        except zlib.error:
            return None
        pieces.append(piece)
        size += len(piece)
        if inflater.unconsumed_tail:
            break
        if not inflater.eof or (inflater.unused_data and window != 31):
            return None
        rest = inflater.unused_data
    return b"".join(pieces)


def _deflate(content: bytes, window: int) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, window)
    return packer.compress(content) + packer.flush()


def _wide(content: bytes) -> list[str]:
    """The encoding of a text in UTF-16; empty for another."""
    if len(content) % 2 or len(content) < 4:
        return []
    if content.startswith(b"\xff\xfe") or not any(content[1:SAMPLE:2]):
        return ["utf-16-le"]
    if content.startswith(b"\xfe\xff") or not any(content[0:SAMPLE:2]):
        return ["utf-16-be"]
    return []


def _is_text(content: bytes) -> bool:
    """Whether most of it would be printed: text in any encoding that has ASCII in it, and what holds such text."""
    sample = content[:SAMPLE]
    if len(sample.translate(None, _PRINTED)) <= len(sample) * 0.15:
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return b"\0" not in sample


def _looks_packed(content: bytes) -> bool:
    """Whether there is next to no text in it, as in what is packed or encrypted; messages in binary have theirs in plain text."""
    if _is_text(content):
        return False
    sample = content[:SAMPLE]
    return sum(len(run) for run in _TEXT_RUN.findall(sample)) < len(sample) * 0.2
