"""The ID token of a sign-in, checked in full (OpenID Connect Core 1.0, 3.1.3.7)."""

from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from time import time
from typing import Any

import msgspec
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import ClaimError, JoseError, MissingClaimError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry
from msgspec import Struct

from reports.web.access.oidc.errors import OidcError
from reports.web.access.oidc.provider import Provider
from runner.untrusted_text import tamed

SKEW = 120
"""Seconds by which the provider's clock may differ from ours."""
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"})
"""Signatures with a key pair. Not `none`, and not HS256, with which a public key could be used as a password (RFC 8725, 3.1)."""
REFUSED = "The identity provider's answer is not valid; the log of `journey serve` says why."


class _Header(Struct):
    kid: str | None = None


def check_id_token(
    provider: Provider, token: str, nonce: str, access_token: str, clock: Callable[[], float] = time
) -> dict[str, Any]:
    """The claims of an ID token that the provider has issued just now, to this client, for the attempt with this nonce. Raises OidcError."""
    configuration = provider.configuration
    decoded = decode_signed(provider, token, "ID token")
    options = {
        "iss": {"essential": True, "value": configuration.issuer},
        "aud": {"essential": True, "value": configuration.client_id},
        "exp": {"essential": True},
        "iat": {"essential": True},
        "sub": {"essential": True},
    }
    expected = {"nonce": nonce, "client_id": configuration.client_id, "access_token": access_token}
    claims = CodeIDToken(decoded.claims, decoded.header, options, expected)
    try:
        claims.validate(now=int(clock()), leeway=SKEW)
    except (JoseError, ValueError, TypeError, OverflowError) as error:
        raise OidcError(REFUSED, _explain(error, decoded.claims, clock())) from error
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise OidcError(REFUSED, "oidc_issuer: the ID token has no subject of 1 to 255 characters (the claim `sub`)")
    return dict(claims)


def decode_signed(provider: Provider, token: str, what: str) -> jwt.Token:
    """A token, `what` in words, that the provider has signed with a key pair. Its claims are not checked. Raises OidcError."""
    offered = frozenset(provider.metadata().id_token_signing_alg_values_supported)
    algorithms = sorted(ALGORITHMS & offered)
    if not algorithms:
        raise OidcError(
            REFUSED, f"oidc_issuer: signs with {', '.join(sorted(offered))} only; choose one of {', '.join(sorted(ALGORITHMS))}"
        )
    decoded = _decode(token, provider.keys(), algorithms) or _decode(token, provider.keys(renew=True), algorithms)
    if decoded is None:
        raise OidcError(
            REFUSED,
            f"oidc_issuer: the {what} is not signed with a key of {provider.configuration.issuer} by one of {', '.join(algorithms)}; if "
            "the provider signs with the client secret (HS256), let it use RS256",
        )
    return decoded


def _decode(token: str, keys: Iterable[Key], algorithms: list[str]) -> jwt.Token | None:
    """The token, if one of the keys has signed it; those of another id are not tried."""
    registry = JWSRegistry(algorithms=algorithms, strict_check_header=False)
    wanted = _key_id(token)
    for key in keys:
        if wanted is not None and key.kid is not None and key.kid != wanted:
            continue
        try:
            return jwt.decode(token, key, registry=registry)
        except (JoseError, ValueError, TypeError, RecursionError):
            # Of another key or kind; what is wrong if it was the last one, the caller says.
            continue
    return None


def _key_id(token: str) -> str | None:
    """Which key has signed a token, according to its header, which is not trusted."""
    head = token.partition(".")[0]
    try:
        return msgspec.json.decode(urlsafe_b64decode(head + "=" * (-len(head) % 4)), type=_Header).kid
    except (msgspec.DecodeError, UnicodeError, ValueError, RecursionError):
        return None


def _explain(error: Exception, claims: Mapping[str, Any], now: float) -> str:
    """What is wrong with a token, and what to do."""
    claim = error.claim if isinstance(error, ClaimError) else ""
    if isinstance(error, MissingClaimError):
        return f"oidc_issuer: the ID token lacks {claim}, which every provider must send (OpenID Connect Core, 2)"
    if claim in {"iat", "nbf", "exp"}:
        return (
            f"oidc_issuer: the ID token was issued at {_moment(claims.get('iat'))} and ends at {_moment(claims.get('exp'))}, and here it "
            f"is {_moment(now)}; set the clocks of both machines (NTP), of which more than {SKEW} s of difference is rejected"
        )
    shown = tamed(str(claims.get(claim)), 200)
    fixes = {
        "iss": f"it is issued by {shown}; set oidc_issuer to the provider's issuer, exactly",
        "aud": f"it is issued to {shown}; set oidc_client_id to the client that the dashboard is",
        "azp": f"it is issued to {shown}; set oidc_client_id to the client that the dashboard is",
        "nonce": "it belongs to another sign-in; sign in again",
        "at_hash": "it does not belong to the access token that came with it",
    }
    return f"oidc_issuer: the ID token is not valid: {fixes.get(claim, tamed(str(error), 200))}"


def _moment(seconds: object) -> str:
    try:
        return f"{datetime.fromtimestamp(float(str(seconds)), UTC):%Y-%m-%d %H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return "no known time"
