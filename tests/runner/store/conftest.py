"""What all tests of the store share."""

import math

import pytest

from runner.store.engines import contact


@pytest.fixture(autouse=True)
def _old_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server of the tests has just been started, and their times are made up: it is to count as one that has run for long."""
    monkeypatch.setattr(contact, "read_seconds_up", lambda _: math.inf)
