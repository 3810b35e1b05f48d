"""A sign-in with OpenID Connect: the way to the provider, and what its answer is worth."""

import hmac
import logging
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping
from time import time
from typing import Any
from urllib.parse import quote_plus, urlencode

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from reports.web.access.attempt_counts import UsedOnce
from reports.web.access.oidc.configuration import OidcConfiguration
from reports.web.access.oidc.credential import make_credential, subject_pattern
from reports.web.access.oidc.errors import OidcError
from reports.web.access.oidc.id_token import REFUSED, SKEW, check_id_token
from reports.web.access.oidc.login_attempt import LoginAttempt
from reports.web.access.oidc.logout_token import check_logout_token
from reports.web.access.oidc.provider import AWAY, Metadata, Provider
from reports.web.access.oidc.roles import find_name, find_role, list_values
from reports.web.access.oidc.user import OidcUser
from runner.untrusted_text import tamed

log = logging.getLogger("journey.serve")
RECENT = 300
"""Seconds within which a user must have authenticated at the provider, where presence is to be proved."""
STALE = (
    "This sign-in was not begun in this browser, was finished already, or took longer than ten minutes. Sign in again; if that does not "
    "help, allow cookies for this site."
)


class OidcSignIn:
    """Sign-ins at one provider. Its methods wait for the network, and raise OidcError."""

    def __init__(self, configuration: OidcConfiguration, used: UsedOnce, clock: Callable[[], float] = time) -> None:
        """`used` remembers finished attempts and logout tokens, so that none counts twice."""
        self.configuration = configuration
        self.provider = Provider(configuration)
        self.clock = clock
        self._used = used
        self._lock = threading.Lock()

    def check_at_start(self) -> None:
        """Writes into the log what is wrong with the provider, if anything is."""
        try:
            self.provider.keys()
        except OidcError as error:
            log.warning("nobody can sign in through the identity provider: %s", error.cause)

    def address(self, attempt: LoginAttempt, redirect_uri: str) -> str:
        """The provider's address for an attempt."""
        again = {"prompt": "login", "max_age": "0"} if attempt.again else {}
        found: str = prepare_grant_uri(
            self.provider.metadata().authorization_endpoint,
            client_id=self.configuration.client_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=" ".join(self.configuration.scopes),
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
            **again,
        )
        return found

    def check_state(self, attempt: LoginAttempt | None, given: Mapping[str, str]) -> LoginAttempt:
        """The attempt to which an answer belongs; it can be finished once."""
        if attempt is None or not hmac.compare_digest(given.get("state", "").encode(), attempt.state.encode()):
            raise OidcError(STALE, "its state is not that of an attempt of this browser", 400)
        if not self._is_first(f"state {attempt.state}"):
            raise OidcError(STALE, "its state was used already", 400)
        return attempt

    def _is_first(self, what: str) -> bool:
        """Whether something that counts once is there for the first time."""
        with self._lock:
            return self._used.is_first(what)

    def check_logout(self, token: str) -> tuple[str, str]:
        """The SQL pattern of the credentials whose sessions the provider ends with a logout token, which counts once; and the token's id."""
        subject, own = check_logout_token(self.provider, token, self.clock)
        if not self._is_first(f"logout {own}"):
            raise OidcError(REFUSED, "oidc_issuer: a logout token was sent again", 400)
        return subject_pattern(self.configuration, subject), own

    def forget_logout(self, own: str) -> None:
        """Lets the logout token of this id count again, since it has had no effect."""
        with self._lock:
            self._used.forget(f"logout {own}")

    def finish(self, given: Mapping[str, str], attempt: LoginAttempt, redirect_uri: str) -> OidcUser:
        """The user whom the provider's answer, the parameters `given`, is about."""
        metadata = self.provider.metadata()
        issuer = given.get("iss", "")
        # Another provider's answer must not be taken for this one's (RFC 9207, 2.4).
        if (issuer or metadata.authorization_response_iss_parameter_supported) and issuer != self.configuration.issuer:
            shown = tamed(issuer, 200) or "nobody"
            raise OidcError(REFUSED, f"oidc_issuer: the answer comes from {shown}, not from {self.configuration.issuer}", 400)
        if "error" in given:
            raise _explain_refusal(given, self.configuration)
        if not given.get("code"):
            raise OidcError(REFUSED, "oidc_issuer: the provider's answer contains neither a code nor an error", 400)
        tokens = self._redeem(given["code"], attempt, redirect_uri, metadata)
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise OidcError(
                REFUSED, f"oidc_issuer: {metadata.token_endpoint} answers without an ID token; it is not OpenID Connect"
            )
        claims = check_id_token(self.provider, id_token, attempt.nonce, access_token, self.clock)
        # The provider must say it where it was asked for by max_age (OpenID Connect Core, 3.1.2.1): what is not said was not done.
        if attempt.again and claims.get("auth_time", 0) < self.clock() - RECENT - SKEW:
            raise OidcError(
                f"{self.configuration.host} has not asked you to authenticate again; sign out there, and sign in again.",
                "oidc_issuer: the provider ignores max_age, with which users are asked to authenticate again, or does not say when they did "
                "(the claim auth_time)",
                403,
            )
        claims = self._complete(claims, access_token, metadata)
        role = find_role(self.configuration, claims)
        credential = make_credential(self.configuration, claims["sub"], role, attempt.again)
        return OidcUser(find_name(self.configuration, claims), role, credential)

    def sign_out_address(self, back: str) -> str:
        """Where the provider ends its own session (RP-Initiated Logout 1.0, 2), and then leads `back`; empty if it cannot.

        Without the ID token, which would be in the address: the provider asks the user instead.
        """
        endpoint = self.provider.metadata().end_session_endpoint
        if endpoint is None:
            return ""
        query = urlencode({"client_id": self.configuration.client_id, "post_logout_redirect_uri": back})
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"

    def _redeem(self, code: str, attempt: LoginAttempt, redirect_uri: str, metadata: Metadata) -> dict[str, Any]:
        """The tokens for a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": attempt.verifier,
            "client_id": self.configuration.client_id,
        }
        secret, headers = self.configuration.client_secret.reveal(), {}
        if "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            # Both encoded as in a form (RFC 6749, 2.3.1).
            pair = f"{quote_plus(self.configuration.client_id)}:{quote_plus(secret)}"
            headers = {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        else:
            form["client_secret"] = secret
        answer = self.provider.request(lambda: self.provider.client.post(metadata.token_endpoint, form, headers))
        if answer.status != 200 or "error" in answer.content:
            raise _explain_rejection(answer.status, answer.content, self.configuration, redirect_uri)
        return answer.content

    def _complete(self, claims: dict[str, Any], access_token: str, metadata: Metadata) -> dict[str, Any]:
        """The claims with those of the user info, if the ID token lacks one that decides about the role."""
        lacking = [name for name in self.configuration.role_claims if not list_values(claims, name)]
        if not lacking or metadata.userinfo_endpoint is None:
            return claims
        endpoint = metadata.userinfo_endpoint
        answer = self.provider.request(lambda: self.provider.client.get(endpoint, access_token))
        if answer.status != 200:
            raise OidcError(AWAY, f"oidc_issuer: {endpoint} answers {answer.status} to a request for the user's claims")
        if answer.content.get("sub") != claims["sub"]:
            # It could be another user's (OpenID Connect Core, 5.3.2).
            raise OidcError(REFUSED, f"oidc_issuer: {endpoint} answers for another user than the ID token")
        return answer.content | claims


def _explain_refusal(given: Mapping[str, str], configuration: OidcConfiguration) -> OidcError:
    """The provider's `error=`, which anybody can write into an address."""
    error, description = tamed(given["error"], 100), tamed(given.get("error_description", ""), 300)
    fixes = {
        "invalid_scope": "oidc_scopes: the provider does not offer one of them",
        "unauthorized_client": "oidc_client_id: the provider does not allow this client the authorization code flow",
        "unsupported_response_type": "oidc_client_id: the provider does not allow this client the authorization code flow",
        "invalid_request": "oidc_issuer: the provider rejects the request",
        "access_denied": "the provider has refused the user, or the user the sign-in",
    }
    cause = f"{fixes.get(error, 'oidc_issuer: the provider answers with an error')}: {error} {description}".rstrip()
    denied = error == "access_denied"
    text = "has refused the sign-in" if denied else "could not carry out the sign-in"
    return OidcError(f"{configuration.host} {text} ({error}).", cause, 403 if denied else 502)


def _explain_rejection(
    status: int, content: Mapping[str, Any], configuration: OidcConfiguration, redirect_uri: str
) -> OidcError:
    """What the token endpoint says when it gives no tokens."""
    error, description = tamed(str(content.get("error", status)), 100), tamed(str(content.get("error_description", "")), 300)
    fixes = {
        "invalid_client": (
            f"oidc_client_secret: the provider rejects the secret of the client {configuration.client_id}; set "
            "JOURNEY_OIDC_CLIENT_SECRET, or the file oidc_client_secret_file, to the one that it shows"
        ),
        "invalid_grant": (
            f"oidc_issuer: the provider rejects the code: it was used already, has expired, or was not issued for {redirect_uri} "
            "(public_url)"
        ),
        "unauthorized_client": f"oidc_client_id: the provider does not allow {configuration.client_id} the authorization code flow",
    }
    fallback = (
        "oidc_client_secret: the provider rejects the client" if status == 401 else "oidc_issuer: the provider gives no tokens"
    )
    cause = f"{fixes.get(error, fallback)} ({error} {description}".rstrip() + ")"
    return OidcError(STALE if error == "invalid_grant" else AWAY, cause, 400 if error == "invalid_grant" else 502)
