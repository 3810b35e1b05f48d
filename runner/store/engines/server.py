"""The engine for PostgreSQL. Every wait for the server has an end: a server that hangs is noticed as one that is away."""

import re
import time
from collections.abc import Generator
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, event, make_url

from runner.store.engines.patience import ANSWER

CONNECT = 5
"""Seconds for connecting to one host."""
FREE = 10.0
"""Seconds that a thread waits for a connection while all are in use."""
_HOSTS = re.compile(r"(?P<start>postgresql\+psycopg://(?:[^@/?]*@)?)(?P<hosts>[^@/?]*,[^@/?]*)(?P<rest>/.*)")


class NoAnswer(psycopg.OperationalError):
    """The server has not answered in time; the connection is closed, since nobody knows what it is doing."""


class PatientConnection(psycopg.Connection[Any]):
    """A connection that waits for each answer only so long."""

    patience = ANSWER

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **named: Any) -> Any:
        """Waits for what `gen` does with the server; psycopg calls it for everything after connecting."""
        try:
            return super().wait(_limited(gen, self.patience), *args, **named)
        except NoAnswer:
            self.pgconn.finish()
            raise


def _limited(gen: Generator[Any, Any, Any], patience: float) -> Generator[Any, Any, Any]:
    """What `gen` does, until nothing has come from the server for `patience` seconds."""
    until = time.monotonic() + patience
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                until = time.monotonic() + patience
            elif time.monotonic() > until:
                raise NoAnswer(f"the server has not answered for {patience:g} s")
            wanted = gen.send(ready)
    except StopIteration as done:
        return done.value


def parse_address(url: str) -> URL:
    """The address of a database, which may name several hosts as libpq does.

    >>> parse_address("postgresql+psycopg://me@a:1,b:2/runs?target_session_attrs=read-write").render_as_string()
    'postgresql+psycopg://me@/runs?host=a%2Cb&port=1%2C2&target_session_attrs=read-write'
    """
    several = _HOSTS.fullmatch(url)
    if several is None:
        return make_url(url)
    named = [re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::(\d*))?", one) for one in several["hosts"].split(",")]
    if not all(named):
        return make_url(url)
    hosts = ",".join(one[1].strip("[]") for one in named if one)
    ports = ",".join(one[2] or "5432" for one in named if one)
    address = make_url(several["start"] + several["rest"])
    return address.set(query={"host": hosts, "port": ports, **address.query})


def make_server_engine(url: str, **options: Any) -> Engine:
    """An engine; `options` are SQLAlchemy's. What the address itself says about connecting counts."""
    address = parse_address(url)
    # A server that has vanished silently is noticed within seconds, not after the system's quarter of an hour.
    # A database that was created without a locale (SQL_ASCII) gives bytes instead of texts otherwise.
    usual = {"connect_timeout": CONNECT, "tcp_user_timeout": 10_000, "client_encoding": "utf8"}
    usual |= {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
    given = {name: value for name, value in usual.items() if name not in address.query}
    engine = create_engine(address, hide_parameters=True, connect_args=given, **options)

    @event.listens_for(engine, "do_connect")
    def _connect(_: object, __: object, arguments: list[Any], named: dict[str, Any]) -> PatientConnection:
        return PatientConnection.connect(*arguments, **named)

    @event.listens_for(engine, "checkin")
    def _reset(connection: PatientConnection | None, _: object) -> None:
        if connection is not None:
            connection.patience = ANSWER

    return engine


def make_pooled_engine(url: str) -> Engine:
    """An engine that keeps connections open, and checks one before it is used again."""
    return make_server_engine(url, pool_pre_ping=True, pool_recycle=3600, pool_timeout=FREE)
