"""A result that comes when its run had been given up: what metrics, what is sent, alerts and saved files say afterwards."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from runner.archive.archive import Archive, Saved
from runner.archive.run_id import run_id
from runner.dsl.plan import Plan
from runner.dsl.slots.schedule import Schedule
from runner.events import Moment, RunEnded
from runner.result import GIVEN_UP, Failure, RunResult, Status, StepResult
from runner.scheduler import elsewhere
from runner.scheduler.elsewhere import AssumedRunRemoval, StrayIntake
from runner.scheduler.metrics_endpoint import Exporter
from runner.scheduler.results.result_pipeline import ResultPipeline
from runner.scheduler.slots import Entry, Key
from runner.scheduler.timetable import Timetable
from runner.settings.settings import Settings
from runner.store import Store
from runner.telemetry.counters import Counters
from runner.telemetry.run_samples import RUNS, sample_run
from runner.telemetry.series import NAME
from runner.telemetry.spans import build_spans
from runner.telemetry.telemetry import Telemetry

NOON = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


def minutes(count: float) -> datetime:
    return NOON + timedelta(minutes=count)


def result(minute: float, status: Status = "passed") -> RunResult:
    """A run in a slot, of ten seconds and one step."""
    passed = StepResult(index=0, name="pay", status="passed", latency_seconds=0.3, wall_seconds=0.3, clock="page")
    return RunResult(
        id=run_id(minutes(minute)),
        journey="buy",
        status=status,
        started_at=minutes(minute),
        ended_at=minutes(minute) + timedelta(seconds=10),
        duration_seconds=10.0,
        location="oregon",
        slot_at=minutes(minute),
        steps=(passed,) if status == "passed" else (),
        failure=Failure(kind="assertion", message="the basket is empty") if status == "failed" else None,
    )


class Scheduler:
    """What handles the results of a scheduler whose runs are made elsewhere."""

    def __init__(self, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings = replace(Settings(), runs_dir=folder / "runs", alert_monitor_after=2)
        self.settings = replace(self.settings, pushgateway="http://127.0.0.1:9")
        self.store = Store(url)
        self.archive = Archive(self.settings.runs_dir)
        self.exporter = Exporter(with_runs=True)
        self.heard: list[Moment] = []
        self.pushed: list[RunResult] = []
        timetable = Timetable(folder)
        self.plan = Plan(journey="buy", file=folder / "buy.py", location="oregon")
        timetable.entries[Key("buy", "oregon")] = Entry(self.plan, Schedule(every=60), minutes(0))
        monkeypatch.setattr(
            "runner.scheduler.results.result_pipeline.PushQueue.put", lambda _, one: self.pushed.append(one), raising=True
        )
        self.pipeline = ResultPipeline(
            timetable,
            self.settings,
            self.store,
            self.archive,
            self.exporter,
            lambda _journey, _at: "",
            (self.heard.append,),
            lambda _: None,
        )
        # Messages are stored for it, and nobody sends them.
        self.pipeline.evaluator._targets = ("team",)
        self._judged = threading.Semaphore(0)
        evaluate = self.pipeline.evaluator.evaluate_run

        def judge(saved: Saved) -> None:
            evaluate(saved)
            self._judged.release()

        monkeypatch.setattr(self.pipeline.evaluator, "evaluate_run", judge)
        self.strays: list[RunResult] = []
        self.confirmed: list[str] = []
        self._intake = StrayIntake(self.store, self.archive, self.pipeline)

    def give_up(self, true: RunResult, at: float) -> None:
        """Says what a scheduler says of a run of which it expects nothing more, and waits until that is judged."""
        slot = true.slot_at
        note = GIVEN_UP
        self.pipeline.finish_without_worker(
            true.id, self.plan, slot, true.started_at, "error", "nothing came", minutes(at), notes=(note,)
        )
        self._wait()

    def end(self, one: RunResult) -> None:
        """A run that ends as usual."""
        folder = self.archive.save(one, self.archive.scratch(one.id))
        self.exporter.count_run(one)
        self.pipeline.store_saved(one, folder)
        self._wait()

    def come(self, late: RunResult) -> None:
        """A result that nobody expects comes."""
        self.strays.append(late)
        pool: Any = self
        self._intake.take(pool)
        self._wait()

    def take_strays(self) -> list[RunResult]:
        found, self.strays = self.strays, []
        return found

    def confirm(self, run: str) -> None:
        self.confirmed.append(run)

    def _wait(self) -> None:
        assert self._judged.acquire(timeout=60), "it is stored and judged"

    def value(self, name: str, **labels: str) -> float | None:
        return self.exporter.registry.get_sample_value(name, {"journey": "buy", **labels})

    def messages(self) -> list[tuple[str, str]]:
        found = self.store.alerts.unsent(("team",))
        return [(one.title, one.body) for one in found]

    def close(self) -> None:
        self.pipeline._outbox.stop(0.0)
        self.store.close()


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Scheduler]]:
    """Starts schedulers on one database, each with a folder of its own."""
    started: list[Scheduler] = []

    def new(name: str) -> Scheduler:
        started.append(Scheduler(f"sqlite:///{tmp_path / 'journey.db'}", tmp_path / name, monkeypatch))
        return started[-1]

    yield new
    for one in started:
        one.close()


def test_metrics_show_and_count_the_true_result(start: Callable[[str], Scheduler]) -> None:
    here, true = start("here"), result(0)
    here.give_up(true, 1)
    assert here.value("synthetic_success", location="oregon") == 0
    here.come(true)
    assert here.value("synthetic_success", location="oregon") == 1
    assert here.value("synthetic_monitor_error", location="oregon") == 0
    # A counter cannot go back, and an error of the monitor is in no objective's denominator.
    assert [here.value("synthetic_runs_total", status=one) for one in ("error", "passed")] == [1, 1]
    assert here.value("synthetic_step_latency_seconds_count", step="pay") == 1
    assert [one.status for one in here.pushed] == ["error", "passed"]
    assert [one.result.status for one in here.heard if isinstance(one, RunEnded)] == ["error", "passed"]
    (saved,) = here.archive.runs()
    assert saved.result.status == "passed"


def test_a_newer_run_stays_what_is_shown(start: Callable[[str], Scheduler]) -> None:
    here, true = start("here"), result(0)
    here.give_up(true, 1)
    here.end(result(2, "failed"))
    here.come(true)
    assert here.value("synthetic_success", location="oregon") == 0
    assert here.value("synthetic_runs_total", status="passed") == 1
    assert [one.status for one in here.pushed] == ["error", "failed"]


def test_an_alert_of_assumed_errors_ends_and_says_why(start: Callable[[str], Scheduler]) -> None:
    here, first, second = start("here"), result(0), result(5)
    for one in (first, second):
        here.give_up(one, 10)
    ((title, _),) = here.messages()
    assert title == "buy cannot be monitored (oregon)"
    here.come(first)
    assert len(here.messages()) == 1, "its newest run is still in error"
    here.come(second)
    title, body = here.messages()[-1]
    assert title.startswith("buy is monitored again after less than a second")
    assert "The run had ended before the alert; its result came only now." in body
    assert here.store.alerts.open("buy", "oregon") == {}


def test_failures_that_were_assumed_to_be_errors_are_judged_together(start: Callable[[str], Scheduler]) -> None:
    here, first = start("here"), result(0, "failed")
    here.give_up(first, 1)
    here.end(result(2, "failed"))
    assert here.messages() == []
    here.come(first)
    ((title, body),) = here.messages()
    assert title == "buy is failing (oregon)"
    assert "2 runs in a row have failed" in body


def test_what_another_scheduler_has_assumed_is_removed_from_its_folder(
    start: Callable[[str], Scheduler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere, "REMOVAL_PERIOD", 0.0)
    here, other, true, lost = start("here"), start("other"), result(0), result(5)
    for one in (true, lost):
        other.give_up(one, 10)
    removal = AssumedRunRemoval(other.store, other.settings.runs_dir)
    removal.beat(minutes(11))
    assert set(other.archive.ids()) == {true.id, lost.id}
    here.come(true)
    removal.beat(minutes(12))
    assert set(other.archive.ids()) == {lost.id}
    assert set(here.archive.ids()) == {true.id}
    assert [one.name for one in (other.settings.runs_dir / ".assumed").iterdir()] == [lost.id]


def assumed_of(true: RunResult) -> RunResult:
    return replace(
        true,
        status="error",
        steps=(),
        ended_at=true.ended_at + timedelta(minutes=2),
        failure=Failure(kind="monitor", message="nothing came"),
        notes=(GIVEN_UP,),
    )


def test_samples_of_the_true_result_follow_and_replace_the_gauges() -> None:
    counters, true = Counters(), result(0)
    sample_run(assumed_of(true), counters, ())
    sent = {one.labels[NAME]: one for one in sample_run(true, counters, ()) if one.labels.get("status") in {None, "passed"}}
    assert sent["synthetic_success"].samples[-1][1] == 1
    assert sent[RUNS].samples[-1][1] == 1
    newer = assumed_of(result(5))
    sample_run(newer, counters, ())
    sample_run(result(10, "failed"), counters, ())
    late = sample_run(replace(result(5), id=newer.id), counters, ())
    assert "synthetic_success" not in {one.labels[NAME] for one in late}, "a newer run is shown"


def test_both_are_sent_and_the_spans_have_ids_of_their_own(tmp_path: Path) -> None:
    true = result(0)
    assumed = assumed_of(true)
    (only,) = build_spans(assumed)
    assert only.attributes["journey.assumed"] is True
    assert only.id not in {one.id for one in build_spans(true)}
    settings = replace(Settings(), runs_dir=tmp_path, remote_write="http://127.0.0.1:9/write")
    telemetry = Telemetry(settings, "schedule")
    for one in (assumed, true):
        telemetry(RunEnded(result=one))
    telemetry.stop(0.0)
    waiting = sorted(one.name for one in (tmp_path / ".telemetry" / "remote-write").glob("*.json"))
    assert waiting == [f"{true.id}-assumed.json", f"{true.id}.json"]
