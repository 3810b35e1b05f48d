"""An OpenID provider over real HTTP on a free port, that can also be wrong: in what it says, signs, and answers."""

import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from secrets import token_urlsafe
from time import time
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from joserfc.jws import JWSRegistry

from tests.support.services.http_server import serving_handler

CLIENT, SECRET = "monitor", "a secret: with % and +"


@cache
def first_key() -> RSAKey:
    """The key of all providers; to make one takes a while."""
    return RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)


class IdentityProvider:
    """What it does, which a test changes."""

    def __init__(self) -> None:
        self.issuer = ""
        self.user: dict[str, Any] = {"sub": "248289761001", "preferred_username": "ada", "groups": ["operators"]}
        self.secret = SECRET
        self.metadata: dict[str, Any] = {}
        """Further metadata, or other."""
        self.change_claims: Callable[[dict[str, Any]], dict[str, Any]] = dict
        self.user_info: dict[str, Any] = {}
        self.answer: dict[str, str] = {}
        """Further parameters of the way back, or other."""
        self.algorithm = "RS256"
        self.down = False
        self.raw: bytes | None = None
        """What it answers instead of its description."""
        self.moved = ""
        """Where it redirects to."""
        self.requests: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.id_tokens: list[str] = []
        """Those that it has given out."""
        self.key = first_key()

    def rotate(self) -> None:
        """Signs with a new key from now on, and publishes no other."""
        self.key = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)

    def described(self) -> dict[str, Any]:
        """Its metadata."""
        known = {"issuer": self.issuer, "id_token_signing_alg_values_supported": ["RS256"], "jwks_uri": f"{self.issuer}/jwks"}
        known |= {f"{one}_endpoint": f"{self.issuer}/{one}" for one in ("authorization", "token", "userinfo", "end_session")}
        return known | self.metadata

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser goes from the authorization endpoint; the user is signed in at once."""
        code = token_urlsafe(8)
        self.codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.issuer} | self.answer
        return f"{query['redirect_uri']}?{urlencode({name: text for name, text in back.items() if text})}"

    def give_tokens(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The answer of the token endpoint."""
        name, _, secret = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        given = (
            (unquote_plus(name), unquote_plus(secret)) if authorization else (form.get("client_id"), form.get("client_secret"))
        )
        if given != (CLIENT, self.secret):
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form["code"], None)
        challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        if asked is None or asked["redirect_uri"] != form["redirect_uri"] or asked["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        now = int(time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **self.user}
        if "max_age" in asked:
            claims["auth_time"] = now
        token = self.sign(self.change_claims(claims))
        self.id_tokens.append(token)
        return 200, {"access_token": token_urlsafe(8), "token_type": "Bearer", "id_token": token}

    def sign(self, claims: dict[str, Any], **header: str) -> str:
        """A token with these claims."""
        key: RSAKey | OctKey = OctKey.import_key(self.secret) if self.algorithm == "HS256" else self.key
        header = {"alg": self.algorithm, **({"kid": key.kid} if key.kid else {}), **header}
        registry = JWSRegistry(algorithms=["RS256", "HS256", "none"])
        return jwt.encode(header, claims, key, registry=registry)

    def sign_out(self, *without: str, typ: str = "logout+jwt", **other: Any) -> str:
        """A logout token of its user, with some claims missing or of another value."""
        now = int(time())
        events: dict[str, Any] = {"http://schemas.openid.net/event/backchannel-logout": {}}
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": token_urlsafe(8), "events": events}
        claims |= {"sub": self.user["sub"], "sid": "08a5019c"} | other
        return self.sign({name: value for name, value in claims.items() if name not in without}, typ=typ)


def _handler(provider: IdentityProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
            provider.requests.append(path)
            if provider.down:
                self._send(503, {"error": "down"})
            elif provider.moved:
                self.send_response(302)
                self.send_header("Location", provider.moved)
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif provider.raw is not None:
                self.send_response(200)
                self.end_headers()
                with suppress(OSError):
                    self.wfile.write(provider.raw)
            elif path == "/.well-known/openid-configuration":
                self._send(200, provider.described())
            elif path == "/jwks":
                self._send(200, {"keys": [{"kty": "XY"}, provider.key.as_dict(private=False)]})
            elif path == "/userinfo":
                self._send(200, {"sub": provider.user["sub"], **provider.user_info})
            elif path == "/authorization":
                self.send_response(303)
                self.send_header("Location", provider.authorize(query))
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._send(200, {"page": path})

        def do_POST(self) -> None:
            provider.requests.append(self.path)
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._send(*provider.give_tokens(form, self.headers.get("authorization", "")))

        def _send(self, status: int, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


@contextmanager
def serving_identities() -> Iterator[IdentityProvider]:
    """A provider, until the block ends."""
    provider = IdentityProvider()
    with serving_handler(_handler(provider)) as provider.issuer:
        yield provider
