"""The users of the dashboard: lines `name:role:hash` in a file, hashed with Argon2 (RFC 9106)."""

import fcntl
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from msgspec import Struct
from msgspec.structs import replace

from runner.errors import ConfigError
from runner.settings.parsers.identity import DashboardRole

Role = DashboardRole
ROLES: tuple[Role, ...] = ("view", "operate")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
SHORTEST = 12
LONGEST = 1_024
"""Characters of a password."""
NO_PASSWORD = "-"  # noqa: S105 (a placeholder)


class User(Struct, frozen=True):
    """A user; `hash` is `-` for users who only come through a reverse proxy."""

    name: str
    role: Role
    hash: str

    @property
    def credential(self) -> str:
        """A text that changes with the password."""
        return sha256(f"{self.name}\0{self.hash}".encode()).hexdigest()


class UsersFile:
    """The users in a file; changes take effect while the server runs. `changed` is called with each change, in words."""

    def __init__(self, file: Path, changed: Callable[[str], None] = lambda _: None) -> None:
        self.file = file
        self._changed = changed
        self._seen: tuple[int, int, int] | None = None
        self._renewed: set[str] = set()
        self._users: Mapping[str, User] = {}
        self.get("")

    def get(self, name: str) -> User | None:
        """A user by name. Raises ConfigError when the file cannot be read."""
        try:
            state = self.file.stat()
        except OSError as error:
            raise ConfigError(
                f"serve_users: {self.file} cannot be read: {error.strerror}; create it with `journey user add NAME --role view`"
            ) from error
        seen = (state.st_mtime_ns, state.st_size, state.st_ino)
        if seen != self._seen:
            users, first = read_users(self.file), self._seen is None
            before, self._users, self._seen = self._users, users, seen
            for change in () if first else list_changes(before, users, self._renewed):
                self._changed(change)
        return self._users.get(name)

    def set_hash(self, user: User, hash_: str, renewed: bool = False) -> bool:
        """Replaces a user's hash, unless it has changed meanwhile: then False. `renewed` is one of the same password.

        Raises as `changing_users`.
        """
        with changing_users(self.file) as known:
            if user.name not in known or known[user.name].hash != user.hash:
                return False
            known[user.name] = replace(known[user.name], hash=hash_)
            if renewed:
                self._renewed.add(hash_)
        return True


def list_changes(before: Mapping[str, User], after: Mapping[str, User], renewed: Collection[str] = ()) -> list[str]:
    """What differs between two lists of users, without anything of a password. Hashes in `renewed` are of the same password as before.

    >>> list_changes({"ada": User("ada", "view", "-")}, {"ada": User("ada", "operate", "-"), "bob": User("bob", "view", "-")})
    ['user ada: the role is now operate', 'user bob was added with the role view']
    """
    found = [f"user {name} was removed" for name in before if name not in after]
    for name, user in after.items():
        known = before.get(name)
        if known is None:
            found.append(f"user {name} was added with the role {user.role}")
            continue
        found += [f"user {name}: the role is now {user.role}"] if known.role != user.role else []
        what = "password was hashed again, at a higher cost" if user.hash in renewed else "password was changed"
        found += [f"user {name}: the {what}"] if known.hash != user.hash else []
    return found


def read_users(file: Path) -> dict[str, User]:
    """All users in a file. Raises ConfigError that names the line."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"serve_users: {file} cannot be read: {error}") from error
    found: dict[str, User] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        role, _, hash_ = rest.partition(":")
        if not NAME.fullmatch(name) or role not in ROLES or not (hash_ == NO_PASSWORD or hash_.startswith("$argon2id$")):
            raise ConfigError(
                f"{file}:{number}: not a line `name:role:hash`; create it with `journey user add NAME --role view`"
            )
        if name in found:
            raise ConfigError(f"{file}:{number}: {name} is listed twice; remove one of the lines")
        found[name] = User(name, role, hash_)
    return found


def write_users(file: Path, users: Mapping[str, User]) -> None:
    """Replaces the file; other accounts on the machine cannot read it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=file.parent, prefix=".users-", delete=False, encoding="utf-8") as made:
        for one in users.values():
            made.write(f"{one.name}:{one.role}:{one.hash}\n")
        made.flush()
        os.fsync(made.fileno())
    Path(made.name).replace(file)


@contextmanager
def changing_users(file: Path) -> Iterator[dict[str, User]]:
    """The users, to be changed in the block and written when it ends; a change by another process at the same time waits for it.

    Nothing is written when the block raises. Raises ConfigError as `read_users` does, OSError when the folder cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(file.with_name(f".{file.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        users = read_users(file) if file.exists() else {}
        yield users
        write_users(file, users)
    finally:
        os.close(lock)
