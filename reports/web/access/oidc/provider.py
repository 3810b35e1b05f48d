"""The identity provider: its addresses (OpenID Connect Discovery 1.0) and the keys with which it signs (RFC 7517)."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from msgspec import Struct

from reports.web.access.oidc.configuration import OidcConfiguration
from reports.web.access.oidc.errors import OidcError
from reports.web.access.oidc.json_request import JsonAnswer, JsonClient, RequestFailed
from runner.errors import ConfigError
from runner.settings.parsers.identity import parse_issuer
from runner.untrusted_text import tamed

WELL_KNOWN = "/.well-known/openid-configuration"
FRESH = 3_600.0
"""Seconds until addresses and keys are read again."""
AGAIN = 5.0
"""Seconds until they are requested again after a failure, or for an unknown key: strangers must not be able to send us there at will."""
AWAY = "The identity provider cannot be used at the moment; the log of `journey serve` says why."


class Metadata(Struct, frozen=True):
    """The part of a provider's description that is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    code_challenge_methods_supported: tuple[str, ...] | None = None
    authorization_response_iss_parameter_supported: bool = False


class Provider:
    """A provider, whose description and keys are kept for an hour. Its methods wait for the network, and raise OidcError."""

    def __init__(self, configuration: OidcConfiguration, clock: Callable[[], float] = monotonic) -> None:
        self.configuration = configuration
        try:
            self.client = JsonClient(configuration.ca_file)
        except ValueError as error:
            raise ConfigError(f"oidc_ca_file: {error}") from error
        self._clock = clock
        self._lock = threading.Lock()
        self._metadata: Metadata | None = None
        self._keys: tuple[Key, ...] = ()
        self._read_at = self._keys_at = self._failed_at = float("-inf")
        self._failure: OidcError | None = None

    def metadata(self) -> Metadata:
        """The provider's description."""
        with self._lock:
            now = self._clock()
            if self._metadata is not None and now - self._read_at < FRESH:
                return self._metadata
            if self._failure is not None and now - self._failed_at < AGAIN:
                raise OidcError(str(self._failure), self._failure.cause)
            try:
                self._metadata = self._discover()
            except OidcError as error:
                # From its end: it may have been a long wait, and others wait behind it.
                self._failure, self._failed_at = error, self._clock()
                raise
            self._failure, self._read_at = None, now
            return self._metadata

    def keys(self, renew: bool = False) -> tuple[Key, ...]:
        """The provider's keys. With `renew` they are read again, unless that was just done: a provider may have changed them."""
        address = self.metadata().jwks_uri
        with self._lock:
            age = self._clock() - self._keys_at
            if age >= FRESH or (renew and age >= AGAIN):
                self._keys = self._read_keys(address)
                self._keys_at = self._clock()
            return self._keys

    def request(self, send: Callable[[], JsonAnswer], setting: str = "oidc_issuer") -> JsonAnswer:
        """The answer to a request that `send` makes."""
        try:
            return send()
        except RequestFailed as error:
            raise OidcError(AWAY, f"{setting}: {error}") from error

    def _discover(self) -> Metadata:
        issuer = self.configuration.issuer
        address = issuer.rstrip("/") + WELL_KNOWN
        hint = f"oidc_issuer must be the address that the provider documents as its issuer, without {WELL_KNOWN}"
        answer = self.request(lambda: self.client.get(address))
        if answer.status != 200:
            raise OidcError(AWAY, f"oidc_issuer: {address} answers {answer.status}; {hint}")
        try:
            found = msgspec.convert(answer.content, Metadata)
        except msgspec.ValidationError as error:
            raise OidcError(AWAY, f"oidc_issuer: {address} does not describe an OpenID provider: {error}; {hint}") from error
        if found.issuer != issuer:
            raise OidcError(
                AWAY,
                f"oidc_issuer: {address} is of the issuer {tamed(found.issuer, 200)!r}, not of {issuer!r}; set it to exactly that",
            )
        used = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
        for one in (*used, found.userinfo_endpoint, found.end_session_endpoint):
            try:
                parse_issuer(one or issuer)
            except ValueError as error:
                raise OidcError(AWAY, f"oidc_issuer: {address} names an address that is not secure: {error}") from error
        methods = found.code_challenge_methods_supported
        if methods is not None and "S256" not in methods:
            raise OidcError(AWAY, f"oidc_issuer: {address} does not offer PKCE with S256; allow it at the provider")
        return found

    def _read_keys(self, address: str) -> tuple[Key, ...]:
        answer = self.request(lambda: self.client.get(address))
        listed = answer.content.get("keys")
        keys = [key for one in listed if (key := _import_key(one))] if isinstance(listed, list) else []
        if answer.status != 200 or not keys:
            raise OidcError(AWAY, f"oidc_issuer: {address} answers {answer.status} without a key that can be used")
        return tuple(keys)


def _import_key(value: Any) -> Key | None:
    """A public key for signatures; None for other kinds, which are not for us (RFC 7517, 5)."""
    if not isinstance(value, dict) or value.get("use", "sig") != "sig" or value.get("kty") == "oct":
        return None
    try:
        return JWKRegistry.import_key(value)
    except (JoseError, ValueError, KeyError, TypeError):
        return None
