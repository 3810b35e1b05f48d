"""Bodies of requests and answers: packed in any way, in UTF-16, or pictures, whatever type they claim to have.

What is packed in a way that cannot be undone here (brotli, Zstandard, encryption) is not kept: nothing could be found in it.
"""

import codecs
import re
import zlib
from collections.abc import Callable

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
_MEDIA = re.compile(
    # PNG, JPEG, GIF, ICO, WebP and WAV, AVIF and MP4, WebM, Ogg, MP3, WOFF, OpenType, TrueType, WebAssembly
    rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|\0\0[\x01\x02]\0|RIFF....W|....ftyp|\x1aE\xdf\xa3|OggS\0|ID3[\x02-\x04]|wOF[F2]|OTTO\0|\0\x01\0\0\0|\0asm",
    re.DOTALL,
)
_TEXT_RUN = re.compile(rb"[\x20-\x7e]{5,}")
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
    found = clean(content)
    return UNREADABLE if strict and not _MEDIA.match(content) and _looks_packed(content) else found


def clean_packed(content: bytes, clean: Callable[[bytes], bytes]) -> bytes:
    """As `clean_body`, of what may be part of any text: only what can be unpacked, or is in UTF-16, is touched."""
    if not may_be_packed(content) or (not _wide(content) and _unpack(content, ALWAYS) is None):
        return content
    return clean_body(content, clean, strict=False)


def may_be_packed(content: bytes) -> bool:
    """Whether it begins as what is packed in gzip or zlib does, or as a text in UTF-16."""
    return content[:2] in PACKED or (len(content) >= 8 and (content[1:8:2] == bytes(4) or content[:8:2] == bytes(4)))


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
