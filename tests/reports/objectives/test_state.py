"""The state of objectives from stored runs, and `journey slo`."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Connection, delete, insert, select

from reports.objectives.state import ObjectiveState, read_objective
from reports.objectives.verdict import judge_objective
from reports.terminal.objective_table import format_objective
from runner.archive.run_id import run_id
from runner.result import Failure, RunResult, Status, StepResult
from runner.settings.sections.objectives import Objective
from runner.store import Store
from runner.store.rollups import STATUSES, day_of, hour_of, run_days, run_hours
from runner.store.row_mapping import run_row, step_row
from runner.store.tables.runs import runs, steps
from tests.reports.compare.reference import stats
from tests.support.commands import Ended, run_here
from tests.support.services.databases import copied

NOW = datetime(2026, 8, 31, 12, tzinfo=UTC)
EVERY = timedelta(minutes=5)
CHECKOUT = Objective(name="checkout", journeys=("buy*",), target=0.995)
SETTINGS = """
[slo.checkout]
journeys = ["buy"]
objective = "99.5%"

[slo.fast-payment]
journeys = ["buy"]
objective = "99%"
step = "pay"
under = "1s"
"""


def run(
    ago: timedelta, status: Status = "passed", seconds: float = 0.5, journey: str = "buy", by_hand: bool = False
) -> RunResult:
    kinds: dict[str, Any] = {"failed": "timeout", "error": "browser"}
    failure = (
        Failure(kind=kinds[status], message=f"waited for order {int(ago.total_seconds())}", step="pay")
        if status in kinds
        else None
    )
    at = NOW - ago
    return RunResult(
        id=run_id(),
        journey=journey,
        status=status,
        started_at=at,
        ended_at=at + timedelta(seconds=2),
        duration_seconds=2.0,
        location="local",
        slot_at=None if by_hand else at,
        failure=failure,
        steps=(
            StepResult(
                name="pay",
                index=0,
                status="passed" if status == "passed" else "failed",
                latency_seconds=seconds,
                wall_seconds=seconds,
            ),
        ),
    )


@pytest.fixture
def store(empty: Path, tmp_path: Path) -> Iterator[Store]:
    with Store(copied(empty, tmp_path / "runs")) as opened:
        yield opened


def fill(store: Store, *results: RunResult) -> None:
    """Stores runs: the first of each journey as the scheduler does, the others in one transaction, which is quicker."""
    firsts = {one.journey: one for one in reversed(results)}
    for one in firsts.values():
        store.add(one, None)
    others = [one for one in results if one is not firsts[one.journey]]
    if others:
        with store.connected() as connection:
            connection.execute(insert(runs), [run_row(one, None) for one in others])
            connection.execute(insert(steps), [step_row(one.id, 1, one.steps[0]) for one in others])
            sum_up(connection)


def sum_up(connection: Connection) -> None:
    """Makes the roll-ups of runs anew from the runs."""
    stored = connection.execute(select(runs.c.journey, runs.c.location, runs.c.started_at, runs.c.status)).all()
    for table, floor in ((run_hours, hour_of), (run_days, day_of)):
        sums: dict[tuple[str, str, datetime], Counter[str]] = defaultdict(Counter)
        for journey, location, at, status in stored:
            sums[journey, location, floor(at)][status] += 1
        connection.execute(delete(table))
        names = table.primary_key.columns.keys()
        rows = [
            {**dict(zip(names, key, strict=True)), **{one: counts[one] for one in STATUSES}, "durations": {}}
            for key, counts in sums.items()
        ]
        connection.execute(insert(table), rows)


def days(count: float) -> list[RunResult]:
    """A run every five minutes, back from now, all passed."""
    return [run(EVERY * (number + 1)) for number in range(int(count * 288))]


def read(store: Store, objective: Objective = CHECKOUT) -> ObjectiveState:
    with store.snapshot() as connection:
        return read_objective(connection, objective, NOW)


def test_errors_of_the_monitor_pauses_and_runs_by_hand_are_not_in_the_denominator(store: Store) -> None:
    fill(store, *days(1), run(timedelta(hours=2), "failed"), *(run(timedelta(hours=3 + one), "error") for one in range(5)))
    fill(store, run(timedelta(hours=1), "failed", by_hand=True), run(timedelta(hours=1), "failed", journey="look"))
    store.slots.record("buy", "local", NOW - timedelta(hours=9), "paused", "maintenance", "x", NOW)
    state = read(store)
    assert (state.count.runs, state.count.bad, state.monitor_errors, state.paused_slots) == (289, 1, 5, 1)
    assert state.budget_left == pytest.approx(1 - 1 / (289 * 0.005))
    assert state.journeys == ("buy",)


def test_what_used_up_the_budget_is_listed_by_its_reason(store: Store) -> None:
    fill(store, *days(1), *(run(timedelta(hours=2, minutes=one), "failed") for one in range(20)))
    state = read(store)
    [cause] = state.causes
    assert (cause.journey, cause.bad, cause.reason[:22]) == ("buy", 20, "pay: waited for order ")
    assert cause.share == pytest.approx(20 / (308 * 0.005))
    assert state.verdict == "missed"
    assert [(one.alert.factor, one.fires) for one in state.burns] == [(14.4, False), (6, False), (3, True), (1, True)]


def test_a_site_that_is_down_now_burns(store: Store) -> None:
    fill(store, *days(1)[12:], *(run(EVERY * one, "failed") for one in range(1, 13)))
    assert [one.fires for one in read(store).burns if one.alert.severity == "page"] == [True, True]


def test_one_failed_run_is_no_pattern(store: Store) -> None:
    fill(store, *days(1)[1:], run(EVERY, "failed"))
    assert not any(one.fires for one in read(store).burns)


def test_slow_steps_use_up_the_budget_of_a_latency(store: Store) -> None:
    fill(store, *days(1)[5:], *(run(EVERY * one, seconds=one) for one in range(1, 6)), run(timedelta(hours=5), "failed"))
    state = read(store, Objective(name="fast", journeys=("buy",), target=0.99, step="pay", under=1.0))
    assert (state.count.runs, state.count.bad) == (288, 4)
    assert [(one.bad, one.reason) for one in state.causes] == [(4, "pay: up to 5.000 s on 2026-08-31")]


def test_without_a_schedule_all_runs_count(store: Store) -> None:
    fill(store, run(timedelta(hours=1), by_hand=True), run(timedelta(hours=2), "failed", by_hand=True))
    assert read(store).count.runs == 2


def text(store: Store, objective: Objective = CHECKOUT) -> str:
    return "\n".join(format_objective(read(store, objective)))


@pytest.mark.long
def test_288_runs_a_day_are_too_few_for_some_objectives_and_that_is_said(store: Store) -> None:
    fill(store, *days(1))
    assert "too few runs yet: 598 are needed to show 99.5%; at 288 runs a day, after 2.1 days" in text(store)
    strict = Objective(name="strict", journeys=("buy",), target=0.9999)
    said = text(store, strict)
    assert "too few runs: 288 runs a day, or 8,640 in 30d, but only 29,956 runs, all good, could show 99.99%" in said
    assert "one bad run would use up the whole budget of 30d" in said
    assert read(store, strict).too_few


@pytest.mark.long
def test_runs_that_can_decide_do(store: Store) -> None:
    fill(store, *days(3))
    assert text(store).splitlines()[1] == "  100% of 864 runs since 2026-08-28 12:00Z (0 bad): kept"
    assert "too few" not in text(store)


def test_without_runs_nothing_is_said_of_the_site(store: Store) -> None:
    fill(store, run(timedelta(hours=1), "error"))
    assert text(store).splitlines()[1] == "  no run of the last 30d counts; not counted: 1 run in which the monitor failed"


@pytest.mark.long
@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (Objective(name="x", journeys=("bye", "sell"), target=0.9), "no run of a journey named bye or sell is stored"),
        (
            Objective(name="x", journeys=("buy",), target=0.9, step="pat", under=1.0),
            "no run of the last 30d has a step 'pat' that passed",
        ),
    ],
)
def test_a_name_that_fits_nothing_is_said(store: Store, objective: Objective, message: str) -> None:
    fill(store, run(timedelta(hours=1)))
    assert text(store, objective).splitlines()[1] == f"  {message}"


def test_both_kinds_of_database_count_alike(url: str) -> None:
    with Store(url) as store:
        fill(store, run(timedelta(hours=1)), run(timedelta(hours=2), "failed"), run(timedelta(hours=3), seconds=3.0))
        assert (read(store).count.runs, read(store).count.bad, read(store).causes[0].bad) == (3, 1, 1)
        slow = read(store, Objective(name="fast", journeys=("buy",), target=0.9, step="pay", under=1.0))
        assert (slow.count.runs, slow.count.bad, slow.causes[0].bad) == (2, 1, 1)


@pytest.mark.long
@pytest.mark.parametrize("bad", range(8))
def test_a_verdict_agrees_with_exact_probabilities(bad: int) -> None:
    binom = stats().binom
    lower, upper = binom.cdf(bad, 900, 0.005), binom.sf(bad - 1, 900, 0.005)
    assert judge_objective(900, bad, 0.005) == ("kept" if lower <= 0.05 else "missed" if upper <= 0.05 else "undecided")


def journey(folder: Path, *words: str) -> Ended:
    return run_here(folder, ["slo", *words], {"PATH": "/usr/bin:/bin", "HOME": str(folder), "COLUMNS": "200"})


@pytest.fixture
def folder(store: Store, tmp_path: Path) -> Path:
    """A project with objectives and some runs of a day, the last ones just now."""
    (tmp_path / "journey.toml").write_text(SETTINGS)
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys" / "buy.py").write_text(
        'from runner import journey\n\n\n@journey(every="5m")\ndef buy(page): page.goto("/")\n'
    )
    ago = NOW - datetime.now(UTC)
    fill(store, *(run(ago + EVERY * (one + 1), "failed" if one < 30 else "passed") for one in range(200)))
    return tmp_path


@pytest.mark.long
def test_the_command_shows_budgets_and_can_fail_a_pipeline(folder: Path) -> None:
    shown = journey(folder)
    assert shown.returncode == 0, shown.stderr
    assert "checkout: 99.5% of buy pass, over 30d" in shown.stdout
    assert "error budget: used up (30 of 1.0 bad runs used)" in shown.stdout
    assert "burning: more than 14.4 times too fast over 1h and 13m (page)" in shown.stdout
    assert journey(folder, "show", "checkout", "--check").returncode == 1
    assert journey(folder, "show", "fast-payment", "--check").returncode == 0
    told = json.loads(journey(folder, "show", "--json", "-").stdout)
    assert [(one["objective"]["name"], one["count"]["bad"]) for one in told["objectives"]] == [
        ("checkout", 30),
        ("fast-payment", 0),
    ]


@pytest.mark.long
def test_the_command_writes_rules(folder: Path) -> None:
    assert journey(folder, "export", "--output", "rules.yml").returncode == 0
    assert [one["name"] for one in yaml.safe_load((folder / "rules.yml").read_text())["groups"]] == [
        "slo-checkout",
        "slo-fast-payment",
    ]
    assert "kind: SLO" in journey(folder, "export", "checkout", "--format", "openslo").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show", "nothing"], "'nothing' is not an objective; there are: checkout, fast-payment"),
        (
            ["export", "--format", "xml"],
            "--format 'xml' is not a form of objectives; choose one of prometheus, grafana, sloth, openslo, pyrra",
        ),
    ],
)
def test_what_does_not_exist_is_said(folder: Path, words: list[str], message: str) -> None:
    ended = journey(folder, *words)
    assert (ended.returncode, message in ended.stderr) == (2, True), ended.stderr


def test_an_objective_of_no_journey_is_said(folder: Path) -> None:
    (folder / "journey.toml").write_text('[slo.x]\njourneys = ["bye"]\nobjective = "99%"')
    ended = journey(folder, "export")
    assert (ended.returncode, ended.stderr) == (2, "error: slo.x.journeys: no journey is named bye; there are: buy\n")


def test_without_objectives_the_command_says_how_to_write_one(folder: Path) -> None:
    (folder / "journey.toml").write_text("")
    assert "add a table [slo.NAME]" in journey(folder).stderr
