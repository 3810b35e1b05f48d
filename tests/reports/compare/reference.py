"""scipy.stats, what we are compared with: imported when it is first used, as that takes longer than collecting all tests."""

from importlib import import_module
from typing import Any


class _Stats:
    def __getattr__(self, name: str) -> Any:
        return getattr(import_module("scipy.stats"), name)


stats = _Stats()
