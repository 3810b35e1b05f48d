"""When a journey is due next: read from its file, shown while a scheduler is at work, and of no harm to a page."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reports.web.services.budget_lines import DurationBudgets
from reports.web.services.next_runs import NextRuns
from runner.scheduler.loader import LoadRequest
from runner.settings.load_settings import load_settings
from runner.store import Store
from tests.support.asking import ask
from tests.support.needs import needs
from tests.support.wait import wait_until

JOURNEY = (
    "from runner import journey\n@journey(every='5m', owner='team checkout', runbook='https://wiki.example/buy')\n"
    "def buy(page, step):\n    with step('open'):\n        page.goto('/')\n"
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store at which a scheduler is signed on."""
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journey.toml").write_text("base_url = 'http://127.0.0.1'")
    with Store(f"sqlite:///{tmp_path / 'journeys.db'}") as store:
        store.schedulers.register("me", "here", 1, "berlin", datetime.now(UTC))
        yield store


@needs("real_time")
def test_the_next_run_is_known_and_follows_the_files(tmp_path: Path, store: Store) -> None:
    file = tmp_path / "journeys" / "buy.py"
    file.write_text(JOURNEY)
    with NextRuns(LoadRequest(start=tmp_path), period=0.2) as upcoming:
        found = wait_until(lambda: ask(store, upcoming))
        assert (upcoming.facts["buy"].owner, upcoming.facts["buy"].runbook) == ("team checkout", "https://wiki.example/buy")
        assert upcoming.facts["buy"].file == str(file)
        assert upcoming.facts["buy"].line > 0
        assert timedelta(0) < found["buy"] - datetime.now(UTC) <= timedelta(minutes=5)
        file.write_text(JOURNEY.replace("def buy", "def pay"))
        wait_until(lambda: "pay" in ask(store, upcoming))
        assert "buy" not in ask(store, upcoming)
        file.write_text("this is no Python")
        wait_until(lambda: not ask(store, upcoming))


@needs("real_time")
def test_nothing_is_due_while_no_scheduler_is_at_work(tmp_path: Path, store: Store) -> None:
    (tmp_path / "journeys" / "buy.py").write_text(JOURNEY)
    with NextRuns(LoadRequest(start=tmp_path), period=0.2) as upcoming:
        wait_until(lambda: ask(store, upcoming))
        store.schedulers.unregister("me")
        assert ask(store, upcoming) == {}
        store.schedulers.register("me", "here", 1, "berlin", datetime.now(UTC) - timedelta(minutes=5))
        assert ask(store, upcoming) == {}


@needs("real_time")
def test_settings_that_are_wrong_leave_the_pages_alone(tmp_path: Path, store: Store) -> None:
    (tmp_path / "journey.toml").write_text("nonsense = 1")
    with NextRuns(LoadRequest(start=tmp_path), period=0.2) as upcoming:
        assert ask(store, upcoming) == {}


def test_the_budget_of_a_journey_is_that_of_its_duration(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text(
        "[budgets]\n'buy*' = { duration = '5s', latency = '1s' }\nbuy_tea = { duration_p95 = '3s' }\n'buy*/pay' = { latency = '2s' }\n"
    )
    durations = DurationBudgets(load_settings(tmp_path, {}, {}).budgets)
    assert (durations["buy_tea"], durations["buy_milk"], durations.get("search")) == (3.0, 5.0, None)
    assert set(durations) == {"buy*", "buy_tea"}
