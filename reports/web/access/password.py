"""Passwords, hashed and verified with Argon2; unknown names take as long as known ones."""

from functools import cache
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from reports.web.access.users_file import LONGEST, NO_PASSWORD, SHORTEST, User
from runner.errors import ConfigError
from runner.installation import install_command

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_AT_ONCE = BoundedSemaphore(2)
"""Each verification takes 64 MiB: many at a time could exhaust the memory."""


@cache
def _hasher() -> "PasswordHasher":
    try:
        from argon2 import PasswordHasher
    except ModuleNotFoundError as error:
        raise ConfigError(f"serve_users: argon2-cffi is missing; install it with: {install_command('serve')}") from error
    return PasswordHasher()


@cache
def _nobody() -> str:
    return _hasher().hash("a password that nobody has")


def prepare_hasher() -> None:
    """Prepares the first verification. Raises ConfigError when argon2-cffi is missing."""
    _nobody()


def hash_password(password: str) -> str:
    """The hash of a new password. Raises ConfigError for one that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise ConfigError(f"a password must have {SHORTEST} to {LONGEST} characters; this one has {len(password)}")
    return _hasher().hash(password)


def verify_password(user: User | None, password: str) -> bool:
    """Whether it is the password of `user`; False without a user."""
    hasher = _hasher()
    from argon2.exceptions import InvalidHashError, VerificationError

    known = user is not None and user.hash != NO_PASSWORD
    with _AT_ONCE:
        try:
            hasher.verify(user.hash if user is not None and known else _nobody(), password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
    return known and len(password) <= LONGEST
