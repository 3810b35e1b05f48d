"""The few forms of protobuf's wire format that remote write needs."""

import struct
from collections.abc import Iterable

_VARINT, _DOUBLE, _BYTES = 0, 1, 2


def field(number: int, content: bytes) -> bytes:
    """A message, a text, or packed numbers."""
    return varint(number << 3 | _BYTES) + varint(len(content)) + content


def double(number: int, value: float) -> bytes:
    """A floating point number."""
    return varint(number << 3 | _DOUBLE) + struct.pack("<d", value)


def integer(number: int, value: int) -> bytes:
    """An unsigned number, or an enumeration."""
    return varint(number << 3 | _VARINT) + varint(value)


def signed(number: int, value: int) -> bytes:
    """A number of the types `sint32` and `sint64`."""
    return integer(number, zigzag(value))


def packed(number: int, values: Iterable[int]) -> bytes:
    """Unsigned numbers one after the other; nothing where there are none."""
    content = b"".join(map(varint, values))
    return field(number, content) if content else b""


def zigzag(value: int) -> int:
    """A signed number as an unsigned one that is small if it is near 0.

    >>> [zigzag(one) for one in (0, -1, 1, -2)]
    [0, 1, 2, 3]
    """
    return value << 1 if value >= 0 else (-value << 1) - 1


def varint(value: int) -> bytes:
    """An unsigned number, seven bits in each byte.

    >>> varint(300).hex(" ")
    'ac 02'
    """
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
