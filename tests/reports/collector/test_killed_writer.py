"""Whenever the process is killed: what was answered for is stored, nothing is stored in part, roll-ups are what the rows say."""

import random
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.collector.storage.group_commit import Writer
from tests.reports.collector.arrivals import check_rollups, rows
from tests.support.wait import let_pass


def killed(url: str, after: float) -> list[str]:
    """The ids of the beacons that a process answered for until it was killed, so many seconds after the first."""
    command = [sys.executable, "-m", "tests.reports.collector.flood", url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], 30)
        assert ready, "nothing was stored within 30 s"
        let_pass(after, "it is killed at any moment")
    finally:
        process.kill()
        told, errors = process.communicate()
    assert errors == b""
    return told.decode().split("\n")[:-1]


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("database", "rounds"), [("sqlite", 20), ("postgres", 8)])
def test_killed_at_any_moment_the_writer_loses_nothing_and_doubles_nothing(
    database: str, rounds: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if database == "sqlite":
        url = f"sqlite:///{tmp_path / 'journeys.db'}"
    else:
        make: Callable[[], str] = request.getfixturevalue("postgres")
        url = make()
    moments = random.Random(9)
    answered: set[str] = set()
    for _ in range(rounds):
        answered |= set(killed(url, moments.uniform(0.0, 0.6)))
    with Writer(url):
        pass
    stored = {id_ for (id_,) in rows(url, "SELECT id FROM beacons")}
    assert len(answered) > 10 * rounds
    assert answered - stored == set()
    begun = {id_ for id_ in stored if not id_.endswith("-late")}
    late = {id_.removesuffix("-late") for id_ in stored - begun}
    assert late <= begun
    views = rows(url, "SELECT id, number, errors, interactions FROM page_views")
    assert {id_.removesuffix("-view") for id_, *_ in views} == begun
    vitals: dict[int, dict[str, float]] = {}
    for number, name, value in rows(url, "SELECT view, name, value FROM vitals"):
        vitals.setdefault(number, {})[name] = value
    acted = [number for (number,) in rows(url, "SELECT view FROM interactions")]
    failed = {number for (number,) in rows(url, "SELECT view FROM page_errors")}
    assert sorted(acted) == sorted(number for _, number, *_ in views)
    for id_, number, errors, interactions in views:
        whole = id_.removesuffix("-view") in late
        assert vitals[number] == ({"lcp": 2.6, "cls": 0.02, "inp": 0.1} if whole else {"lcp": 1.0, "cls": 0.02})
        assert (errors, interactions, number in failed) == (int(whole), 1, whole)
    assert rows(url, "SELECT count(*), sum(views), sum(errors) FROM sessions") == [(len(begun), len(begun), len(late))]
    assert rows(url, "SELECT count, views FROM reasons") == [(len(late), len(late))]
    check_rollups(url)
