"""Budgets of the settings: how they are written, whom they hold for, what of a run is held against them."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner import measures
from runner.dsl.budget_check import find_unmatched_budgets
from runner.dsl.discovery import load_journeys
from runner.errors import ConfigError
from runner.result import PageError, Requests, RunResult, StepResult, Vitals
from runner.settings.load_settings import load_settings
from runner.settings.sections.budgets import Budget, find_overruns

WRITTEN = """
[budgets]
"*" = { page_errors = 0, failed_requests = 0 }
"buy" = { duration = "5s", bytes = "2MB" }
"buy/pay" = { latency = "2s", latency_p95 = 3, lcp = "2500ms", cls = 0.1 }
"""


def written(folder: Path, text: str) -> tuple[Budget, ...]:
    (folder / "journey.toml").write_text(text)
    return load_settings(folder, {}, {}).budgets


def run(*steps: StepResult, duration: float = 3.0) -> RunResult:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    return RunResult(
        id="1",
        journey="buy",
        status="passed",
        started_at=now,
        ended_at=now,
        duration_seconds=duration,
        location="x",
        steps=steps,
    )


def step(name: str, latency: float, vitals: Vitals | None = None, failed: int = 0, errors: int = 0) -> StepResult:
    return StepResult(
        name=name,
        index=0,
        status="passed",
        latency_seconds=latency,
        wall_seconds=latency + 1,
        vitals=vitals or Vitals(),
        requests=Requests(ok=2, failed=failed, transfer_bytes=100),
        page_errors=(PageError(message="x"),) * errors,
    )


def test_budgets_are_written_in_the_settings_with_units(tmp_path: Path) -> None:
    found = written(tmp_path, WRITTEN)
    assert [(one.journey, one.step, one.figure, one.statistic, one.bound) for one in found] == [
        ("*", None, "page_errors", "median", 0),
        ("*", None, "failed_requests", "median", 0),
        ("buy", None, "duration", "median", 5),
        ("buy", None, "bytes", "median", 2_000_000),
        ("buy", "pay", "latency", "median", 2),
        ("buy", "pay", "latency", "p95", 3),
        ("buy", "pay", "lcp", "median", 2.5),
        ("buy", "pay", "cls", "median", 0.1),
    ]
    assert found[5].where == 'budgets."buy/pay".latency_p95'


def test_budgets_can_come_from_the_environment_as_toml() -> None:
    settings = load_settings(Path("/"), {}, {"JOURNEY_BUDGETS": '"buy/*" = { latency = "2s" }'})
    assert [(one.step, one.bound) for one in settings.budgets] == [("*", 2.0)]


def test_a_named_environment_has_budgets_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text(WRITTEN + '[env.dev.budgets]\n"buy" = { duration = "9s" }\n')
    assert [one.bound for one in load_settings(tmp_path, {}, {}, "dev").budgets] == [9.0]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('"buy/pay" = { latecy = "2s" }', 'budgets: "buy/pay".latecy: latecy is not a figure; did you mean latency?'),
        ('"buy" = { lpc_p95 = "2s" }', '"buy".lpc_p95: lpc is not a figure; did you mean lcp_p95?'),
        ('"buy" = { speed = "2s" }', '"buy".speed: speed is not a figure; figures are: latency, wall, duration'),
        ('"buy" = { latency_p5 = "2s" }', '"buy".latency_p5: percentiles are latency_p50 to latency_p99'),
        ('"buy" = { latency_p100 = "2s" }', '"buy".latency_p100: percentiles are latency_p50 to latency_p99'),
        ('"buy" = { latency = "2 parsecs" }', "\"buy\".latency: '2 parsecs' is not a duration"),
        ('"buy" = { latency = 0 }', '"buy".latency: 0 is too short'),
        ('"buy" = { bytes = "2 elephants" }', "\"buy\".bytes: '2 elephants' is not a size"),
        ('"buy" = { cls = "0.1s" }', "\"buy\".cls: '0.1s' is not a bound for cls; write a score without a unit"),
        ('"buy" = { requests = -1 }', '"buy".requests: -1 is not a bound for requests'),
        ('"buy" = { page_errors = true }', '"buy".page_errors: True is not a bound for page_errors'),
        ('"buy/pay" = { duration = "2s" }', '"buy/pay".duration: duration is one of a journey as a whole'),
        ('"buy/" = { latency = "2s" }', "'buy/' is not a pattern"),
        ('"buy" = "2s"', "\"buy\": '2s' is not a table of bounds"),
    ],
)
def test_a_mistake_in_a_budget_names_file_key_and_fix(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(ConfigError) as told:
        written(tmp_path, f"[budgets]\n{line}\n")
    assert str(told.value).startswith(f"{tmp_path / 'journey.toml'}: budgets: ")
    assert message in str(told.value)


def test_budgets_that_are_no_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="budgets: 5 is not a table"):
        written(tmp_path, "budgets = 5")
    with pytest.raises(ConfigError, match="JOURNEY_BUDGETS: cannot be read as TOML"):
        load_settings(Path("/"), {}, {"JOURNEY_BUDGETS": "{"})


def test_a_run_has_the_sums_of_its_steps_and_the_worst_of_their_vitals() -> None:
    first = step("open", 1.0, Vitals(lcp=0.5, cls=0.2), failed=1)
    second = step("pay", 0.5, Vitals(lcp=0.8, inp=0.1), errors=2)
    assert measures.measure_run(run(first, second)) == {
        "latency": 1.5,
        "wall": 3.5,
        "duration": 3.0,
        "lcp": 0.8,
        "inp": 0.1,
        "cls": 0.2,
        "requests": 5.0,
        "failed_requests": 1.0,
        "bytes": 200.0,
        "page_errors": 2.0,
    }


def test_percentiles_are_those_of_hyndman_and_fans_type_7() -> None:
    values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0]
    # R: quantile(c(3,1,4,1,5,9,2,6), c(.5,.75,.9,.95), type = 7)
    assert [round(measures.percentile(values, one), 6) for one in (50, 75, 90, 95)] == [3.5, 5.25, 6.9, 7.95]


@pytest.mark.parametrize(
    ("line", "over"),
    [
        ('"*" = { page_errors = 1 }', [("", 2.0)]),
        ('"buy" = { duration = "2s" }', [("", 3.0)]),
        ('"b*" = { failed_requests = 0 }', [("", 1.0)]),
        ('"buy/*" = { latency = "700ms" }', [("open", 1.0)]),
        ('"buy/pay" = { lcp_p95 = 0.7, lcp = 0.9 }', [("pay", 0.8)]),
        ('"buy" = { latency = "1.5s" }', []),
        ('"buy/open" = { inp = "1ms" }', []),
        ('"search" = { duration = "1ms" }', []),
    ],
)
def test_one_run_is_held_against_them(tmp_path: Path, line: str, over: list[tuple[str, float]]) -> None:
    result = run(
        step("open", 1.0, failed=1),
        step("pay", 0.5, Vitals(lcp=0.8, inp=0.1), errors=2),
    )
    found = find_overruns(result, written(tmp_path, f"[budgets]\n{line}\n"))
    assert [(one.step, one.value) for one in found] == over


def test_a_pattern_that_fits_nothing_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    code = (
        "from runner import journey\n@journey\ndef buy(page, step):\n    with step('pay'): ...\n@journey\ndef look(page): ...\n"
    )
    (tmp_path / "walks.py").write_text(code)
    journeys = load_journeys(tmp_path / "walks.py")
    lines = ['"bye" = { requests = 9 }', '"buy/pays" = { latency = 1, lcp = 1 }', '"buy/pay" = { latency = 1 }']
    lines += ['"look/look" = { latency = 1 }', '"*/*" = { lcp = 1 }', '"look/buy" = { latency = 1 }']
    found = list(find_unmatched_budgets(written(tmp_path, "[budgets]\n" + "\n".join(lines)), journeys))
    assert found == [
        "budgets.\"bye\": no journey has a name like 'bye'; did you mean 'buy'?",
        "budgets.\"buy/pays\": no step of 'buy' has a name like 'pays'; did you mean 'pay'?",
        "budgets.\"look/buy\": no step of 'look' has a name like 'buy'",
    ]


@pytest.mark.parametrize("body", ["with step(f'pay {1}'): ...", "helper(page, step)"])
def test_any_pattern_may_fit_a_step_that_the_source_does_not_name(tmp_path: Path, body: str) -> None:
    (tmp_path / "w.py").write_text(f"from runner import journey\n@journey\ndef buy(page, step):\n    {body}\n")
    assert (
        list(
            find_unmatched_budgets(written(tmp_path, '[budgets]\n"buy/pay 1" = { lcp = 1 }'), load_journeys(tmp_path / "w.py"))
        )
        == []
    )


def test_a_journey_knows_where_its_steps_are_written(tmp_path: Path) -> None:
    code = "from runner import journey\n\n@journey\ndef buy(page, step):\n    with step('a'): ...\n\n    with step('b'): ...\n"
    (tmp_path / "w.py").write_text(code)
    (journey,) = load_journeys(tmp_path / "w.py")
    assert (journey.step_names, journey.step_lines, journey.more_steps) == (("a", "b"), (5, 7), False)
    assert re.search("'b'", code.splitlines()[journey.step_lines[1] - 1])
