"""scipy.stats, what we are compared with: imported when it is first used, as that takes longer than collecting all tests."""

from importlib import import_module
from typing import Any


def stats() -> Any:
    """The module. A function: whoever asks an object for its attributes, as pytest does, would import it."""
    return import_module("scipy.stats")
