"""Keys under which the parts of the plugin find each other's data in pytest's stashes."""

import pytest

from runner.dsl.journey import Journey
from runner.pytest_plugin.project import PytestProject

PROJECT = pytest.StashKey[PytestProject]()
"""In the stash of the config: the project whose journeys are run."""
JOURNEY = pytest.StashKey[Journey]()
"""In the stash of an item: its journey."""
SETUP = pytest.StashKey[Journey | None]()
"""In the stash of an item: the journey that signs it in; None when it has none."""
