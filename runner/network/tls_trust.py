"""Which certificates requests of our own trust: those of this machine's authorities, or those of a file of the user's."""

import ssl
from functools import lru_cache
from pathlib import Path
from typing import Literal

Use = Literal["http", "plain"]
USES: tuple[Use, ...] = ("http", "plain")
"""A context of its own for HTTP, which sets the protocols that it negotiates."""


def tls_context(ca_file: Path | None = None, use: Use = "plain", *, alone: bool = False) -> ssl.SSLContext:
    """A context that verifies chain and name, made once for each file: reading all authorities takes longer than a call.

    With `alone`, only the certificates of `ca_file` are trusted, if it is given. Raises OSError (of which ssl.SSLError is one) when
    the file cannot be used. `SSL_CERT_FILE` and `SSL_CERT_DIR` name other authorities, as for OpenSSL.
    """
    return _make_context(ca_file, ca_file.stat().st_mtime_ns if ca_file else 0, use, alone)


@lru_cache(maxsize=64)
def _make_context(ca_file: Path | None, changed_at: int, use: Use, alone: bool) -> ssl.SSLContext:  # noqa: ARG001 (part of the key)
    if ca_file is None:
        return ssl.create_default_context()
    context = ssl.create_default_context(cafile=ca_file) if alone else ssl.create_default_context()
    context.load_verify_locations(ca_file)
    return context
