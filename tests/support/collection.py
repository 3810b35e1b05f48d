"""Collecting quickly: each process of the tests collects all of them before it runs its first."""

import gc
from collections.abc import Generator
from pathlib import Path

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Searches for examples in docstrings only in modules that have some: most have none, and a search costs more than an import."""
    found = yield
    # pytest has no public name for the class.
    searched = [one for one in found if type(one).__name__ == "DoctestModule"]
    if searched and b">>> " not in file_path.read_bytes():
        return [one for one in found if one not in searched]
    return found


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collects without searching for garbage; what was collected stays, and is not searched later either."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
