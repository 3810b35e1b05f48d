"""What of a matrix `make test` tries, and what only `make thorough`."""

from collections.abc import Iterable
from typing import Any

import pytest


def thorough_but(count: int, values: Iterable[Any]) -> list[Any]:
    """The values of a parameter, of which all but the first so many are marked `thorough`.

    A value is what `parametrize` takes: one value, a tuple of several, or a `pytest.param`, whose id and marks are kept.
    """
    given = list(values)
    assert 0 < count < len(given), f"{count} of {len(given)} values leave none for `make thorough` or for `make test`"
    return [*given[:count], *map(_mark_thorough, given[count:])]


def _mark_thorough(value: Any) -> Any:
    if isinstance(value, type(pytest.param())):
        return pytest.param(*value.values, marks=[*value.marks, pytest.mark.thorough], id=value.id)
    return pytest.param(*(value if isinstance(value, tuple | list) else (value,)), marks=pytest.mark.thorough)
