"""Alerts that somebody has acknowledged or muted: what is sent about them, and what is not; in both databases."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from runner.archive.archive import Saved
from runner.cli.all_commands import app
from runner.result import Quarantine
from runner.scheduler.alerts.evaluator import AlertEvaluator
from runner.settings.load_settings import load_settings
from runner.store import Store
from runner.store.alerts.mutes import Mute, read_alert_states
from runner.store.journey_rows import delete_rows
from tests.support.services.dashboard import made

HOUR = timedelta(hours=1)


class Monitor:
    """A database, one or several schedulers, and what they would send."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.url = url
        self.store = Store(url)
        self.settings = load_settings(Path("/"), {"alert_after": 1, "alert_again": "24h", **settings}, {})
        self.known: set[int] = set()
        self.runs = 0

    def run(self, status: str, schedulers: int = 1, quarantine: tuple[Quarantine, ...] = ()) -> list[str]:
        """A run on the schedule, seen to by each scheduler; the titles of the messages that have come with it."""
        self.runs += 1
        at = datetime.now(UTC) - HOUR + timedelta(seconds=self.runs)
        result = replace(made(status=status), location="berlin", started_at=at, slot_at=at, quarantine=quarantine)
        self.store.add(result)
        for _ in range(schedulers):
            evaluator = AlertEvaluator(self.settings, self.store, ("t",), lambda _name, _at: "", lambda: None)
            evaluator.evaluate_run(Saved(result, Path("/nowhere")))
        fresh = [one for one in self.store.alerts.unsent(("t",)) if one.id not in self.known]
        self.known |= {one.id for one in fresh}
        return [one.title for one in fresh]

    def mute(self, span: timedelta | None, note: str = "the bank moves") -> None:
        """Mutes the alert, or acknowledges it if there is no span."""
        now = datetime.now(UTC)
        until = now + span if span is not None else None
        self.store.mutes.mute(
            Mute(journey="buy", location="berlin", kind="failing", who="ada", note=note, made_at=now, until=until)
        )

    def unmute(self) -> bool:
        return self.store.mutes.unmute("buy", "berlin", "failing", datetime.now(UTC))

    def shown(self) -> list[str]:
        """What is open or muted, as it is described."""
        with self.store.snapshot() as connection:
            found = read_alert_states(connection, datetime.now(UTC))
        return [f"{one.title}|{one.mute.describe() if one.mute else ''}" for one in found]


@pytest.fixture
def monitor(url: str) -> Iterator[Monitor]:
    monitor = Monitor(url)
    yield monitor
    monitor.store.close()


STILL = "buy is still failing (berlin)"


def test_an_acknowledged_alert_is_not_sent_again_but_its_end_is(url: str) -> None:
    monitor = Monitor(url, alert_again="1ms")
    assert monitor.run("failed") == ["buy is failing (berlin)"]
    assert monitor.run("failed") == [STILL]
    monitor.mute(None)
    assert monitor.shown() == ["buy is failing (berlin)|acknowledged by ada: the bank moves"]
    assert monitor.run("failed") == []
    assert monitor.run("passed")[0].startswith("buy has recovered after ")
    assert monitor.shown() == []
    assert monitor.run("failed") == ["buy is failing (berlin)"], "another alert than the one that was acknowledged"
    monitor.store.close()


def test_quarantine_sends_nothing_until_it_is_over_and_then_the_message_says_so(url: str) -> None:
    monitor = Monitor(url, alert_again="1ms")
    held = Quarantine(journey="buy", step="pay", owner="ann", reason="late", until=date(2026, 1, 1))
    assert [monitor.run("failed", quarantine=(held,)) for _ in range(3)] == [[], [], []]
    assert monitor.run("failed", quarantine=(replace(held, over=True),)) == ["buy is failing (berlin)"]
    assert (
        "the quarantine of step “pay” ended on 2026-01-01 and it counts again" in monitor.store.alerts.unsent(("t",))[-1].body
    )
    assert monitor.run("failed", quarantine=(held,)) == [], "set aside again, it is not repeated"
    assert monitor.run("passed", quarantine=(held,))[0].startswith("buy has recovered after ")
    monitor.store.close()


def test_while_it_is_muted_nothing_is_sent_whether_it_lasts_ends_or_begins_again(monitor: Monitor) -> None:
    monitor.run("failed")
    monitor.mute(HOUR)
    assert [monitor.run(status) for status in ("failed", "passed", "failed", "failed")] == [[], [], [], []]
    assert len(monitor.shown()) == 1
    assert "muted until " in monitor.shown()[0]


def test_a_mute_without_an_open_alert_is_shown_too(monitor: Monitor) -> None:
    monitor.run("failed")
    monitor.mute(HOUR)
    monitor.run("passed")
    assert monitor.shown()[0].startswith("|muted until ")


def test_when_a_mute_has_ended_an_alert_that_lasts_is_sent_once_by_one_of_several_schedulers(monitor: Monitor) -> None:
    monitor.run("failed")
    monitor.mute(HOUR)
    assert monitor.run("failed", schedulers=2) == []
    monitor.mute(timedelta(0))
    assert monitor.shown() == ["buy is failing (berlin)|"], "it has ended by itself"
    assert monitor.run("failed", schedulers=3) == [STILL]
    assert monitor.run("failed", schedulers=3) == []


def test_one_that_began_while_it_was_muted_is_sent_when_the_mute_is_taken_back(monitor: Monitor) -> None:
    monitor.run("failed")
    monitor.mute(HOUR)
    monitor.run("passed")
    monitor.run("failed")
    assert monitor.unmute()
    assert not monitor.unmute()
    assert monitor.run("failed") == [STILL]


def test_a_mute_survives_a_restart(monitor: Monitor) -> None:
    monitor.run("failed")
    monitor.mute(HOUR)
    again = Monitor(monitor.url)
    again.runs = monitor.runs
    again.known = monitor.known
    assert again.run("failed") == []
    assert again.shown() == monitor.shown()
    again.store.close()


def test_what_waits_to_be_sent_is_dropped(monitor: Monitor) -> None:
    monitor.run("failed")
    assert len(monitor.store.alerts.unsent(("t",))) == 1
    monitor.mute(None)
    assert monitor.store.alerts.unsent(("t",)) == []


def test_another_kind_of_alert_of_the_same_journey_is_sent(url: str) -> None:
    monitor = Monitor(url, alert_monitor_after=1)
    monitor.run("failed")
    monitor.mute(HOUR)
    assert monitor.run("error") == ["buy cannot be monitored (berlin)"]
    monitor.store.close()


def test_a_journey_that_is_forgotten_takes_its_mutes_along(monitor: Monitor) -> None:
    monitor.run("failed")
    monitor.mute(HOUR)
    with monitor.store.connected() as connection:
        delete_rows(connection, "buy")
    assert monitor.shown() == []


# The commands


@pytest.fixture
def failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Monitor]:
    """A folder with a database in which `buy` is failing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    monitor = Monitor(f"sqlite:///{tmp_path / 'runs' / 'journeys.db'}")
    monitor.run("failed")
    yield monitor
    monitor.store.close()


def alerts(*words: str) -> Result:
    return CliRunner().invoke(app, ["alerts", *words])


@pytest.mark.long
def test_alerts_are_listed_acknowledged_muted_and_unmuted(failing: Monitor) -> None:
    assert alerts().output.startswith("buy is failing (berlin), since ")
    done = alerts("acknowledge", "buy", "--note", "the bank  is informed")
    assert (done.exit_code, "acknowledged" in done.output, "the bank is informed" in done.output) == (0, True, True)
    assert failing.run("failed") == []
    assert alerts("mute", "buy", "--for", "2h").output.startswith("buy (failing, berlin): muted until ")
    listed = json.loads(alerts("list", "--json", "-").output)["alerts"]
    assert (listed[0]["journey"], listed[0]["mute"]["until"] is not None) == ("buy", True)
    assert alerts("unmute", "buy").output == "buy (failing, berlin): messages are sent again\n"
    assert failing.run("failed") == [STILL]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("acknowledge", "sell"), "no such alert is open"),
        (("acknowledge", "buy", "--kind", "flaky"), "no such alert is open"),
        (("mute", "buy", "--for", "soon"), "--for: "),
        (("mute", "buy", "--for", "1h", "--note", "x" * 201), "at most 200"),
        (("unmute", "buy"), "no alert is acknowledged or muted"),
    ],
)
def test_what_cannot_be_muted_is_refused(failing: Monitor, words: tuple[str, ...], why: str) -> None:
    ran = alerts(*words)
    assert ran.exit_code != 0
    assert why in str(ran.exception)


def test_without_a_database_no_alert_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert alerts().output == "no alert is open\n"
    assert not list(tmp_path.iterdir())
