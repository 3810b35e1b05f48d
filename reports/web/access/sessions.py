"""Who is signed in: a random id in the browser's cookie, of which the store has the hash."""

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
    """Somebody who is signed in, and the hash of what it was got with."""

    name: str
    credential: str


class SignIns:
    """Those of a store. Raises StoreDown when the database cannot be used."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, name: str, credential: str, now: datetime) -> str:
        """Signs somebody in; the id for the cookie. Those that have ended are removed."""
        made = token_urlsafe(32)
        row = {"id": _hash(made), "name": name, "credential": credential, "made_at": now, "ends_at": now + LASTS}
        with self._store.connected() as connection:
            connection.execute(delete(sign_ins).where(sign_ins.c.ends_at <= now))
            connection.execute(insert(sign_ins), [row])
        return made

    def get(self, cookie: str, now: datetime) -> SignIn | None:
        """Who has this cookie, unless it has ended."""
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
