"""TLS on connections to a broker: how it is verified, how it knows us, and what to set when that fails."""

import ssl
from pathlib import Path
from typing import Any

from runner.errors import ConfigError
from runner.settings.settings import Settings

HINTS = (
    ("certificate is not valid for", "name the broker in broker as its certificate does"),
    ("mismatch", "name the broker in broker as its certificate does"),
    ("has expired", "its certificate has expired; have it renewed"),
    ("certificate_verify_failed", "set broker_ca_file to the authority of its certificate (PEM)"),
    ("certificate verify failed", "set broker_ca_file to the authority of its certificate (PEM)"),
    ("certificate_required", "it asks for a certificate of ours; set broker_client_certificate and broker_client_key"),
    ("certificate required", "it asks for a certificate of ours; set broker_client_certificate and broker_client_key"),
    (
        "eof occurred in violation of protocol",
        "it has ended the connection; if it asks for a certificate of ours, set broker_client_certificate and broker_client_key",
    ),
    ("wrong_version_number", "it does not speak TLS there; name the port with TLS in broker"),
    ("wrong version number", "it does not speak TLS there; name the port with TLS in broker"),
)
"""Parts of OpenSSL's messages, and what helps; the first that fits counts."""


def describe_tls(settings: Settings, scheme: str, host: str) -> dict[str, Any] | None:
    """How the broker's certificate is verified, and ours, as the client libraries of both kinds take it; None without TLS.

    Raises ConfigError for a file that cannot be used.
    """
    if scheme not in {"rediss", "amqps"}:
        return None
    authority, certificate, key = (
        settings.broker_ca_file, settings.broker_client_certificate, settings.broker_client_key
    )  # fmt: skip
    if key is not None and certificate is None:
        raise ConfigError("broker_client_key: there is no certificate for it; set broker_client_certificate too")
    _check_files(authority, certificate, key)
    files = [str(file) if file else None for file in (authority, certificate, key)]
    if scheme == "rediss":
        names = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
        return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True, **dict(zip(names, files, strict=True))}
    names = ("ca_certs", "certfile", "keyfile")
    return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": host, **dict(zip(names, files, strict=True))}


def find_hint(error: BaseException) -> str:
    """What to set after an error of TLS; empty for another error."""
    said = ""
    one: BaseException | None = error
    while one is not None:
        said += f" {one}".lower()
        one = one.__cause__ or one.__context__
    return next((hint for part, hint in HINTS if part in said), "") if "ssl" in said else ""


def _check_files(authority: Path | None, certificate: Path | None, key: Path | None) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authority is not None:
        try:
            context.load_verify_locations(authority)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"broker_ca_file: {authority} has no certificates that can be read: {error}") from error
    if certificate is not None:
        try:
            # A key with a passphrase would ask for it on the terminal.
            context.load_cert_chain(certificate, key, password=lambda: "")
        except (OSError, ssl.SSLError, ValueError) as error:
            raise ConfigError(
                f"broker_client_certificate: {certificate} and its key {key} cannot be used: {error}"
                if key is not None
                else f"broker_client_certificate: {certificate} cannot be used as a certificate with its key in the same file ({error}); "
                "set broker_client_key to the file of the key"
            ) from error
