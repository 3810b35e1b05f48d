"""When somebody is told."""

import pytest

from runner.scheduler.alerts.rules import Rules, judge
from runner.store.alerts.alerts import PastRun

MARKS = {
    "p": PastRun("passed", False, False),
    "~": PastRun("passed", True, False),
    "b": PastRun("passed", False, True),
    "f": PastRun("failed", False, False),
    "e": PastRun("error", False, False),
    "c": PastRun("cancelled", False, False),
    # In quarantine: failed, error, passed at a later attempt, over budget.
    "F": PastRun("failed", False, False, True),
    "E": PastRun("error", False, False, True),
    "?": PastRun("passed", True, False, True),
    "B": PastRun("passed", False, True, True),
}


def judged(history: str, rules: Rules | None = None, is_open: str = "") -> set[str]:
    """What is wrong after a history, oldest first."""
    past = [MARKS[mark] for mark in reversed(history)]
    return set(judge(past, rules or Rules(), frozenset(is_open.split())))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("history", "wrong"),
    [
        ("", set()),
        ("p", set()),
        ("pf", set()),
        ("pff", {"failing"}),
        ("pfcf", {"failing"}),
        ("pfef", set()),
        ("ffp", set()),
        ("pee", set()),
        ("peee", {"monitor"}),
        ("eeep", set()),
        ("bb", set()),
        ("bbb", {"budget"}),
        ("bbfb", {"budget"}),
        ("bbpb", set()),
        ("~~~ppp", set()),
        ("~~~ppppppp", {"flaky"}),
        ("~~pppppppp", set()),
        ("FFF", set()),
        ("fFf", {"failing"}),
        ("EEEE", set()),
        ("???ppppppp", set()),
        ("BBB", set()),
    ],
)
def test_an_alert_begins(history: str, wrong: set[str]) -> None:
    assert judged(history) == wrong


@pytest.mark.parametrize(
    ("history", "is_open", "wrong"),
    [
        ("fff", "failing", {"failing"}),
        ("ffe", "failing", {"failing"}),
        ("ffp", "failing", set()),
        ("eee", "monitor", {"monitor"}),
        ("eeef", "monitor", set()),
        ("bbbb", "budget", {"budget"}),
        ("bbbp", "budget", set()),
        ("~~pppppppp", "flaky", {"flaky"}),
        ("~ppppppppp", "flaky", set()),
    ],
)
def test_an_alert_ends(history: str, is_open: str, wrong: set[str]) -> None:
    assert judged(history, is_open=is_open) == wrong


def test_so_many_of_so_many() -> None:
    rules = Rules(after=0, of=(3, 5))
    assert judged("fpfpf", rules) == {"failing"}
    assert judged("ffppf", rules) == {"failing"}
    assert judged("fpfppf", rules) == set()
    assert judged("ffff", Rules(after=0)) == set()
