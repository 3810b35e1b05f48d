"""When certificates end, read from their encoding (DER, RFC 5280): Chromium and Python's ssl give the chain of a host only in it."""

from collections.abc import Iterable
from datetime import UTC, datetime

from runner.untrusted_text import LONGEST_NAME, tamed

VERSION = 0xA0
"""The tag of the first field, which the oldest certificates lack."""
TIMES = {0x17: "%y%m%d%H%M%SZ", 0x18: "%Y%m%d%H%M%SZ"}
"""The two forms of a time, by their tags."""
COMMON_NAME = bytes.fromhex("0603550403")
"""The attribute of a subject, as it is encoded."""


def find_first_end(chain: Iterable[bytes]) -> tuple[datetime, str] | None:
    """When the first certificate of a chain ends, and the common name of its subject; None where none can be read."""
    found = []
    for one in chain:
        try:
            found.append(_read_end(one))
        except (ValueError, IndexError):
            # Not a certificate: the others say what they say.
            continue
    return min(found, default=None)


def _read_end(certificate: bytes) -> tuple[datetime, str]:
    """Raises ValueError or IndexError for what is not a certificate."""
    _, whole = _elements(certificate)[0]
    _, content = _elements(whole)[0]
    fields = _elements(content)
    if fields[0][0] == VERSION:
        del fields[0]
    # serial number, signature, issuer, validity, subject, …
    (_, validity), (_, subject) = fields[3], fields[4]
    tag, text = _elements(validity)[1]
    if tag not in TIMES:
        raise ValueError("not a time")
    return datetime.strptime(text.decode(), TIMES[tag]).replace(tzinfo=UTC), _common_name(subject)


def _common_name(subject: bytes) -> str:
    at = subject.find(COMMON_NAME)
    if at < 0:
        return ""
    _, text = _elements(subject[at + len(COMMON_NAME) :])[0]
    return tamed(text.decode(errors="replace"), LONGEST_NAME)


def _elements(content: bytes) -> list[tuple[int, bytes]]:
    """The tag and the content of each element, one after the other."""
    at, found = 0, []
    while at < len(content):
        tag, length, at = content[at], content[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(content[at : at + size]), at + size
        if at + length > len(content):
            raise ValueError("an element is longer than what is there")
        found.append((tag, content[at : at + length]))
        at += length
    return found
