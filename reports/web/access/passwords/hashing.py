"""Passwords, hashed and verified with Argon2; unknown names take as long as known ones."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

from reports.web.access.passwords.strength import check_password_strength
from reports.web.access.users_file import LONGEST, NO_PASSWORD, User
from runner.errors import ConfigError
from runner.installation import install_command

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_threads = ThreadPoolExecutor(2, "passwords")
"""Each verification takes 64 MiB: many at a time could exhaust the memory. They take no thread that pages need."""


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


def hash_password(password: str, name: str = "") -> str:
    """The hash of a new password of user `name`. Raises ConfigError for one that is easy to guess."""
    check_password_strength(password, name)
    return _hasher().hash(password)


def verify_password(user: User | None, password: str) -> bool:
    """Whether it is the password of `user`; False without a user."""
    hasher = _hasher()
    from argon2.exceptions import InvalidHashError, VerificationError

    known = user is not None and user.hash != NO_PASSWORD
    try:
        hasher.verify(user.hash if user is not None and known else _nobody(), password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return known and len(password) <= LONGEST


def renew_hash(user: User, password: str) -> str:
    """A hash of the user's password with the present parameters; empty if the one in the file cost as much."""
    from argon2 import extract_parameters

    hasher, was = _hasher(), extract_parameters(user.hash)
    costs_less = was.memory_cost < hasher.memory_cost or was.time_cost < hasher.time_cost
    return hasher.hash(password) if costs_less else ""


async def renew_hash_in_turn(user: User, password: str) -> str:
    """`renew_hash`, in one of the two threads for it."""
    return await asyncio.get_running_loop().run_in_executor(_threads, renew_hash, user, password)


async def verify_password_in_turn(user: User | None, password: str) -> bool:
    """`verify_password`, in one of the two threads for it."""
    return await asyncio.get_running_loop().run_in_executor(_threads, verify_password, user, password)


async def hash_password_in_turn(password: str, name: str) -> str:
    """`hash_password`, in one of the two threads for it."""
    return await asyncio.get_running_loop().run_in_executor(_threads, hash_password, password, name)
