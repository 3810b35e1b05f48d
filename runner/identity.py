"""The id of a run."""

import secrets
import time
import uuid


def run_id() -> str:
    """A UUID version 7 (RFC 9562, section 5.7): 48 bits of milliseconds since the epoch, then random bits.

    >>> uuid.UUID(run_id()).version
    7
    """
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))
