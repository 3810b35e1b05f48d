"""Requested runs, as a scheduler takes them."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from runner.store import Store
from runner.store.scheduling.requested_runs import RunRequest
from runner.store.scheduling.schedulers import SILENT
from runner.store.tables.requests import requested_runs
from runner.store.tables.runs import schedulers
from tests.support.requested_runs import ask, events, results
from tests.support.services.daemon import Daemon, look, tick
from tests.support.wait import wait_until

SHOWS = """
@journey
def shows(step, params):
    with step("say"):
        assert params["word"] == "hello", "another word"
"""
SITE_CHECK = """
@check(every="24h")
def answers(http):
    http.get("/", status=200)
"""
HANGS = """
import time
@journey(timeout="60s")
def hangs(step):
    with step("first"):
        pass
    with step("hang"):
        while True:
            time.sleep(0.1)
"""


@contextmanager
def opened(daemon: Daemon) -> Iterator[Store]:
    with Store(f"sqlite:///{daemon.folder / 'runs' / 'journeys.db'}") as store:
        yield store


def ended(store: Store, request: RunRequest) -> RunRequest:
    def read() -> RunRequest:
        found = store.requested_runs.read(request.id)
        assert found is not None
        return found

    wait_until(lambda: read().ended, "the requested runs end", 90.0)
    return read()


@pytest.mark.long
def test_requested_runs_are_made_beside_the_schedule_and_can_be_followed(daemon: Daemon) -> None:
    daemon.write(tick("24h") + SHOWS)
    daemon.start()
    daemon.wait_for_runs(1, "tick")
    with opened(daemon) as store:
        hello = ask(store, "shows", "tick", params={"word": "hello"}, release="r7")
        other = ask(store, "shows", "nothing", params={"word": "bye"})
        found = ended(store, hello)
        assert [(run.state, run.status) for run in found.runs] == [("done", "passed"), ("done", "passed")]
        second = ended(store, other)
        assert [(run.state, run.status) for run in second.runs] == [("done", "failed"), ("refused", None)]
        assert second.runs[1].detail == "the scheduler of the location local has no journey named nothing"
        wait_until(lambda: "StepEnded" in events(store, hello))
        assert set(results(store, hello)) == {run.id for run in hello.runs}
    rows = daemon.query(f'SELECT slot_at, "trigger", "release" FROM runs WHERE id = \'{hello.runs[0].id}\'')
    assert rows == [(None, "demand", "r7")]
    assert daemon.query("SELECT count(*) FROM slots WHERE journey = 'tick'") == [(1,)]
    assert daemon.metric("synthetic_requested_runs_total", reason="demand", status="passed") == 2
    assert daemon.metric("synthetic_runs_total", journey="tick") == 1, "metrics are about the schedule"
    assert daemon.stop() == 0


@pytest.mark.thorough
@pytest.mark.long
def test_a_run_whose_scheduler_is_killed_ends_as_an_error(daemon: Daemon) -> None:
    daemon.write(tick("24h") + HANGS)
    daemon.start()
    with opened(daemon) as store:
        request = ask(store, "hangs")
        wait_until(lambda: "StepStarted" in events(store, request))
        daemon.signal(signal.SIGKILL)
        assert daemon.process
        daemon.process.wait(10)
        daemon.start()
        (run,) = ended(store, request).runs
        assert (run.state, run.status) == ("done", "error")
        assert "the scheduler that had begun the run was killed" in results(store, request)[run.id]


OLD_SERVER = """
import math
from runner.store.engines import contact
contact.read_seconds_up = lambda _: math.inf
"""
"""The server of the tests has just been started: it is to count as one that has run for long."""


@pytest.mark.thorough
def test_the_run_of_a_killed_scheduler_is_taken_over_once_by_another(
    new_daemon: Callable[[str], Daemon], postgres_copy: Callable[[], str]
) -> None:
    database = postgres_copy()
    dead, other = new_daemon("dead"), new_daemon("other")
    for one in (dead, other):
        one.write(tick("24h") + HANGS)
    dead.start("--workers", "1", JOURNEY_DATABASE=database.replace("+psycopg", ""))
    with Store(database) as store:
        request = ask(store, "hangs")
        wait_until(lambda: "StepStarted" in events(store, request))
        other.start("--workers", "1", before=OLD_SERVER, JOURNEY_DATABASE=database.replace("+psycopg", ""))
        dead.signal(signal.SIGKILL)
        assert dead.process
        dead.process.wait(10)
        with store.connected() as connection:
            # As if it had been silent for a minute.
            mine = select(requested_runs.c.owner).where(requested_runs.c.id == request.runs[0].id).scalar_subquery()
            silent = datetime.now(UTC) - SILENT
            connection.execute(update(schedulers).where(schedulers.c.id == mine).values(seen_at=silent))
        (run,) = ended(store, request).runs
        assert (run.state, run.status) == ("done", "error")
        assert "the scheduler that had begun the run was killed" in results(store, request)[run.id]
        assert store.count(journey="hangs") == 1


@pytest.mark.thorough
def test_an_address_that_the_scheduler_does_not_allow_is_refused(daemon: Daemon) -> None:
    daemon.write(look("24h") + SHOWS)
    (daemon.folder / "journey.toml").write_text(f'remote_base_urls = ["{daemon.shop}"]\n')
    daemon.start()
    with opened(daemon) as store:
        refused = ask(store, "look", base_url="http://169.254.169.254/")
        made = ask(store, "look", base_url=f"{daemon.shop}/")
        assert ended(store, refused).runs[0].state == "refused"
        assert [run.status for run in ended(store, made).runs] == ["passed"]


@pytest.mark.thorough
def test_one_of_two_schedulers_makes_each_run(new_daemon: Callable[[str], Daemon], postgres_copy: Callable[[], str]) -> None:
    database = postgres_copy()
    for one in (new_daemon("one"), new_daemon("other")):
        one.write(tick("24h") + SHOWS)
        one.start("--workers", "1", JOURNEY_DATABASE=database.replace("+psycopg", ""))
    with Store(database) as store:
        request = ask(store, *["shows"] * 12, params={"word": "hello"})
        assert {run.status for run in ended(store, request).runs} == {"passed"}
        assert (store.count(journey="shows"), len(results(store, request))) == (12, 12)


@pytest.mark.thorough
def test_what_is_paused_set_aside_not_scheduled_or_a_check_is_run_when_somebody_asks(daemon: Daemon) -> None:
    daemon.write("from runner import check\n" + tick("24h") + tick("24h", "paused") + tick("24h", "held") + SHOWS + SITE_CHECK)
    (daemon.folder / "journey.toml").write_text(
        f'base_url = "{daemon.shop}"\n'
        '[[maintenance]]\njourneys = ["held"]\ncron = "* * * * *"\nduration = "1h"\nreason = "deployment"\n'
        f'[quarantine.shows]\nowner = "ada"\nreason = "known"\nuntil = {datetime.now(UTC).date() + timedelta(days=30)}\n'
    )
    daemon.start("--workers", "1")
    assert daemon.here("pause", "paused").returncode == 0
    with opened(daemon) as store:
        request = ask(store, "paused", "held", "shows", "answers", params={"word": "bye"}, reason="smoke")
        found = ended(store, request).runs
        assert [run.status for run in found] == ["passed", "passed", "failed", "passed"]
        assert '"owner":"ada"' in results(store, request)[found[2].id], "it is in quarantine here too"
