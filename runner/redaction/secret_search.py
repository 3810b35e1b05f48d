"""Finds secrets in bytes: whole, cut short, in either case, in every form of secret_patterns.

The cost of a secret is that of its first characters: what follows them is compared, not searched. So a value of a megabyte is
declared and found about as fast as a password, and the time grows with the length of the secret and with that of the content.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from functools import cached_property
from unicodedata import normalize

from runner.redaction.secret_patterns import base64_patterns, character_pattern, longest_run, text_pattern

HIDDEN = "•••"
SHORTEST = 4
"""Characters; a shorter secret occurs by chance in any file, and cannot be distinguished from other text."""
CUT = 8
"""Characters from which on the beginning of a secret is one too."""
BEGINNING = 6
"""Characters of the shortest beginning."""
WORD = 12
"""Characters of the shortest beginning that could be a word."""
ANCHOR = 32
"""Characters of a secret that are searched; a beginning of this length is enough in any case."""
LONG = 64
"""Characters from which on the words of a secret are sought as well, wherever it was torn apart."""
BASE64 = 96
"""Characters of a secret that are searched in base64."""
BLOCK = 256
"""Characters that are compared at once."""
PROBE, SKIPPED, WINDOW = 6, 4, 96
"""Characters by which the rest of a secret is found again, those that may be left out before them; bytes that are looked at."""
_AMBIGUOUS = frozenset("\\&%+;#")
_SEGMENT = re.compile(r"[A-Za-z0-9]+|\\+|.", re.DOTALL)
_WORD = re.compile(rb"[a-z0-9]{12,}")
_GAP = 16
"""Bytes between two words of a secret that go with them."""

Span = tuple[int, int]


class Secret:
    """One secret text. What it takes to find it is made when a possible occurrence is first seen."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._least = shortest_beginning(text)
        self._literal = longest_run(text[: self._least]).lower()
        beginning = text[: self._least]
        self._hexadecimal = {
            beginning.encode(encoding, "surrogatepass").hex().encode() for encoding in _byte_encodings(beginning)
        }
        # All of it: in what is not recognized as such a text, because characters of other scripts are in it.
        self._wide = tuple(text.encode(encoding, "surrogatepass").lower() for encoding in ("utf-16-le", "utf-16-be"))
        self._wide_has_nul = b"\0" in self._wide[0]

    @cached_property
    def _anchor(self) -> re.Pattern[bytes]:
        return text_pattern(self.text[: self._least])

    @cached_property
    def _encoded(self) -> list[tuple[bytes, bytes]]:
        return base64_patterns(self.text[:BASE64], whole=len(self.text) <= BASE64)

    def spans(self, content: bytes, lowered: bytes, has_nul: bool) -> Iterator[Span]:
        """Where the secret, or a beginning of it, is in `content`, of which `lowered` is the lower case."""
        if self._literal in lowered:
            at = 0
            while found := self._anchor.search(content, at):
                at = self._follow(content, lowered, found.end())
                yield found.start(), at
        for beginning in self._hexadecimal:
            if beginning in lowered:
                # Whatever follows it in hexadecimal goes as well.
                yield from (found.span() for found in re.finditer(beginning + rb"[0-9a-f]*", lowered))
        for wide in self._wide if has_nul or not self._wide_has_nul else ():
            if wide in lowered:
                yield from (found.span() for found in re.finditer(re.escape(wide), lowered))
        for literal, pattern in self._encoded:
            if literal in content:
                yield from (found.span() for found in re.finditer(pattern, content))

    def _follow(self, content: bytes, lowered: bytes, at: int) -> int:
        """How far the content goes on like the secret, from `at` on, where its first characters have ended."""
        text, position, compare_at = self.text, self._least, self._least
        while position < len(text):
            if position >= compare_at:
                # As it is written, most often.
                block = text[position : position + BLOCK].encode(errors="surrogatepass").lower()
                if lowered.startswith(block, at):
                    at += len(block)
                    position += BLOCK
                    continue
                compare_at = position + BLOCK // 4
            segment = _SEGMENT.match(text, position)[0]  # type: ignore[index]  # it matches any character
            end = _match(segment, content, lowered, at)
            if end is not None:
                at, position = end, position + len(segment)
                continue
            resumed = self._resume(content, at, position)
            if resumed is None:
                return at + (_common(segment.lower().encode(), lowered[at : at + len(segment)]) if segment.isalnum() else 0)
            at, position = resumed
        return at

    def _resume(self, content: bytes, at: int, position: int) -> tuple[int, int] | None:
        """Where the secret goes on after what can be read in two ways, such as a `&` of its own before `amp;`."""
        if not _AMBIGUOUS.intersection(self.text[max(position - 2, 0) : position + 1]):
            return None
        for skipped in range(SKIPPED):
            probe = self.text[position + skipped : position + skipped + PROBE]
            found = text_pattern(probe).search(content, at, at + WINDOW) if len(probe) > 1 else None
            if found is not None:
                return found.end(), position + skipped + len(probe)
        return None

    def words(self) -> Iterator[bytes]:
        """Stretches of letters and digits by which a long secret is known in pieces, in lower case; in base64 too."""
        if len(self.text) < LONG:
            return
        yield from _telling(self.text)
        raw = self.text.encode(errors="surrogatepass")
        for shift in range(3):
            yield from _telling(b64encode(bytes(shift) + raw)[4:-4].decode())


def shortest_beginning(text: str) -> int:
    """How many of its first characters are hidden where the rest does not follow; all of a short text.

    Six at least, with a letter and a digit among them, as no word has; or half of it, and twelve where they are all letters.

    >>> [shortest_beginning(text) for text in ("Zx9-Quokka", "oolong-and-milk", "password-of-the-shop", "password1", "739146")]
    [6, 8, 10, 9, 6]
    """
    if len(text) < CUT:
        return len(text)
    half = max(BEGINNING, -(-len(text) // 2))
    for length in range(BEGINNING, min(len(text), ANCHOR)):
        beginning = text[:length]
        if any(char.isdigit() for char in beginning) and any(char.isalpha() for char in beginning):
            return length
        if length >= half and (not beginning.isalpha() or length >= WORD):
            return length
    return min(len(text), ANCHOR)


class SecretSearch:
    """All secrets of a run."""

    def __init__(self) -> None:
        self._secrets: dict[str, Secret] = {}
        self._words: set[bytes] = set()

    @property
    def texts(self) -> tuple[str, ...]:
        """The secret texts."""
        return tuple(self._secrets)

    @property
    def beginnings(self) -> tuple[str, ...]:
        """As much of each secret as is hidden by itself, in lower case."""
        return tuple(text[: shortest_beginning(text)].lower() for text in self._secrets)

    def add(self, text: str) -> None:
        """Adds a secret; of one with several lines, its longer lines too. A secret that is shorter than SHORTEST is left out.

        Letters with accents can be written in two ways, and programs change one into the other (Unicode, UAX 15).
        """
        for written in dict.fromkeys((text, *(() if text.isascii() else (normalize(form, text) for form in ("NFC", "NFD"))))):
            self._add(written)

    def _add(self, text: str) -> None:
        lines = [line.strip() for line in text.splitlines()] if "\n" in text.strip() else []
        for one in (text.strip(), *(line for line in lines if len(line) >= 2 * SHORTEST)):
            if len(one) >= SHORTEST and one not in self._secrets:
                self._secrets[one] = secret = Secret(one)
                self._words.update(secret.words())

    def __contains__(self, text: object) -> bool:
        return text in self._secrets

    def spans(self, content: bytes) -> list[Span]:
        """Where secrets are in `content`, in order, without overlaps."""
        if not self._secrets:
            return []
        lowered, has_nul = content.lower(), b"\0" in content
        found = [span for secret in self._secrets.values() for span in secret.spans(content, lowered, has_nul)]
        if self._words:
            found += self._torn(lowered)
        return _merged(found)

    def hide(self, content: bytes) -> bytes:
        """`content` with secrets hidden; the same object if there were none."""
        spans = self.spans(content)
        if not spans:
            return content
        pieces, at = [], 0
        for start, end in spans:
            pieces += [content[at:start], HIDDEN.encode()]
            at = end
        return b"".join([*pieces, content[at:]])

    def _torn(self, lowered: bytes) -> list[Span]:
        words = [found.span() for found in _WORD.finditer(lowered) if found[0] in self._words]
        joined: list[Span] = []
        for start, end in words:
            if joined and start - joined[-1][1] <= _GAP:
                joined[-1] = joined[-1][0], end
            else:
                joined.append((start, end))
        return joined


def _match(segment: str, content: bytes, lowered: bytes, at: int) -> int | None:
    """Where a stretch of letters and digits, of backslashes, or one other character ends that begins at `at`."""
    if segment.isascii() and segment.isalnum():
        return at + len(segment) if lowered.startswith(segment.lower().encode(), at) else None
    found = character_pattern(segment).match(content, at)
    return found.end() if found else None


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _common(one: bytes, other: bytes) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _byte_encodings(text: str) -> tuple[str, ...]:
    """Those in which a site may write its bytes in hexadecimal."""
    return ("utf-8",) if text.isascii() or max(text) > "\xff" else ("utf-8", "latin-1")


def _telling(text: str) -> Iterator[bytes]:
    """Words that stand nowhere by chance: with a letter and a digit, or very long."""
    for found in _WORD.finditer(text.lower().encode(errors="replace")):
        word = found[0]
        if len(word) >= 20 or (not word.isalpha() and not word.isdigit()):
            yield word
