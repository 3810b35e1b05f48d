"""Which certificates checks trust: those of this machine's authorities, and those of a check's own `ca_file`."""

import ssl
from pathlib import Path

from runner.errors import ConfigError
from runner.network import tls_trust


def tls_context(ca_file: Path | None, use: tls_trust.Use = "plain") -> ssl.SSLContext:
    """A context that verifies chain and name. Raises ConfigError when the file cannot be used."""
    try:
        return tls_trust.tls_context(ca_file, use)
    except OSError as error:
        raise ConfigError(f"option ca_file: {ca_file} cannot be used: {error.strerror or error}") from error
