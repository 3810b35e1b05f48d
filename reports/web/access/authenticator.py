"""Authentication: this machine only, a token, a name and password, or a reverse proxy that authenticates."""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from time import monotonic

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from reports.collector.admission.client_network import ClientNetworks, header_values
from reports.web.access import known_browser
from reports.web.access.audit import AuditLog
from reports.web.access.backoff import AccountBudget, Backoff
from reports.web.access.csrf import normalize_origin
from reports.web.access.password import prepare_hasher, verify_password_in_turn
from reports.web.access.sessions import COOKIE, SECURE_COOKIE, OwnSession, SignIns
from reports.web.access.trusted_hosts import TrustedHosts
from reports.web.access.users_file import NAME, Role, UsersFile
from reports.web.server.server import is_loopback
from runner.errors import ConfigError, JourneyError
from runner.settings.settings import Settings
from runner.store import Store

LONGEST_WAIT = 300.0
"""Seconds: the longest wait of a network, or of a known browser, before the next attempt."""
MOST_CHECKS = 20
"""Passwords that wait to be checked; checking one takes about 50 ms."""
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
        self.audit = AuditLog(clock)
        self.users = UsersFile(settings.serve_users, self._note_change) if settings.serve_users else None
        if self.users:
            prepare_hasher()
        self._header = header
        self._networks = ClientNetworks(settings.trusted_proxies)
        self.sign_ins = SignIns(store)
        self._now = now
        self._accounts = AccountBudget(clock)
        self._nets = Backoff(LONGEST_WAIT, clock)
        self._browsers = Backoff(LONGEST_WAIT, clock)
        self._checking = 0
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
        named = self._forwarded(request, self._header) if self._header else ""
        if named and NAME.fullmatch(named):
            known = self.users.get(named) if self.users else None
            return Identity(name=named, role=known.role if known else "view")
        cookie = request.cookies.get(self.cookie(request), "")
        found = await run_in_threadpool(self.sign_ins.get, cookie, self._now()) if cookie else None
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
        network = self.network(request)
        self._slow(self._nets.wait(network), network)
        self._nets.wrong(network, BY_TOKEN)
        if self._token is None or not hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode()):
            self.audit.refuse("a request was refused: the token is wrong", network=network)
            raise WrongGuess("the token is wrong")
        self._nets.right(network, BY_TOKEN)

    async def check_password(self, request: HTTPConnection, name: str, given: str) -> None:
        """Raises TooManyGuesses while attempts are not checked, and WrongGuess when it is not the password of this name."""
        network, account = self.network(request), name[:100].lower()
        user = self.users.get(name) if self.users else None
        known = user.name if user else ""
        browser = known_browser.recognize_browser(user, request.cookies.get(self.browser_cookie(request), ""))
        counter, key = (self._browsers, browser) if browser else (self._nets, network)
        self._slow(max(counter.wait(key), 0.0 if browser else self._accounts.wait(account)), network, known)
        if self._checking >= MOST_CHECKS:
            self._slow(1.0, network, known)
        # Counted before the check; otherwise many at the same time would all be checked.
        counter.wrong(key, account)
        if not browser:
            self._accounts.take(account)
        self._checking += 1
        try:
            right = await verify_password_in_turn(user, given)
        finally:
            self._checking -= 1
        if not right:
            # What is not the name of a user may be a password in the wrong field.
            self.audit.refuse(f"the sign-in of {known or 'an unknown user'} was refused", user=known, network=network)
            raise WrongGuess("the name or the password is wrong")
        counter.right(key, account)

    async def sign_in(self, request: HTTPConnection, name: str | None) -> str:
        """Starts a session for a checked user, or for the token, and ends the one of the request's cookie; returns the cookie's value.

        Raises StoreDown.
        """
        user = self.users.get(name) if self.users and name is not None else None
        credential = user.credential if user else _credential(self._token or "")
        known = user.name if user else BY_TOKEN
        before = request.cookies.get(self.cookie(request), "")
        cookie = await run_in_threadpool(self.sign_ins.begin, known, credential, self._now(), before)
        self.audit.record("sign-in", f"{known} signed in", user=known, network=self.network(request))
        return cookie

    def own_sessions(self, request: HTTPConnection) -> list[OwnSession]:
        """The sessions of the user who has signed in. Raises StoreDown."""
        who = self.sign_ins.get(request.cookies.get(self.cookie(request), ""), self._now())
        return self.sign_ins.of(who, self._now()) if who else []

    def end_session(self, request: HTTPConnection, id_: str) -> bool:
        """Ends a session of the user who has signed in; False if it is not one. Raises StoreDown."""
        who = self.sign_ins.get(request.cookies.get(self.cookie(request), ""), self._now())
        return who is not None and self.sign_ins.end_one(who, id_)

    async def sign_out(self, request: HTTPConnection) -> None:
        """Ends the session of the request's cookie. Raises StoreDown."""
        cookie = request.cookies.get(self.cookie(request), "")
        if cookie:
            await run_in_threadpool(self.sign_ins.end, cookie)
        who: Identity | None = request.scope.get("access")
        if who is not None:
            self.audit.record("sign-out", f"{who.name} signed out", user=who.name, network=self.network(request))

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

    def browser_cookie(self, request: HTTPConnection) -> str:
        """The name of the cookie by which a browser is recognized."""
        return known_browser.SECURE_COOKIE if self.https(request) else known_browser.COOKIE

    def _is_forwarded_https(self, request: HTTPConnection) -> bool:
        return self._forwarded(request, "x-forwarded-proto").lower() == "https"

    def _forwarded(self, request: HTTPConnection, header: str) -> str:
        """What the nearest proxy says in a header, empty if it is not trusted; what stands before it, a visitor may have sent."""
        if not self._networks.trusts(self._peer(request)):
            return ""
        values = header_values(request.scope["headers"], header.lower().encode())
        return values[-1] if values else ""

    def _peer(self, request: HTTPConnection) -> str:
        return request.client.host if request.client else ""

    def network(self, request: HTTPConnection) -> str:
        """The network of a request's sender, as it is counted and logged."""
        return self._networks.of_request(self._peer(request), request.scope["headers"])

    def _slow(self, seconds: float, network: str, name: str = "") -> None:
        if seconds > 0:
            self.audit.refuse("an attempt was not checked: too many failed", user=name, network=network)
            raise TooManyGuesses(max(seconds, 1.0))

    def _note_change(self, change: str) -> None:
        self.audit.record("users", change)


class WrongGuess(JourneyError):
    """A wrong token, name or password."""


def _credential(token: str) -> str:
    return sha256(f"token\0{token}".encode()).hexdigest()
