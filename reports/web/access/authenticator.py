"""Authentication: this machine only, a token, a name and password, or a reverse proxy that authenticates."""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from time import monotonic

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from reports.collector.admission.client_network import ClientNetworks
from reports.web.access.backoff import Backoff
from reports.web.access.csrf import normalize_origin
from reports.web.access.password import prepare_hasher, verify_password
from reports.web.access.sessions import COOKIE, SECURE_COOKIE, SignIns
from reports.web.access.trusted_hosts import TrustedHosts
from reports.web.access.users_file import NAME, Role, UsersFile
from reports.web.server.server import is_loopback
from runner.errors import ConfigError, JourneyError
from runner.settings.settings import Settings
from runner.store import Store

LONGEST_OF_NAME = 60.0
LONGEST_OF_NETWORK = 300.0
"""Seconds: the longest wait before the next attempt. It is short for a name, since others can cause it."""
BY_TOKEN = "token"  # noqa: S105 (the name of users who authenticate with it)


class Identity(Struct, frozen=True, kw_only=True):
    """An authenticated user."""

    name: str
    """Empty where the machine itself is the only user."""
    role: Role
    signed_in: bool = False
    by_header: bool = False
    """Authenticated by a token in a header, which no page elsewhere can make a browser send."""


class TooManyGuesses(JourneyError):
    """Too many failed attempts; `seconds` until the next one is checked."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"too many failed attempts; try again in {seconds:.0f} s")
        self.seconds = seconds


class Authenticator:
    """Identifies users. Raises ConfigError when the dashboard is reachable from other machines without authentication."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        token, header = settings.serve_token, settings.serve_proxy_user_header
        if header and not settings.trusted_proxies:
            raise ConfigError(
                f"serve_proxy_user_header: {header} is set, but no proxy is trusted; add the proxy's network to trusted_proxies"
            )
        self.open = not (token or settings.serve_users or header)
        if self.open and not is_loopback(settings.serve_listen):
            raise ConfigError(
                f"serve_listen: {settings.serve_listen} is reachable from other machines, but no authentication is "
                "configured; set JOURNEY_SERVE_TOKEN (or serve_token_file), serve_users to the file that `journey user add` "
                "writes, or serve_proxy_user_header with trusted_proxies; or listen on 127.0.0.1"
            )
        self._token = token.reveal() if token else None
        self.users = UsersFile(settings.serve_users) if settings.serve_users else None
        if self.users:
            prepare_hasher()
        self._header = header
        self._networks = ClientNetworks(settings.trusted_proxies)
        self._sign_ins = SignIns(store)
        self._now = now
        self._names = Backoff(LONGEST_OF_NAME, clock)
        self._nets = Backoff(LONGEST_OF_NETWORK, clock)
        self._https = (settings.public_url or "").startswith("https://")
        self.hosts = TrustedHosts(settings.serve_listen, settings.public_url)
        self._public_origin = normalize_origin(settings.public_url or "")

    @property
    def by_token(self) -> bool:
        """Whether a token is configured."""
        return self._token is not None

    async def who(self, request: HTTPConnection) -> Identity | None:
        """The sender of a request; None if unknown. Raises TooManyGuesses, StoreDown, and ConfigError for an unreadable users file."""
        if self.open:
            return Identity(name="", role="operate")
        given = request.headers.get("authorization", "")
        if given[:7].lower() == "bearer ":
            self.check_token(request, given[7:].strip())
            return Identity(name=BY_TOKEN, role="operate", by_header=True)
        named = request.headers.get(self._header, "") if self._header else ""
        if named and NAME.fullmatch(named) and self._networks.trusts(self._peer(request)):
            known = self.users.get(named) if self.users else None
            return Identity(name=named, role=known.role if known else "view")
        cookie = request.cookies.get(self.cookie(request), "")
        found = await run_in_threadpool(self._sign_ins.get, cookie, self._now()) if cookie else None
        if found is None:
            return None
        role = self._role(found.name, found.credential)
        return Identity(name=found.name, role=role, signed_in=True) if role else None

    def _role(self, name: str, credential: str) -> Role | None:
        """The current role; None for users who were removed or whose password has changed."""
        if self._token is not None and hmac.compare_digest(credential, _credential(self._token)):
            return "operate"
        user = self.users.get(name) if self.users else None
        return user.role if user and hmac.compare_digest(credential, user.credential) else None

    def check_token(self, request: HTTPConnection, given: str) -> None:
        """Raises TooManyGuesses while attempts are not checked, and WrongGuess when it is not the token."""
        network = self._network(request)
        self._slow(self._nets.wait(network))
        self._nets.wrong(network)
        if self._token is None or not hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode()):
            raise WrongGuess("the token is wrong")
        self._nets.right(network)

    async def check_password(self, request: HTTPConnection, name: str, given: str) -> None:
        """Raises TooManyGuesses while attempts are not checked, and WrongGuess when it is not the password of this name."""
        network, key = self._network(request), name[:100].lower()
        self._slow(max(self._nets.wait(network), self._names.wait(key)))
        # Counted before the check; otherwise many at the same time would all be checked.
        self._nets.wrong(network)
        self._names.wrong(key)
        user = self.users.get(name) if self.users else None
        if not await run_in_threadpool(verify_password, user, given):
            raise WrongGuess("the name or the password is wrong")
        self._nets.right(network)
        self._names.right(key)

    async def sign_in(self, name: str | None) -> str:
        """Starts a session for a checked user, or for the token; returns the cookie's value. Raises StoreDown."""
        user = self.users.get(name) if self.users and name is not None else None
        credential = user.credential if user else _credential(self._token or "")
        return await run_in_threadpool(self._sign_ins.begin, user.name if user else BY_TOKEN, credential, self._now())

    async def sign_out(self, request: HTTPConnection) -> None:
        """Ends the session of the request's cookie. Raises StoreDown."""
        cookie = request.cookies.get(self.cookie(request), "")
        if cookie:
            await run_in_threadpool(self._sign_ins.end, cookie)

    def https(self, request: HTTPConnection) -> bool:
        """Whether the browser uses https, according to the settings or a trusted proxy."""
        return self._https or self._is_forwarded_https(request)

    def own_origins(self, request: HTTPConnection) -> set[str]:
        """The origins of our own pages as the sender of this request sees them: from its Host header, and from `public_url`."""
        host = request.headers.get("host", "")
        secure = {normalize_origin(f"https://{host}")}
        # Where https is known to be used, an http page of the same host is not ours: anybody on the network path could have written it.
        only_secure = self._is_forwarded_https(request) or self._public_origin in secure
        own = secure if only_secure else secure | {normalize_origin(f"http://{host}")}
        return (own | {self._public_origin}) - {""}

    def cookie(self, request: HTTPConnection) -> str:
        """The cookie's name."""
        return SECURE_COOKIE if self.https(request) else COOKIE

    def _is_forwarded_https(self, request: HTTPConnection) -> bool:
        return request.headers.get("x-forwarded-proto", "") == "https" and self._networks.trusts(self._peer(request))

    def _peer(self, request: HTTPConnection) -> str:
        return request.client.host if request.client else ""

    def _network(self, request: HTTPConnection) -> str:
        return self._networks.of(self._peer(request), request.headers.get("x-forwarded-for", ""))

    def _slow(self, seconds: float) -> None:
        if seconds > 0:
            raise TooManyGuesses(max(seconds, 1.0))


class WrongGuess(JourneyError):
    """A wrong token, name or password."""


def _credential(token: str) -> str:
    return sha256(f"token\0{token}".encode()).hexdigest()
