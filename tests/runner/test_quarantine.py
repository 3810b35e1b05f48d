"""Journeys and steps that are set aside: how that is written, what it covers, and what gates all the same."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reports.formats.github_actions import report_runs
from reports.formats.html.runs import runs_html
from reports.formats.html.smoke import smoke_html
from reports.formats.junit import runs_junit, smoke_junit
from reports.formats.markdown import runs_markdown
from reports.smoke.result import JourneyCheck
from reports.smoke.verdict import _is_set_aside
from reports.text.smoke_problems import list_smoke_problems
from runner.archive.archive import Saved
from runner.cli.running.run import exit_code
from runner.dsl.budget_check import find_unmatched_quarantine
from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.errors import ConfigError
from runner.events import RunEnded
from runner.metrics.run_metrics import format_metrics
from runner.result import Attempt, Failure, Overrun, Quarantine, RunResult, StepResult
from runner.settings.load_settings import load_settings
from runner.settings.sections.quarantine import find_quarantine, parse_quarantine
from tests.reports.samples import FAILED, NOON, OVER, SLOWER, check, run, smoke

TODAY = date(2026, 1, 1)
ENTRY = {"owner": "ann", "reason": "the receipt is late", "until": "2026-02-01"}


def held(step: str = "", until: date = date(2026, 2, 1), over: bool = False) -> tuple[Quarantine, ...]:
    return (Quarantine(journey="buy", step=step, owner="ann", reason="the receipt is late", until=until, over=over),)


def failed(kind: Any = "timeout", step: str | None = "pay", **fields: Any) -> RunResult:
    failure = Failure(kind=kind, message="late", step=step)
    status = "error" if kind in {"browser", "journey"} else "failed"
    first, second, last = run(status).result.steps
    steps = (first, replace(second, failure=failure), last)
    values: dict[str, Any] = {"failure": failure, "steps": steps}
    return run(status, **values | fields).result


# How it is written


def test_an_entry_names_a_journey_or_a_step_with_its_owner_reason_and_last_day(tmp_path: Path) -> None:
    until = datetime.now(UTC).date() + timedelta(days=30)
    (tmp_path / "journey.toml").write_text(
        f'[quarantine."buy/pay"]\nowner = "ann"\nreason = "late"\nuntil = {until}\n\n'
        f'[quarantine.search]\nowner = "bob"\nreason = "index"\nuntil = "{until}"\n'
    )
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys" / "buy.py").write_text(
        'from runner import journey\n@journey\ndef buy(page, step):\n    with step("pay"): ...\n'
    )
    settings = load_settings(tmp_path, {}, {})
    assert [(one.journey, one.step, one.owner, one.until) for one in settings.quarantine] == [
        ("buy", "pay", "ann", until),
        ("search", "", "bob", until),
    ]
    (journey,) = load_journeys(tmp_path / "journeys" / "buy.py")
    assert [one.step for one in plan(journey, settings).quarantine] == ["pay"]


@pytest.mark.parametrize(
    ("key", "entry", "shown"),
    [
        ("buy", "yes", "'yes' is not a table; write"),
        ("buy", {"owner": "ann"}, "reason and until must be given; write"),
        ("buy", ENTRY | {"till": "x"}, "unknown: till; write"),
        ("buy", ENTRY | {"owner": " "}, "owner is empty; say who looks after it"),
        ("buy", ENTRY | {"reason": ""}, "reason is empty; say why"),
        ("buy", ENTRY | {"until": "soon"}, "until: 'soon' is not a day; write one as YYYY-MM-DD"),
        (
            "buy",
            ENTRY | {"until": datetime(2026, 1, 2, 3, tzinfo=UTC)},
            "has a time; write the last day alone, such as 2026-01-02",
        ),
        ("buy", ENTRY | {"until": "2026-04-02"}, "is more than 90 days away; write 2026-04-01 or an earlier day"),
        ("buy*", ENTRY, "a pattern would set aside what nobody has looked at"),
        ("buy/", ENTRY, "is not a name; write that of a journey"),
    ],
)
def test_what_is_wrong_with_an_entry_is_said_with_its_key(key: str, entry: object, shown: str) -> None:
    with pytest.raises(ValueError, match=re.escape(shown)) as refused:
        parse_quarantine({key: entry}, TODAY)
    assert key in str(refused.value)


def test_ninety_days_are_accepted_and_so_is_a_day_that_has_passed() -> None:
    for until in ("2026-04-01", "2025-12-01"):
        assert len(parse_quarantine({"buy": ENTRY | {"until": until}}, TODAY)) == 1


def test_a_settings_file_with_a_day_too_far_away_is_refused_with_its_place(tmp_path: Path) -> None:
    far = datetime.now(UTC).date() + timedelta(days=200)
    (tmp_path / "journey.toml").write_text(f'[quarantine.buy]\nowner = "a"\nreason = "b"\nuntil = {far}\n')
    with pytest.raises(ConfigError, match=r'journey.toml: quarantine: "buy".until: .* more than 90 days away'):
        load_settings(tmp_path, {}, {})


def test_a_name_that_is_not_there_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "buy.py"
    file.write_text('from runner import journey\n@journey\ndef buy(page, step):\n    with step("pay"): ...\n')
    journeys = load_journeys(file)
    assert list(find_unmatched_quarantine(held("pay"), journeys)) == []
    assert list(find_unmatched_quarantine(held("pya"), journeys)) == [
        "quarantine: no step of 'buy' has a name like 'pya'; did you mean 'pay'?"
    ]


# What it covers


def test_the_last_day_still_counts_and_the_next_is_over() -> None:
    entries = held(until=date(2026, 1, 1))
    late = datetime(2026, 1, 1, 23, 59, tzinfo=UTC)
    assert [one.over for one in find_quarantine(failed(), entries, late)] == [False]
    assert [one.over for one in find_quarantine(failed(), entries, late + timedelta(minutes=1))] == [True]
    assert find_quarantine(run(journey="search").result, entries, late) == ()


@pytest.mark.parametrize(
    ("result", "is_set_aside"),
    [
        (failed(quarantine=held()), True),
        (failed(quarantine=held("pay")), True),
        (failed(quarantine=held("open the shop")), False),
        (failed(step=None, quarantine=held("pay")), False),
        (failed(), False),
        (failed(quarantine=held(over=True)), False),
        (failed(kind="journey", quarantine=held()), True),
        (failed(kind="browser", quarantine=held()), False),
        (run(quarantine=held()).result, False),
        (run(quarantine=held(), overruns=(Overrun(figure="duration", bound=1, value=2, where="x"),)).result, True),
        (run(quarantine=held("pay"), overruns=(Overrun(step="pay", figure="lcp", bound=1, value=2, where="x"),)).result, True),
        (run(quarantine=held("pay"), overruns=(Overrun(figure="duration", bound=1, value=2, where="x"),)).result, False),
        (
            run(
                attempts=2,
                quarantine=held("pay"),
                earlier_attempts=(
                    Attempt(
                        number=1,
                        status="failed",
                        started_at=NOON,
                        duration_seconds=1,
                        failure=Failure(kind="timeout", message="late", step="pay"),
                    ),
                ),
            ).result,
            True,
        ),
    ],
)
def test_only_what_is_named_is_set_aside_and_never_an_error_of_the_monitor_itself(
    result: RunResult, is_set_aside: bool
) -> None:
    assert result.set_aside is is_set_aside


def test_two_failed_steps_are_set_aside_only_together() -> None:
    late = Failure(kind="timeout", message="late", step="banner")
    soft = StepResult(name="banner", index=3, status="failed", soft=True, failure=late)
    both = failed(quarantine=held("pay"))
    assert both.set_aside
    assert not failed(quarantine=held("pay"), steps=(*both.steps, soft)).set_aside
    assert failed(quarantine=held("pay") + held("banner"), steps=(*both.steps, soft)).set_aside


def test_the_exit_code_does_not_count_it_and_counts_it_again_when_the_day_is_over() -> None:
    over_budget = run(quarantine=held(), overruns=(Overrun(figure="duration", bound=1, value=2, where="x"),)).result
    assert exit_code([failed(quarantine=held()), failed(kind="journey", quarantine=held()), over_budget]) == 0
    assert exit_code([failed(quarantine=held()), failed(quarantine=held(over=True))]) == 1
    assert exit_code([failed(kind="browser", quarantine=held())]) == 3


# How it is shown

HELD = Saved(failed(quarantine=held("pay")), Path("/repo/runs/buy/x"))
ENDED = Saved(failed(quarantine=held("pay", date(2025, 12, 1), over=True)), Path("/repo/runs/buy/x"))
ACTIVE = "step “pay” is in quarantine until 2026-02-01 and does not count (ann: the receipt is late)"
COUNTS_AGAIN = "the quarantine of step “pay” ended on 2025-12-01 and it counts again: repair it, or remove quarantine"


def test_junit_has_it_as_skipped_so_that_it_does_not_fail_a_pipeline() -> None:
    text = runs_junit([HELD])
    assert 'failures="0"' in text
    assert f'<skipped message="{ACTIVE}; it ended with: late">' in text
    assert 'failures="1"' in runs_junit([ENDED])


def test_markdown_and_the_page_say_it_and_say_when_it_is_over() -> None:
    assert runs_markdown([HELD, run()]).startswith("### ✓ 1 runs passed, 1 in quarantine did not: ")
    assert "(timeout, in quarantine)" in runs_markdown([HELD])
    assert "✗ 1 of 2 runs did not pass" in runs_markdown([ENDED, run()])
    for render in (runs_markdown, lambda one: runs_html(one, Path("/repo")).decode()):
        assert "in quarantine until 2026-02-01 and does not count" in render([HELD])
        assert "ended on 2025-12-01 and it counts again" in render([ENDED])


def test_github_shows_a_warning_in_place_of_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    report_runs([HELD], {"GITHUB_ACTIONS": "true"})
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("::warning")
    assert ACTIVE in line
    report_runs([ENDED], {"GITHUB_ACTIONS": "true"})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("::error")
    assert COUNTS_AGAIN in lines[1]


def test_a_metric_says_it_so_that_alerts_can_leave_it_out() -> None:
    for result, value in ((HELD.result, 1.0), (ENDED.result, 0.0)):
        assert f'synthetic_quarantined{{journey="buy",location="ci"}} {value}' in format_metrics([result])


@pytest.mark.parametrize(
    ("checked", "entries", "is_set_aside"),
    [
        (SLOWER, held(), True),
        (SLOWER, held("pay"), True),
        (SLOWER, held("open the shop"), False),
        (SLOWER, held(over=True), False),
        (OVER, held("open the shop"), False),
        (OVER, held(), True),
        (check("buy"), held(), False),
    ],
)
def test_a_journey_of_a_smoke_check_that_is_set_aside_does_not_decide_it(
    checked: JourneyCheck, entries: tuple[Quarantine, ...], is_set_aside: bool
) -> None:
    checked = replace(checked, quarantine=entries)
    assert _is_set_aside(checked, None, fail_undecided=False) is is_set_aside
    marked = replace(checked, set_aside=is_set_aside)
    shown = smoke("passed" if is_set_aside else checked.verdict, marked)
    assert {bool(one.quarantine) for one in list_smoke_problems(shown)} == (
        {is_set_aside} if checked.verdict != "passed" else set()
    )
    assert ("in quarantine" in smoke_html(shown).decode()) is is_set_aside
    assert ("in quarantine" in smoke_junit(shown)) is is_set_aside


def test_a_failed_run_of_a_smoke_check_decides_by_its_own_quarantine() -> None:
    for entries, expected in ((held(), True), ((), False)):
        ended = RunEnded(result=failed(quarantine=entries), folder=None)
        assert _is_set_aside(FAILED, ended, fail_undecided=False) is expected
        assert not _is_set_aside(replace(FAILED, failed_side="baseline"), ended, fail_undecided=False)
