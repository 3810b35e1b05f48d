"""Writes new_file.sql from the migrations: `make schema`."""

from alembic import command
from sqlalchemy import create_engine

from runner.store.migrations.new_file import STATEMENTS, read_statements
from runner.store.migrations.upgrade import migrations

if __name__ == "__main__":
    with create_engine("sqlite://").connect() as connection:
        command.upgrade(migrations(connection), "head")
        STATEMENTS.write_text(read_statements(connection))
