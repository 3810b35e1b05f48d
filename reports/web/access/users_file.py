"""The users of the dashboard: lines `name:role:hash` in a file, hashed with Argon2 (RFC 9106)."""

import os
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Literal

from msgspec import Struct

from runner.errors import ConfigError

Role = Literal["view", "operate"]
ROLES: tuple[Role, ...] = ("view", "operate")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
SHORTEST = 8
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
    """The users in a file; changes take effect while the server runs."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: tuple[int, int, int] | None = None
        self._users: Mapping[str, User] = {}
        self.get("")

    def get(self, name: str) -> User | None:
        """A user by name. Raises ConfigError when the file cannot be read."""
        try:
            state = self._file.stat()
        except OSError as error:
            raise ConfigError(
                f"serve_users: {self._file} cannot be read: {error.strerror}; create it with `journey user add NAME --role view`"
            ) from error
        seen = (state.st_mtime_ns, state.st_size, state.st_ino)
        if seen != self._seen:
            self._users = read_users(self._file)
            self._seen = seen
        return self._users.get(name)


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
