"""How a receiver of OTLP is reached: what the settings say, else OpenTelemetry's own variables, as its exporters read them."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from msgspec import Struct

from runner.errors import ConfigError
from runner.network.tls_trust import tls_context
from runner.settings.settings import Settings

PREFIX = "OTEL_EXPORTER_OTLP_"


class Connection(Struct, frozen=True):
    """What goes with each message to a receiver of metrics. Names of headers are in lower case."""

    headers: Mapping[str, str]
    compression: str
    """`gzip`, `deflate`, or nothing."""
    ca_file: Path | None
    client_certificate: Path | None
    client_key: Path | None

    def context(self) -> ssl.SSLContext:
        """For HTTP. Raises OSError when a certificate cannot be read."""
        if self.client_certificate is None:
            return tls_context(self.ca_file, alone=True)
        # A context of its own, as others must not show this certificate.
        context = ssl.create_default_context(cafile=self.ca_file)
        context.load_cert_chain(self.client_certificate, self.client_key)
        return context


def read_connection(settings: Settings, environ: Mapping[str, str]) -> Connection:
    """How metrics are sent; variables for metrics alone win over those for everything.

    Raises ConfigError for a variable that names a file which is not there.
    """

    def find(name: str) -> str:
        return environ.get(f"{PREFIX}METRICS_{name}") or environ.get(f"{PREFIX}{name}") or ""

    def find_file(name: str) -> Path | None:
        found = find(name)
        if found and not Path(found).is_file():
            raise ConfigError(f"{PREFIX}{name}: {found} is not a file")
        return Path(found) if found else None

    compression = find("COMPRESSION").strip().lower()
    return Connection(
        headers=parse_headers(settings.otlp_headers.reveal() if settings.otlp_headers else find("HEADERS")),
        compression=compression if compression in {"gzip", "deflate"} else "",
        ca_file=settings.otlp_ca_file or find_file("CERTIFICATE"),
        client_certificate=find_file("CLIENT_CERTIFICATE"),
        client_key=find_file("CLIENT_KEY"),
    )


def parse_headers(text: str) -> dict[str, str]:
    """Headers in the form of OTEL_EXPORTER_OTLP_HEADERS.

    >>> parse_headers("api-key=a%20b, x=1")
    {'api-key': 'a b', 'x': '1'}
    """
    pairs = (one.partition("=") for one in text.split(",") if one.strip())
    return {name.strip().lower(): unquote(value.strip()) for name, _, value in pairs}
