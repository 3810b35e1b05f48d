"""Sign-in sessions: a random id in the browser's cookie, its hash in the store."""

from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from msgspec import Struct
from sqlalchemy import delete, insert, select

from runner.store import Store
from runner.store.tables.runs import sign_ins

LASTS = timedelta(hours=12)
COOKIE = "journey"
SECURE_COOKIE = "__Host-journey"
"""Over https: no other host, path or insecure page can have set it (RFC 6265bis, 4.1.3)."""
LONGEST_ID = 100


class SignIn(Struct, frozen=True):
    """A signed-in user, and the hash of the credential that was used."""

    name: str
    credential: str


class SignIns:
    """The sign-ins in a store. Raises StoreDown when the database cannot be used."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, name: str, credential: str, now: datetime) -> str:
        """Starts a session and returns the id for the cookie. Expired sessions are removed."""
        made = token_urlsafe(32)
        row = {"id": _hash(made), "name": name, "credential": credential, "made_at": now, "ends_at": now + LASTS}
        with self._store.connected() as connection:
            connection.execute(delete(sign_ins).where(sign_ins.c.ends_at <= now))
            connection.execute(insert(sign_ins), [row])
        return made

    def get(self, cookie: str, now: datetime) -> SignIn | None:
        """The sign-in of this cookie; None if it has expired."""
        if not 0 < len(cookie) <= LONGEST_ID:
            return None
        wanted = select(sign_ins.c.name, sign_ins.c.credential).where(sign_ins.c.id == _hash(cookie), sign_ins.c.ends_at > now)
        with self._store.connected() as connection:
            row = connection.execute(wanted).first()
        return SignIn(*row) if row else None

    def end(self, cookie: str) -> None:
        """Signs out."""
        with self._store.connected() as connection:
            connection.execute(delete(sign_ins).where(sign_ins.c.id == _hash(cookie)))


def _hash(cookie: str) -> str:
    return sha256(cookie.encode("utf-8", "replace")).hexdigest()
