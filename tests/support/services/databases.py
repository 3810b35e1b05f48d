"""Databases with all tables and nothing in them, each a copy: making the tables takes longer than most tests."""

import math
from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

import pytest

from runner.store import Store
from runner.store.engines import contact
from tests.support.thorough import thorough_but


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database, to be copied."""
    file = tmp_path_factory.mktemp("empty") / "journeys.db"
    with Store(f"sqlite:///{file}"):
        return file


def copied(empty: Path, folder: Path) -> str:
    """A copy of it in a folder; its address."""
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{copyfile(empty, folder / empty.name)}"


@pytest.fixture(scope="session")
def migrated(postgres: Callable[..., str]) -> str:
    """A PostgreSQL database, to be copied."""
    made = postgres()
    with Store(made):
        return made


@pytest.fixture(scope="session")
def postgres_copy(postgres: Callable[..., str], migrated: str) -> Callable[[], str]:
    """Makes PostgreSQL databases with all tables and nothing in them."""
    return lambda: postgres(like=migrated)


BOTH = thorough_but(1, ["sqlite", "postgres"])
"""The kinds of databases, for tests of what is asked of one: `make test` asks the first alone. What is stored, is tested in both."""


def empty_database(request: pytest.FixtureRequest, folder: Path) -> str:
    """An empty database of the kind that a fixture's parameter names; its address."""
    if request.param == "sqlite":
        return copied(request.getfixturevalue("empty"), folder)
    return str(request.getfixturevalue("postgres_copy")())


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    return empty_database(request, tmp_path)


@pytest.fixture(autouse=True)
def _old_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server of the tests has just been started, and their times are made up: it is to count as one that has run for long."""
    monkeypatch.setattr(contact, "read_seconds_up", lambda _: math.inf)
