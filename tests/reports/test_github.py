"""What GitHub Actions is told: annotations that are one line each, and the summary."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from msgspec.structs import replace

from reports.formats import github_actions
from reports.formats.markdown import runs_markdown, smoke_markdown
from reports.smoke.result import SmokeResult
from tests.reports.hostile import hostile_run, hostile_smoke, texts
from tests.reports.samples import FAILURE, RUN, RUNS, SMOKES, run

COMMAND = re.compile(r"::(?P<level>error|warning) (?P<properties>[^\r\n]*?)::(?P<message>[^\r\n]*)\n")


def annotations(tell: Callable[[io.StringIO], None]) -> list[tuple[str, dict[str, str], str]]:
    """Level, properties and message of each annotation, read as GitHub's runner reads them."""
    out = io.StringIO(newline="")
    tell(out)
    text = out.getvalue()
    found = list(COMMAND.finditer(text))
    assert "".join(one[0] for one in found) == text, "a line that is no command"
    return [
        (
            one["level"],
            {key: unquote(value) for key, _, value in (part.partition("=") for part in one["properties"].split(","))},
            unquote(one["message"]),
        )
        for one in found
    ]


def of_smoke(result: SmokeResult, **environ: str) -> list[tuple[str, dict[str, str], str]]:
    return annotations(lambda out: github_actions.report_smoke(result, {"GITHUB_ACTIONS": "true", **environ}, out))


def test_a_failure_is_an_error_at_the_journeys_line() -> None:
    ((level, properties, message),) = of_smoke(SMOKES["failed"], GITHUB_WORKSPACE="/repo")
    assert (level, properties["file"], properties["line"]) == ("error", "journeys/buy.py", "14")
    assert properties["title"] == "journey buy, step “pay” (assertion)"
    assert message.startswith("Locator expected to be visible\nActual value: None\n")
    assert message.endswith(f"trace: /repo/runs/buy/x/trace.zip\nsee: journey show {RUN}")


def test_a_file_outside_of_the_repository_keeps_its_path() -> None:
    ((_, properties, _),) = of_smoke(SMOKES["failed"], GITHUB_WORKSPACE="/elsewhere")
    assert properties["file"] == "/repo/journeys/buy.py"


def test_a_missed_budget_is_an_error_where_the_budget_is_written() -> None:
    whole, step = of_smoke(SMOKES["over"], GITHUB_WORKSPACE="/repo")
    assert step[1] == {"file": "journeys/buy.py", "line": "9", "title": "journey buy, step “open the shop” (budget)"}
    assert whole[1] == {"file": "journeys/buy.py", "line": "6", "title": "journey buy (budget)"}


def test_what_is_uncertain_is_a_warning() -> None:
    found = of_smoke(SMOKES["undecided"])
    assert [level for level, _, _ in found] == ["warning"] * 3
    assert [message.split(":")[0] for _, _, message in found] == [
        "1 run of 12 passed only at a later attempt (flaky)",
        "3 runs of 12 measured on a busy machine",
        "step “pay”",
    ]
    assert [level for level, _, _ in of_smoke(SMOKES["undecided fails"])] == ["error", "warning", "warning"]


def test_a_check_that_passed_says_nothing() -> None:
    assert of_smoke(SMOKES["passed"]) == []


def test_runs_are_told_of_in_the_same_way(tmp_path: Path) -> None:
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": "/repo"}
    failed, error = annotations(lambda out: github_actions.report_runs(RUNS["several"], environ, out))
    assert (failed[0], failed[1]["file"], failed[1]["line"]) == ("error", "journeys/buy.py", "14")
    assert (error[0], error[1]) == ("error", {"title": "journey search, step “pay” (browser)"})
    ((level, _, message),) = annotations(lambda out: github_actions.report_runs(RUNS["flaky"], environ, out))
    assert (level, message) == ("warning", "passed only at attempt 2 (flaky)")


def test_more_than_github_shows_end_with_how_many_more() -> None:
    environ = {"GITHUB_ACTIONS": "true"}
    found = annotations(lambda out: github_actions.report_runs([run("failed")] * 25, environ, out))
    assert len(found) == 10
    assert found[-1][2] == "and 16 more, in the job's summary"


def test_elsewhere_nothing_is_told(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    out = io.StringIO()
    github_actions.report_smoke(SMOKES["failed"], {"GITHUB_STEP_SUMMARY": str(summary)}, out)
    github_actions.report_runs(RUNS["failed"], {}, out)
    github_actions.report_error("x", {}, out)
    assert (out.getvalue(), summary.exists()) == ("", False)


def test_the_summary_is_appended_to(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# Before\n")
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    github_actions.report_smoke(SMOKES["slower"], environ, io.StringIO())
    github_actions.report_runs(RUNS["failed"], environ, io.StringIO())
    assert summary.read_text() == (f"# Before\n{smoke_markdown(SMOKES['slower'])}\n{runs_markdown(RUNS['failed'])}\n")


@pytest.mark.parametrize(("full", "kept"), [(1000, "first line"), (10, "nothing")])
def test_a_summary_that_is_nearly_full_is_never_made_too_large(tmp_path: Path, full: int, kept: str) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("x" * (1024 * 1024 - full))
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    github_actions.report_smoke(SMOKES["slower"], environ, io.StringIO())
    added = summary.read_text().lstrip("x")
    assert added == ({"nothing": "", "first line": f"{smoke_markdown(SMOKES['slower']).splitlines()[0]}\n\n"})[kept]
    assert summary.stat().st_size <= 1024 * 1024


def test_a_summary_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    found = of_smoke(SMOKES["passed"], GITHUB_STEP_SUMMARY=str(tmp_path))
    assert [(level, message) for level, _, message in found] == [
        ("warning", f"GITHUB_STEP_SUMMARY: {tmp_path} cannot be written: Is a directory")
    ]


@given(texts)
def test_whatever_a_page_says_each_annotation_is_one_line(text: str) -> None:
    environ = {"GITHUB_ACTIONS": "true"}
    for level, properties, _ in (
        *of_smoke(hostile_smoke(text)),
        *annotations(lambda out: github_actions.report_runs([hostile_run(text)], environ, out)),
        *annotations(lambda out: github_actions.report_error(text, environ, out)),
    ):
        assert set(properties) <= {"file", "line", "title"}
        assert level in {"error", "warning"}


def test_a_percent_sign_and_a_break_are_kept_for_the_reader() -> None:
    failure = replace(FAILURE, message="50 %0A of\na: b, c")
    ((_, properties, message),) = annotations(
        lambda out: github_actions.report_runs([run("failed", failure=failure, steps=())], {"GITHUB_ACTIONS": "1"}, out)
    )
    assert message.startswith("50 %0A of\na: b, c\n")
    assert properties["title"] == "journey buy, step “pay” (assertion)"
