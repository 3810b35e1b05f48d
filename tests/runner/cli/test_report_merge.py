"""`journey report merge`: the documents of shards as one."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from msgspec import to_builtins

from reports import trace_viewer
from runner.archive.json_document import build_document
from runner.errors import RunNotFound
from runner.result import RunResult
from tests.reports.html.test_suite import attempt, record
from tests.reports.samples import NOON, run
from tests.support.commands import Ended, run_here

A, B = "01b80000-0000-7000-8000-00000000000a", "01b80000-0000-7000-8000-00000000000b"


def made(identity: str, status: str = "passed", at: float = 0.0, **fields: Any) -> RunResult:
    start = NOON + timedelta(seconds=at)
    values: dict[str, Any] = {"id": identity, "started_at": start, "ended_at": start + timedelta(seconds=1.2)}
    return run(status, **values | fields).result


def write(folder: Path, name: str, *runs: RunResult, tests: Any = (), **more: Any) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    content = build_document((one, None) for one in runs) | {"tests": to_builtins(tests)} | more
    file.write_text(json.dumps(content, default=str))
    return file


def merge(folder: Path, *words: str) -> Ended:
    return run_here(folder, ["report", "merge", *words], {"PATH": "/usr/bin:/bin", "HOME": str(folder), "COLUMNS": "200"})


def merged(folder: Path, *words: str) -> dict[str, Any]:
    ended = merge(folder, *words, "--json", "all.json")
    assert ended.returncode == 0, ended.stderr
    document: dict[str, Any] = json.loads((folder / "all.json").read_text())
    return document


def test_the_same_run_counts_once_and_different_ones_each(tmp_path: Path) -> None:
    write(tmp_path, "a.json", made(A), made(B, journey="search"))
    write(tmp_path, "b.json", made(A))
    assert [(one["id"], one["attempts"]) for one in merged(tmp_path, "a.json", "b.json")["runs"]] == [(A, 1), (B, 1)]


def test_a_journey_that_was_repeated_in_another_shard_has_two_attempts(tmp_path: Path) -> None:
    write(tmp_path, "a.json", made(A, "failed"))
    write(tmp_path, "b.json", made(B, at=60))
    (both,) = merged(tmp_path, "b.json", "a.json")["runs"]
    assert (both["id"], both["status"], both["attempts"]) == (B, "passed", 2)
    assert [(one["number"], one["status"]) for one in both["earlier_attempts"]] == [(1, "failed")]
    assert [(one["kind"], one.get("attempt", 1)) for one in both["artifacts"]] == [("trace", 1), ("screenshot", 1)]
    (tmp_path / "all.json").rename(tmp_path / "again.json")
    assert merged(tmp_path, "a.json", "b.json", "again.json")["runs"] == [both], "merged again, it is the same"


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ({"status": "passed"}, {"at": 60}, "two runs, since nothing had to be repeated"),
        ({"status": "failed"}, {"at": 0.5}, "two runs at the same time"),
        ({"status": "failed"}, {"at": 60, "location": "oslo"}, "two places"),
        ({"status": "failed"}, {"at": 60, "journey": "search"}, "two journeys"),
    ],
)
def test_what_is_not_a_repetition_stays_apart(tmp_path: Path, first: Any, second: Any, told: str) -> None:
    write(tmp_path, "a.json", made(A, **first))
    write(tmp_path, "b.json", made(B, **second))
    assert len(merged(tmp_path, "a.json", "b.json")["runs"]) == 2, told


def test_runs_that_one_shard_has_repeated_on_purpose_stay_apart(tmp_path: Path) -> None:
    write(tmp_path, "a.json", made(A, "failed"), made(B, at=60))
    assert len(merged(tmp_path, "a.json")["runs"]) == 2


def test_tests_of_all_shards_are_one_report_with_their_attempts_and_workers(tmp_path: Path) -> None:
    failing, repeated = attempt(1, "failed", 0, message="no <i>", worker=""), attempt(1, "passed", 90)
    write(tmp_path, "1/runs.json", made(A, "failed"), tests=[record("test_pay", failing, run=A), record("test_a")])
    write(tmp_path, "2/runs.json", made(B, at=90), tests=[record("test_pay", repeated, run=B), record("test_b", attempt(at=1))])
    ended = merge(tmp_path, "1/runs.json", "2/runs.json", "--html", "r.html", "--json", "all.json", "--markdown", "c.md")
    assert ended.returncode == 0, ended.stderr
    tests = {one["id"].rpartition("::")[2]: one for one in json.loads((tmp_path / "all.json").read_text())["tests"]}
    assert [(one["number"], one["outcome"], one["worker"]) for one in tests["test_pay"]["attempts"]] == [
        (1, "failed", "1 runs/main"),
        (2, "passed", "2 runs/gw0"),
    ]
    assert tests["test_pay"]["run"] == B
    page = (tmp_path / "r.html").read_text()
    assert "<h1>3 tests: 1 flaky, 2 passed</h1>" in page
    assert "in step “pay”: Locator expected to be visible" in page
    assert (tmp_path / "c.md").read_text().startswith("### ✓ buy passed at attempt 2 (flaky)")


def test_folders_of_another_machine_are_found_below_the_document(tmp_path: Path) -> None:
    file = write(tmp_path, "shard-1/runs.json", made(A, "failed"))
    document = json.loads(file.read_text())
    document["runs"][0]["folder"] = "/home/runner/work/shop/runs/buy/x"
    file.write_text(json.dumps(document))
    (tmp_path / "shard-1" / "runs" / "buy" / "x").mkdir(parents=True)
    found = merged(tmp_path, "shard-1/runs.json")["runs"][0]["folder"]
    assert tmp_path / found == tmp_path / "shard-1" / "runs" / "buy" / "x"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            '{"version": 2, "runs": []}',
            "it has version 2, and this journey-runner merges version 1; write all shards and merge them",
        ),
        ('{"version": 1, "runs": [{"version": 3}]}', "a run: it has version 3, and this journey-runner merges version 1"),
        ('{"version": 1, "journeys": []}', "is not a document of runs: it has no `runs`; name files that `journey run --json`"),
        ("[]", "is not a document of runs"),
        ("\xff", "is not a document of runs"),
        ('{"version": 1, "runs": [' + "[" * 100_000, "is not a document of runs"),
        ('{"version": 1, "runs": [{"version": 1, "id": 5}]}', "is not a document of runs"),
    ],
)
def test_another_version_and_another_file_are_refused_and_nothing_is_written(tmp_path: Path, content: str, told: str) -> None:
    write(tmp_path, "a.json", made(A))
    (tmp_path / "b.json").write_text(content, encoding="latin-1")
    ended = merge(tmp_path, "a.json", "b.json", "--html", "report.html")
    assert ended.returncode == 2
    assert f"b.json: {told}" in ended.stderr
    assert not (tmp_path / "report.html").exists()


def test_a_file_that_is_not_there_and_a_command_without_targets_are_said(tmp_path: Path) -> None:
    assert "none.json: cannot be read: No such file or directory" in merge(tmp_path, "none.json", "--json", "-").stderr
    write(tmp_path, "a.json", made(A))
    assert "no report to write; write it as: journey report merge a.json b.json --html" in merge(tmp_path, "a.json").stderr
    assert "no document to merge" in merge(tmp_path, "--html", "r.html").stderr


def test_a_trace_in_a_file_is_opened_without_its_run(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "trace.zip", "w") as trace:
        trace.writestr("trace.trace", '{"type":"before","callId":"1","method":"tracingGroup","title":"pay"}')
    ended = run_here(tmp_path, ["trace", "trace.zip", "--step", "leave"], {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})
    assert "the trace trace.zip has no step 'leave'; it has: 'pay'" in " ".join(ended.stderr.split())


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"type":"before","callId":"1","args":' + "[" * 100_000, "nested too deeply"),
        ('{"type":"before","callId":5}', "Expected `str`, got `int`"),
        ("[]", "Expected `object`, got `array`"),
        ("{", "truncated"),
    ],
)
def test_a_trace_that_is_not_playwrights_is_refused(tmp_path: Path, line: str, told: str) -> None:
    with ZipFile(tmp_path / "trace.zip", "w") as trace:
        trace.writestr("trace.trace", line)
    with pytest.raises(RunNotFound, match=f"trace.zip cannot be read: .*{told}"):
        trace_viewer.cut(tmp_path / "trace.zip", "pay", tmp_path / "cut.zip")


def test_a_trace_that_is_no_zip_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trace.zip").write_text("no zip file")
    with pytest.raises(RunNotFound, match=r"trace.zip cannot be read: File is not a zip file"):
        trace_viewer.cut(tmp_path / "trace.zip", "pay", tmp_path / "cut.zip")
