"""What a test needs beside Python: it is marked with what its fixtures and helpers announce.

Fixtures, functions, classes and methods announce with `@needs("browser")`. A test gets the markers of its fixtures, and of all
that it, its fixtures and its helpers name: globals of the tests, and methods of such classes. A fixture that is chosen by a
parameter counts by the parameter's value (`params=["sqlite", "postgres"]`). `make quick` leaves marked tests out. Playwright, the
module `subprocess` and `load_in_subprocess` need no announcement.
"""

import subprocess
from collections.abc import Callable, Iterable, Set
from functools import cache
from types import CodeType, FunctionType
from typing import Any, TypeVar

import pytest
from playwright.sync_api import sync_playwright

from runner.scheduler.loader import load_in_subprocess

MARKERS = {
    "browser": "runs a real browser",
    "postgres": "runs a PostgreSQL server",
    "real_time": "starts programs of its own and waits for them, or for the clock",
}
_OF_OTHERS = {
    id(sync_playwright): frozenset({"browser"}),
    id(subprocess): frozenset({"real_time"}),
    id(load_in_subprocess): frozenset({"real_time"}),
}
T = TypeVar("T", bound=Callable[..., Any])


def needs(*markers: str) -> Callable[[T], T]:
    """Announces that whoever uses a fixture, function, class or method needs these. Stands below `@pytest.fixture`."""
    assert set(markers) <= MARKERS.keys()

    def announce(what: T) -> T:
        what.needs = frozenset(markers)  # type: ignore[attr-defined]
        return what

    return announce


def needed(item: pytest.Function) -> frozenset[str]:
    """The markers that a test gets."""
    # pytest has no public way to the definitions of an item's fixtures.
    fixtures = [one.func for definitions in item._fixtureinfo.name2fixturedefs.values() for one in definitions]
    chosen = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return _reached(item.function, *fixtures) | {one for one in chosen if isinstance(one, str) and one in MARKERS}


def unannounced(item: pytest.Item) -> set[str]:
    """The markers that a test which has run lacks, by the fixtures that it has used, however they were chosen."""
    request = getattr(item, "_request", None)
    used = request._fixture_defs.values() if request is not None else ()
    return {need for one in used for need in getattr(one.func, "needs", ()) if item.get_closest_marker(need) is None}


@cache
def _reached(*functions: Callable[..., Any]) -> frozenset[str]:
    """The markers of what these reach; of a test with many parameters it is asked many times."""
    reached = _Reached()
    reached.follow(functions)
    return frozenset(reached.markers)


class _Reached:
    """What a test reaches by name."""

    def __init__(self) -> None:
        self.markers: set[str] = set()
        self._seen: set[object] = set()
        self._attributes: set[str] = set()
        self._methods: dict[str, list[object]] = {}

    def follow(self, those: Iterable[object]) -> None:
        """Takes in what is named, and whatever that names."""
        for one in those:
            self.markers |= _announced(one)
            one = _unwrapped(one)
            if not _is_of_tests(one) or one in self._seen:
                continue
            self._seen.add(one)
            if isinstance(one, type):
                for name, method in vars(one).items():
                    self._methods.setdefault(name, []).append(method)
                self._use({"__init__", "__enter__", *self._attributes})
            elif isinstance(one, FunctionType):
                announced, further = _links(one)
                self.markers |= announced
                self.follow(further)
                self._use(_names(one.__code__))

    def _use(self, attributes: Set[str]) -> None:
        """Follows the methods of these names, of all classes that have been reached."""
        self._attributes |= attributes
        for name in attributes & self._methods.keys():
            self.follow(self._methods.pop(name, ()))


def _announced(one: object) -> frozenset[str]:
    announced: frozenset[str] = _OF_OTHERS.get(id(one), getattr(one, "needs", frozenset()))
    return announced


def _unwrapped(one: object) -> object:
    one = one.fget if isinstance(one, property) else one
    return getattr(one, "__wrapped__", one)


def _is_of_tests(one: object) -> bool:
    return isinstance(one, FunctionType | type) and one.__module__.startswith("tests.")


@cache
def _links(function: FunctionType) -> tuple[frozenset[str], tuple[object, ...]]:
    """What the globals that a function names have announced, and those of them that are followed: many tests reach it."""
    named = [function.__globals__.get(name) for name in _names(function.__code__)]
    return frozenset().union(*map(_announced, named)), tuple(one for one in map(_unwrapped, named) if _is_of_tests(one))


@cache
def _names(code: CodeType) -> frozenset[str]:
    """The globals and the attributes that code and the functions inside it name."""
    inner = (one for one in code.co_consts if isinstance(one, CodeType))
    return frozenset(code.co_names).union(*map(_names, inner))
