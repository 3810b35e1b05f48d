"""The id of a run."""

import secrets
import time
import uuid
from datetime import datetime


def run_id(at: datetime | None = None) -> str:
    """A UUID version 7 (RFC 9562, section 5.7): milliseconds since the epoch, 12 bits of their fraction, then random bits.

    It is made for the time `at`, or for now.

    The fraction (section 6.2, method 3) keeps ids of the same millisecond in the order of their creation.

    >>> uuid.UUID(run_id()).version
    7
    """
    milliseconds, rest = divmod(time.time_ns() if at is None else round(at.timestamp() * 1e9), 1_000_000)
    fraction = (rest << 12) // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def lowest_run_id(at: datetime) -> str:
    """No id that was made at this time or later is smaller.

    >>> at = datetime.fromisoformat("2026-01-01T00:00:00Z")
    >>> lowest_run_id(at) <= run_id(at) < lowest_run_id(datetime.fromisoformat("2026-01-01T00:00:00.001Z"))
    True
    """
    return str(uuid.UUID(int=(int(at.timestamp() * 1000) & (2**48 - 1)) << 80))
