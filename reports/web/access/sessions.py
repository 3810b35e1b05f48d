"""Sign-in sessions: a random id in the browser's cookie, its hash in the store."""

from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from msgspec import Struct
from sqlalchemy import ColumnElement, delete, insert, select, update

from reports.web.access.oidc.credential import is_of_provider, owner_pattern
from runner.store import Store
from runner.store.tables.runs import sign_ins

LASTS = timedelta(hours=12)
"""After that a session ends, however busy it is …"""
IDLE = timedelta(hours=1)
"""… and after that without a request."""
STEP = timedelta(minutes=1)
"""How often a session in use is extended."""
COOKIE = "journey"
SECURE_COOKIE = "__Host-journey"
"""Over https: no other host, path or insecure page can have set it (RFC 6265bis, 4.1.3)."""
LONGEST_ID = 100


class SignIn(Struct, frozen=True):
    """A signed-in user, and the hash of the credential that was used."""

    name: str
    credential: str
    made_at: datetime
    ends_at: datetime


class OwnSession(Struct, frozen=True):
    """A session in a list; `id` is the hash of its cookie, which opens nothing."""

    id: str
    made_at: datetime
    ends_at: datetime


class SignIns:
    """The sign-ins in a store. Raises StoreDown when the database cannot be used."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, name: str, credential: str, now: datetime, before: str = "") -> str:
        """Starts a session and returns the id for the cookie. The session of the cookie `before` ends; expired ones are removed."""
        made = token_urlsafe(32)
        row = {"id": hash_cookie(made), "name": name, "credential": credential, "made_at": now, "ends_at": now + IDLE}
        with self._store.connected() as connection:
            connection.execute(delete(sign_ins).where((sign_ins.c.ends_at <= now) | (sign_ins.c.id == hash_cookie(before))))
            connection.execute(insert(sign_ins), [row])
        return made

    def get(self, cookie: str, now: datetime, extend: bool = True) -> SignIn | None:
        """The sign-in of this cookie, None if it has ended. It is in use again, unless `extend` is false."""
        if not 0 < len(cookie) <= LONGEST_ID:
            return None
        this = sign_ins.c.id == hash_cookie(cookie)
        columns = (sign_ins.c.name, sign_ins.c.credential, sign_ins.c.made_at, sign_ins.c.ends_at)
        with self._store.connected() as connection:
            row = connection.execute(select(*columns).where(this, sign_ins.c.ends_at > now)).first()
            if row is None:
                return None
            name, credential, made_at, ends_at = row
            until = min(now + IDLE, made_at + LASTS)
            if extend and until - ends_at >= STEP:
                connection.execute(update(sign_ins).where(this).values(ends_at=until))
                ends_at = until
        return SignIn(name, credential, made_at, ends_at)

    def of(self, who: SignIn, now: datetime) -> list[OwnSession]:
        """A user's sessions, newest first."""
        columns = (sign_ins.c.id, sign_ins.c.made_at, sign_ins.c.ends_at)
        wanted = select(*columns).where(*_own(who), sign_ins.c.ends_at > now).order_by(sign_ins.c.made_at.desc())
        with self._store.connected() as connection:
            return [OwnSession(*row) for row in connection.execute(wanted)]

    def end(self, cookie: str) -> None:
        """Signs out."""
        with self._store.connected() as connection:
            connection.execute(delete(sign_ins).where(sign_ins.c.id == hash_cookie(cookie)))

    def end_one(self, who: SignIn, id_: str) -> bool:
        """Ends a session of this user; False if there is none with this id."""
        with self._store.connected() as connection:
            return connection.execute(delete(sign_ins).where(*_own(who), sign_ins.c.id == id_)).rowcount > 0

    def end_like(self, credential: str) -> list[str]:
        """Ends all sessions whose credential fits an SQL pattern; the names of their users, one for each session."""
        which = sign_ins.c.credential.like(credential)
        with self._store.connected() as connection:
            names = list(connection.execute(select(sign_ins.c.name).where(which)).scalars())
            connection.execute(delete(sign_ins).where(which))
        return names


def _own(who: SignIn) -> tuple[ColumnElement[bool], ...]:
    if is_of_provider(who.credential):
        # Its users are known by their subject: a name and a role may change.
        return (sign_ins.c.credential.like(owner_pattern(who.credential)),)
    # By the credential too: whoever brings the token is named like a user called "token".
    return sign_ins.c.name == who.name, sign_ins.c.credential == who.credential


def hash_cookie(cookie: str) -> str:
    """How a cookie is stored."""
    return sha256(cookie.encode("utf-8", "replace")).hexdigest()
