"""Whenever the process is killed: what was answered for is stored, nothing is stored in part, roll-ups are what the rows say."""

import os
import random
import select
from multiprocessing import get_context
from pathlib import Path

import pytest

from reports.collector.storage.group_commit import Writer
from tests.reports.collector import flood
from tests.reports.collector.arrivals import check_rollups, rows
from tests.support.needs import needs
from tests.support.wait import let_pass

FORKS = get_context("forkserver")
"""Each process is a copy of one that has imported everything, which takes longer than what is tried here."""
FORKS.set_forkserver_preload([flood.__name__])


@needs("real_time")
def killed(url: str, after: float) -> list[str]:
    """The ids of the beacons that a process answered for until it was killed, so many seconds after the first."""
    told, tells = FORKS.Pipe(duplex=False)
    errors, fails = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=flood.store, args=(url, tells, fails))
    process.start()
    tells.close()
    fails.close()
    with told, errors:
        try:
            ready, _, _ = select.select([told], [], [], 30)
            assert ready, "nothing was stored within 30 s"
            let_pass(after, "it is killed at any moment")
        finally:
            process.kill()
            answered = read_all(told.fileno())
            process.join()
        assert read_all(errors.fileno()) == b""
    return answered.decode().split("\n")[:-1]


def read_all(descriptor: int) -> bytes:
    """What comes until the other end is closed."""
    return b"".join(iter(lambda: os.read(descriptor, 65_536), b""))


@pytest.mark.thorough
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("database", "rounds"), [("sqlite", 20), ("postgres", 8)])
def test_killed_at_any_moment_the_writer_loses_nothing_and_doubles_nothing(
    database: str, rounds: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'journeys.db'}" if database == "sqlite" else request.getfixturevalue("postgres_copy")()
    moments = random.Random(9)
    answered: set[str] = set()
    for _ in range(rounds):
        answered |= set(killed(url, moments.uniform(0.0, 0.6)))
    with Writer(url):
        pass
    stored = {id_ for (id_,) in rows(url, "SELECT id FROM beacons")}
    # On a busy machine a round may be over soon after its first beacons.
    assert len(answered) > 2 * rounds
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
