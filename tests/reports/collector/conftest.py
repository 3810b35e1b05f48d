"""Databases for tests of what is stored."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runner.store import Store


@pytest.fixture(scope="session")
def migrated(postgres: Callable[..., str]) -> str:
    """A PostgreSQL database with all tables, to be copied."""
    made = postgres()
    with Store(made):
        return made


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'journeys.db'}"
    make: Callable[..., str] = request.getfixturevalue("postgres")
    return make(like=request.getfixturevalue("migrated"))
