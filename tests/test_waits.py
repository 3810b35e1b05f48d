"""How tests wait: for conditions."""

import ast
from pathlib import Path

import pytest

from tests.support.wait import let_pass, wait_until

TESTS = Path(__file__).parent
WAIT = TESTS / "support" / "wait.py"


def sleeps(file: Path) -> list[str]:
    """The places at which a file sleeps; not those of programs and journeys that it only writes down."""
    text = file.read_text()
    # Parsing takes much longer than a search.
    tree = ast.parse(text if "sleep" in text or "wait_for_timeout" in text else "")
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [(call.lineno, call.func) for call in calls if isinstance(call.func, ast.Attribute)]
    return [
        f"{file.relative_to(TESTS)}:{line}"
        for line, func in named
        if func.attr == "wait_for_timeout"
        or (func.attr == "sleep" and isinstance(func.value, ast.Name) and func.value.id in {"time", "asyncio"})
    ]


@pytest.mark.long
def test_no_test_sleeps_but_where_it_says_why() -> None:
    assert [place for file in sorted(TESTS.rglob("*.py")) if file != WAIT for place in sleeps(file)] == []
    assert len(sleeps(WAIT)) == 5, "the search finds what it looks for"


def test_a_condition_that_does_not_come_true_is_named() -> None:
    with pytest.raises(AssertionError, match=r"waited 0\.1 s for the kettle to boil"):
        wait_until(lambda: False, "the kettle to boil", timeout=0.1)


def test_the_time_begins_anew_with_each_progress() -> None:
    steps = iter(range(10))

    def slowly() -> int:
        let_pass(0.1, "each step takes longer than half of what all may take")
        return next(steps)

    assert wait_until(lambda: slowly() == 5, timeout=0.15, progress=lambda: next(steps)) is True
