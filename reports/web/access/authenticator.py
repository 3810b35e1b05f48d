"""Authentication: this machine only, a token, a name and password, an identity provider, or a reverse proxy that authenticates."""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from time import monotonic, time

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from reports.collector.admission.client_network import ClientNetworks, header_values
from reports.web.access.audit import AuditLog
from reports.web.access.csrf import normalize_origin
from reports.web.access.identity import Identity, TooManyGuesses, TooManyRequests, WrongGuess
from reports.web.access.oidc.credential import has_proved_presence, is_of_provider, read_role
from reports.web.access.oidc.opening import open_oidc
from reports.web.access.oidc.user import OidcUser
from reports.web.access.passwords import known_browser
from reports.web.access.passwords.guess_limits import GuessLimits
from reports.web.access.passwords.hashing import prepare_hasher, verify_password_in_turn
from reports.web.access.passwords.renewal import renew_password_hash
from reports.web.access.request_budget import RequestBudget
from reports.web.access.sessions import COOKIE, SECURE_COOKIE, OwnSession, SignIn, SignIns
from reports.web.access.trusted_hosts import TrustedHosts
from reports.web.access.users_file import NAME, User, UsersFile
from reports.web.render.html import root_path
from reports.web.server.server import is_loopback
from runner.errors import ConfigError
from runner.settings.settings import Settings
from runner.store import Store, StoreDown

PRESENT = timedelta(minutes=10)
"""How long a user who has authenticated again counts as present."""
MOST_CHECKS = 20
"""Passwords that wait to be checked; checking one takes about 50 ms."""
LONGEST_NAME = 100
"""Characters of a name in the store."""
BY_TOKEN = "token"  # noqa: S105 (the name of users who authenticate with it)


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
        self.open = not (token or settings.serve_users or header or settings.oidc_issuer)
        if self.open and not is_loopback(settings.serve_listen):
            raise ConfigError(
                f"serve_listen: {settings.serve_listen} is reachable from other machines, but no authentication is "
                "configured; set JOURNEY_SERVE_TOKEN (or serve_token_file), serve_users to the file that `journey user add` "
                "writes, oidc_issuer to an identity provider, or serve_proxy_user_header with trusted_proxies; or listen on 127.0.0.1"
            )
        self.requires_https = settings.require_https
        if self.requires_https and not (settings.trusted_proxies or is_loopback(settings.serve_listen)):
            raise ConfigError(
                "require_https: no proxy is trusted, so no request could be recognized as https; add the network of the proxy that "
                "speaks https to trusted_proxies"
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
        self._limits = GuessLimits(store, clock)
        self.oidc = open_oidc(settings, self._limits.used_once)
        self._checking = 0
        self.budget = RequestBudget(settings.serve_requests_per_minute, clock)
        self._https = (settings.public_url or "").startswith("https://")
        self.hosts = TrustedHosts(settings.serve_listen, settings.public_url)
        self._public_url = settings.public_url or ""
        self._public_origin = normalize_origin(settings.public_url or "")

    @property
    def by_token(self) -> bool:
        """Whether a token is configured."""
        return self._token is not None

    def check_budget(self, who: Identity) -> None:
        """Counts a request. Raises TooManyRequests when the user has made too many; on this machine alone, none are counted."""
        if who.way == "machine":
            return
        seconds = self.budget.take(f"{who.way} {who.name}")
        if seconds > 0:
            raise TooManyRequests(who.name, seconds)

    def is_private(self, request: HTTPConnection) -> bool:
        """Whether nobody on the network can read a request: it came by https to a trusted proxy, or from this machine alone."""
        said = self._forwarded(request, "x-forwarded-proto").lower()
        passed_on = any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-forwarded-proto"))
        return said == "https" if said else not passed_on and is_loopback(f"{self._peer(request)}:0")

    @property
    def has_sign_in(self) -> bool:
        """Whether people can sign in here; otherwise authentication is off, or done by a proxy."""
        return bool(self.users or self.by_token or self.oidc)

    async def who(self, request: HTTPConnection, extend: bool = True) -> Identity | None:
        """The sender of a request, None if unknown; a session is in use again, unless `extend` is false.

        Raises TooManyGuesses, StoreDown, and ConfigError for an unreadable users file.
        """
        if self.open:
            return Identity(name="", role="operate")
        given = request.headers.get("authorization", "")
        if given[:7].lower() == "bearer ":
            await self.check_token(request, given[7:].strip())
            self.audit.note_use("the token was used", user=BY_TOKEN, network=self.network(request))
            return Identity(name=BY_TOKEN, role="operate", way="bearer")
        named = self._forwarded(request, self._header) if self._header else ""
        if named and NAME.fullmatch(named):
            known = self.users.get(named) if self.users else None
            self.audit.note_use(f"{named} came through the proxy", user=named, network=self.network(request))
            return Identity(name=named, role=known.role if known else "view", way="proxy")
        found = await self.session(request, extend)
        return self._identify(found) if found else None

    async def session(self, request: HTTPConnection, extend: bool = False) -> SignIn | None:
        """The session of the request's cookie, None if it has ended. Raises StoreDown."""
        cookie = request.cookies.get(self.cookie(request), "")
        return await run_in_threadpool(self.sign_ins.get, cookie, self._now(), extend) if cookie else None

    def remaining(self, session: SignIn) -> float:
        """Seconds until a session ends if it is not used."""
        return (session.ends_at - self._now()).total_seconds()

    async def is_signed_in(self, request: HTTPConnection) -> bool:
        """Whether the session of a request is still there, without using it."""
        try:
            found = await self.session(request)
        except StoreDown:
            # Nothing is known, and nothing is shown either while the database is away.
            return True
        return found is not None and self._identify(found) is not None

    def _identify(self, session: SignIn) -> Identity | None:
        """The user of a session with the current role; None for one who was removed, or whose password or settings have changed."""
        name, credential = session.name, session.credential
        if self.oidc and is_of_provider(credential):
            role = read_role(credential, self.oidc.configuration)
            recent = has_proved_presence(credential) and self._now() - session.made_at <= PRESENT
            return Identity(name=name, role=role, way="provider", proved_presence=recent) if role else None
        if self._token is not None and hmac.compare_digest(credential, _credential(self._token)):
            return Identity(name=name, role="operate", way="token")
        user = self.users.get(name) if self.users else None
        known = user is not None and hmac.compare_digest(credential, user.credential)
        return Identity(name=name, role=user.role, way="password") if user and known else None

    async def check_token(self, request: HTTPConnection, given: str) -> None:
        """Raises TooManyGuesses while attempts are not checked, and WrongGuess when it is not the token."""
        network = self.network(request)
        right = self._token is not None and hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode())

        self._slow(await self._limits.count_token(network, BY_TOKEN, right), network)
        if not right:
            self.audit.refuse("a request was refused: the token is wrong", network=network)
            raise WrongGuess("the token is wrong")

    async def check_provider(self, request: HTTPConnection) -> None:
        """Counts an answer of the provider, which a stranger may have made up. Raises TooManyGuesses while none is checked."""
        network = self.network(request)
        self._slow(await self._limits.count_answer(network), network)

    async def check_password(self, request: HTTPConnection, name: str, given: str) -> User:
        """The user of this name and password. Raises TooManyGuesses while attempts are not checked, and WrongGuess."""
        network, account = self.network(request), name[:100].lower()
        user = self.users.get(name) if self.users else None
        known = user.name if user else ""
        browser = known_browser.recognize_browser(user, request.cookies.get(self.browser_cookie(request), ""), time())
        if self._checking >= MOST_CHECKS:
            self._slow(1.0, network, known)
        self._slow(await self._limits.count_password(network, account, browser), network, known)
        self._checking += 1
        try:
            right = await verify_password_in_turn(user, given)
        finally:
            self._checking -= 1
        if not right or user is None or self.users is None:
            # What is not the name of a user may be a password in the wrong field.
            self.audit.refuse(f"the sign-in of {known or 'an unknown user'} was refused", user=known, network=network)
            raise WrongGuess("the name or the password is wrong")
        await self._limits.forget_password(network, account, browser)
        await renew_password_hash(self.users, user, given)
        return self.users.get(name) or user

    async def sign_in(self, request: HTTPConnection, user: User | OidcUser | None) -> str:
        """Starts a session for a checked user, or for the token, and ends the one of the request's cookie; returns the cookie's value.

        Raises StoreDown.
        """
        known = user.name if user else BY_TOKEN
        if isinstance(user, OidcUser):
            await self._limits.forget_answer(self.network(request))
            if self._header or known == BY_TOKEN or (self.users and self.users.get(known)):
                # The name may be somebody else's by another way: the log and the pages must not mistake one for the other.
                known = f"{known} ({self.oidc.configuration.host if self.oidc else ''})"[:LONGEST_NAME]
        credential = user.credential if user else _credential(self._token or "")
        before = request.cookies.get(self.cookie(request), "")
        cookie = await run_in_threadpool(self.sign_ins.begin, known, credential, self._now(), before)
        how = " through the identity provider" if isinstance(user, OidcUser) else ""
        self.audit.record("sign-in", f"{known} signed in{how}", user=known, network=self.network(request))
        return cookie

    def own_sessions(self, session: SignIn) -> list[OwnSession]:
        """All sessions of the user of a session. Raises StoreDown."""
        return self.sign_ins.of(session, self._now())

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

    def public_address(self, request: HTTPConnection) -> str:
        """The address of the dashboard for browsers: `public_url`, or on this machine alone the one that was requested."""
        scheme = "https" if self.https(request) else "http"
        return (self._public_url or f"{scheme}://{request.headers.get('host', '')}{root_path(request)}").rstrip("/")

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


def _credential(token: str) -> str:
    return sha256(f"token\0{token}".encode()).hexdigest()
