"""A database as an earlier version of this program has left it."""

from alembic import command

from runner.store import Store
from runner.store.migrations.upgrade import migrations


def back_to(revision: str, store: Store) -> None:
    """Undoes the migrations after this one."""
    with store.connected() as connection:
        command.downgrade(migrations(connection), revision)
