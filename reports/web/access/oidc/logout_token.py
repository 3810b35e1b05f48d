"""The logout token, with which the provider says that a user has signed out there (OpenID Connect Back-Channel Logout 1.0, 2.6)."""

from collections.abc import Callable, Mapping
from time import time
from typing import Any

from reports.web.access.oidc.errors import OidcError
from reports.web.access.oidc.id_token import REFUSED, SKEW, decode_signed
from reports.web.access.oidc.provider import Provider
from runner.untrusted_text import tamed

TYPE = "logout+jwt"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
LONGEST = 8_192
"""Characters of a token."""
RECENT = 300
"""Seconds since it was issued: one that somebody has kept ends no sessions."""


def check_logout_token(provider: Provider, token: str, clock: Callable[[], float] = time) -> tuple[str, str]:
    """The subject of a valid token, and its own id. Raises OidcError."""
    if len(token) > LONGEST:
        raise _invalid(f"it has more than {LONGEST} characters")
    decoded = decode_signed(provider, token, "logout token")
    claims, now = decoded.claims, clock()
    # An ID token or an access token, which others hold, must not do as one of these.
    if str(decoded.header.get("typ", "")).lower().removeprefix("application/") != TYPE:
        raise _invalid(f"its header has the type {tamed(str(decoded.header.get('typ')), 100)!r}, not {TYPE!r}")
    events = claims.get("events")
    if not isinstance(events, Mapping) or not isinstance(events.get(EVENT), Mapping):
        raise _invalid(f"its claim `events` lacks {EVENT}")
    if "nonce" in claims:
        raise _invalid("it has a nonce, so it is an ID token")
    if claims.get("iss") != provider.configuration.issuer:
        raise _invalid(f"it is issued by {tamed(str(claims.get('iss')), 200)}")
    audience = claims.get("aud")
    if provider.configuration.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise _invalid(f"it is issued to {tamed(str(audience), 200)}; set oidc_client_id to the client that the dashboard is")
    issued, ends = _read_time(claims, "iat"), _read_time(claims, "exp")
    if not now - RECENT - SKEW <= issued <= now + SKEW or ends < now - SKEW:
        raise _invalid("it was not issued just now; set the clocks of both machines (NTP)")
    subject, own = claims.get("sub"), claims.get("jti")
    if not isinstance(own, str) or not own:
        raise _invalid("it lacks an id of its own (jti)")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise _invalid("it does not name the user (sub); let the provider send the subject, not only a session id (sid)")
    return subject, own


def _read_time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise _invalid(f"its claim `{name}` is not a time")
    return float(value)


def _invalid(why: str) -> OidcError:
    return OidcError(REFUSED, f"oidc_issuer: the logout token is not valid: {why}", 400)
