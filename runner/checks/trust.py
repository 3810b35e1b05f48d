"""Which certificates checks trust: those of this machine's authorities, and those of a check's own `ca_file`."""

import ssl
from functools import lru_cache
from pathlib import Path
from typing import Literal

from runner.errors import ConfigError

Use = Literal["http", "plain"]
USES: tuple[Use, ...] = ("http", "plain")
"""A context of its own for HTTP, which sets the protocols that it negotiates."""


def tls_context(ca_file: Path | None, use: Use = "plain") -> ssl.SSLContext:
    """A context that verifies chain and name, made once for each file: reading all authorities takes longer than a call.

    Raises ConfigError when the file cannot be read. `SSL_CERT_FILE` and `SSL_CERT_DIR` name other authorities, as for OpenSSL.
    """
    try:
        return _make_context(ca_file, ca_file.stat().st_mtime_ns if ca_file else 0, use)
    except OSError as error:
        raise ConfigError(f"option ca_file: {ca_file} cannot be used: {error.strerror or error}") from error


@lru_cache(maxsize=64)
def _make_context(ca_file: Path | None, changed_at: int, use: Use) -> ssl.SSLContext:  # noqa: ARG001 (both part of the key)
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context
