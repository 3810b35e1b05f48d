"""Makes the tables of a new SQLite file in one go: what all migrations together leave, without importing Alembic for it."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection

STATEMENTS = Path(__file__).with_name("new_file.sql")
"""Written by `make schema` from the migrations."""
_BETWEEN = ";\n\n"


def create_tables(connection: Connection) -> None:
    """Makes all tables of the newest form, within the transaction that the connection has begun."""
    for statement in STATEMENTS.read_text().rstrip().split(_BETWEEN):
        connection.exec_driver_sql(statement)


def read_statements(connection: Connection) -> str:
    """The statements that make the tables of a SQLite database and the rows in them, as `create_tables` wants them."""
    driver: Any = connection.connection.dbapi_connection
    _begin, *statements, _commit = driver.iterdump()
    return _BETWEEN.join(one.removesuffix(";") for one in statements) + "\n"
