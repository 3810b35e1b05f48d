"""Hashes that cost less than new ones are renewed at the sign-in, the only moment at which the password is known."""

import logging

from starlette.concurrency import run_in_threadpool

from reports.web.access.passwords.hashing import renew_hash_in_turn
from reports.web.access.users_file import User, UsersFile
from runner.errors import ConfigError

log = logging.getLogger("journey.serve")


async def renew_password_hash(users: UsersFile, user: User, password: str) -> None:
    """Replaces the hash of a password that was right, if the parameters have been raised since it was made."""
    hash_ = await renew_hash_in_turn(user, password)
    if not hash_:
        return
    try:
        await run_in_threadpool(users.set_hash, user, hash_, True)
    except (OSError, ConfigError) as error:
        # The old one is as good as it was.
        log.warning("the password of %s could not be hashed again at a higher cost: %s", user.name, error)
