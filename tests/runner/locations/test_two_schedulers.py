"""Two schedulers at two places, which share a database: what runs where, failures that the other place is asked about, a place that dies."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from runner.store import Store
from runner.store.alerts.mutes import read_alert_states
from runner.store.queries.runs import History
from tests.support.services.daemon import Daemon
from tests.support.wait import wait_until

CODE = """
import os
from runner import check
HERE = os.environ["JOURNEY_LOCATION"]
BOTH = ["frankfurt", "oregon"]

@check(every="15s", locations=BOTH)
def fails_in_oregon(http):
    http.get("/", status=404 if HERE == "oregon" else 200)

@check(every="15s", locations=BOTH)
def fails(http):
    http.get("/", status=404)

@check(every="15s", locations=["oregon"])
def only_there(http):
    http.get("/")

@check(every="5s", locations=BOTH, rotate=True)
def in_turn(http):
    http.get("/")
"""


@pytest.mark.thorough
@pytest.mark.timeout(1500)
def test_two_places_share_the_journeys_and_confirm_each_others_failures(
    new_daemon: Callable[[str], Daemon], postgres_copy: Callable[[], str]
) -> None:
    database = postgres_copy()
    frankfurt, oregon = new_daemon("frankfurt"), new_daemon("oregon")
    for one in (frankfurt, oregon):
        one.write(CODE)
        (one.folder / "journey.toml").write_text('confirm = "elsewhere"\nconfirm_within = "10m"\n')
        one.start(JOURNEY_DATABASE=database.replace("+psycopg", ""), JOURNEY_LOCATION=one.folder.name)
    with Store(database) as store:

        def failing() -> set[tuple[str, str]]:
            with store.snapshot() as connection:
                found = read_alert_states(connection, datetime.now(UTC))
            return {(one.journey, one.location) for one in found if one.kind == "failing"}

        def places(journey: str) -> set[str]:
            with store.snapshot() as connection:
                return {place for name, place in History(connection).places() if name == journey}

        def refuted() -> float:
            return oregon.metric("synthetic_location_failures_total", location="oregon", outcome="refuted") or 0.0

        wait_until(lambda: failing() >= {("fails", "frankfurt"), ("fails", "oregon")}, "both places alert", 240)
        wait_until(lambda: refuted() >= 1, "a failure is refuted", 240)
        wait_until(lambda: places("in_turn") == {"frankfurt", "oregon"}, "both have had their turn", 240)
        assert {journey for journey, _ in failing()} == {"fails"}
        assert places("only_there") == {"oregon"}
        with store.snapshot() as connection:
            wanted = "SELECT slot_at FROM slots WHERE journey = 'in_turn' GROUP BY slot_at HAVING count(*) > 1"
            assert connection.execute(text(wanted)).all() == []
        wait_until(lambda: frankfurt.metric("synthetic_location_up", location="oregon") == 1, "oregon is known", 120)
        oregon.kill()

        def of_places() -> set[tuple[str, str]]:
            with store.snapshot() as connection:
                found = read_alert_states(connection, datetime.now(UTC))
            return {(one.kind, one.location) for one in found if not one.journey}

        wait_until(lambda: of_places() == {("location", "oregon")}, "the other place notices", 240)
        wait_until(lambda: frankfurt.metric("synthetic_location_up", location="oregon") == 0)
    assert frankfurt.stop() == 0
