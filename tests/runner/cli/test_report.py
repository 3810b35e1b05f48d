"""`journey report`: any report, made again from what is stored."""

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from lxml import etree
from msgspec.structs import replace

from reports.smoke.result import SmokeResult
from runner.archive.archive import Archive
from runner.result import RunResult
from tests.reports.samples import RUN, RUNS, SMOKE, SMOKES
from tests.runner.cli.folder import Folder

OTHER = "01b80000-0000-7000-8000-0000000000bb"


def save(folder: Folder, result: RunResult) -> Path:
    archive = Archive(folder.path / "runs")
    scratch = archive.scratch(result.id)
    return archive.save(result, scratch)


def save_smoke(folder: Folder, result: SmokeResult) -> None:
    kept = folder.path / "runs" / ".smoke" / f"{result.started_at:%Y%m%dT%H%M%SZ}-{result.id}.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(msgspec.json.encode(result))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder with two saved runs, of which one failed, and a smoke check."""
    made = Folder(tmp_path, "http://127.0.0.1:1")
    save(made, replace(RUNS["failed"][0].result, artifacts=()))
    save(made, replace(RUNS["passed"][0].result, id=OTHER, started_at=datetime(2026, 1, 2, tzinfo=UTC)))
    save_smoke(made, SMOKES["slower"])
    return made


def test_a_page_is_written_beside_you_and_its_name_printed(folder: Folder) -> None:
    made = folder.here("report")
    assert (made.returncode, made.stdout, made.stderr) == (0, f"report-{OTHER}.html\n", "")
    assert "<h1>buy" in (folder.path / f"report-{OTHER}.html").read_text()


@pytest.mark.parametrize("name", [RUN, "last-failed", "buy@last-failed"])
def test_a_run_is_named_as_everywhere(name: str, folder: Folder) -> None:
    made = folder.here("report", name, "--format", "json")
    assert [run["id"] for run in json.loads(made.stdout)["runs"]] == [RUN]


def test_text_goes_to_standard_output(folder: Folder) -> None:
    assert etree.fromstring(folder.here("report", RUN, "--format", "junit").stdout.encode()).get("failures") == "1"
    assert folder.here("report", RUN, "--format", "markdown").stdout.startswith("### ✗ buy failed: ")
    assert list(folder.path.glob("report*")) == []


def test_several_runs_are_one_report(folder: Folder) -> None:
    made = folder.here("report", RUN, "last")
    assert made.stdout == f"report-{RUN}-and-1-more.html\n"
    assert "2 runs: 1 failed, 1 passed" in (folder.path / made.stdout.strip()).read_text()


@pytest.mark.parametrize("name", ["last-smoke", SMOKE])
def test_a_smoke_check_is_reported_in_every_format(name: str, folder: Folder) -> None:
    assert folder.here("report", name).stdout == f"report-{SMOKE}.html\n"
    assert "Smoke check" in (folder.path / f"report-{SMOKE}.html").read_text()
    assert json.loads(folder.here("report", name, "--format", "json").stdout)["id"] == SMOKE
    assert folder.here("report", name, "--format", "markdown").stdout.startswith("### ▲ Smoke check missed: buy")
    assert " % slower than " in folder.here("report", name, "--format", "junit").stdout


def test_the_output_can_be_named(folder: Folder) -> None:
    made = folder.here("report", RUN, "--output", "a.html")
    assert (made.returncode, made.stdout) == (0, "")
    assert (folder.path / "a.html").is_file()
    assert folder.here("report", RUN, "--output", "-").stdout.startswith("<!doctype html>")


def test_a_page_elsewhere_links_to_the_artifacts(folder: Folder) -> None:
    saved = save(folder, replace(RUNS["failed"][0].result, id=OTHER[:-2] + "cc"))
    (folder.path / "out").mkdir()
    folder.here("report", OTHER[:-2] + "cc", "--output", "out/a.html")
    (link,) = etree.HTML((folder.path / "out" / "a.html").read_text()).xpath("//a[text()='trace.zip']/@href")
    assert (folder.path / "out" / link).resolve() == saved / "trace.zip"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "no run 'nothing' in "),
        (["last", "--format", "pdf"], "--format 'pdf' is not a format; choose one of html, junit, markdown or json"),
        (["last", "--output", "no/such/folder/a.html"], "--output no/such/folder/a.html: cannot be written: No such file"),
        (["01b8"], "'01b8' begins the ids of a run and of a smoke check; give more characters"),
        (["last", "last-smoke"], "'last' is a run, 'last-smoke' a smoke check; name runs, or one smoke check"),
        ([SMOKE, "last-smoke"], f"{SMOKE}, last-smoke are smoke checks; name one"),
    ],
)
def test_what_is_not_clear_is_exit_2_and_says_what_to_do(words: list[str], said: str, folder: Folder) -> None:
    made = folder.here("report", *words)
    assert (made.returncode, made.stdout) == (2, "")
    assert said in made.stderr
    assert "Traceback" not in made.stderr


def test_two_checks_of_one_beginning_and_one_that_is_broken_are_told(folder: Folder) -> None:
    save_smoke(folder, replace(SMOKES["passed"], id=SMOKE[:-1] + "2"))
    made = folder.here("report", SMOKE[:-1])
    assert f"{SMOKE[:-1]!r} begins 2 ids of smoke checks" in made.stderr
    (kept,) = (folder.path / "runs" / ".smoke").glob(f"*{SMOKE}.json")
    kept.write_text("{")
    broken = folder.here("report", SMOKE)
    assert broken.returncode == 2
    assert f"{kept}: cannot be read: " in broken.stderr


def test_where_nothing_is_saved_it_says_how_to_make_something(tmp_path: Path) -> None:
    empty = Folder(tmp_path, "http://127.0.0.1:1")
    assert "`journey run` makes one" in empty.here("report").stderr
    assert "`journey smoke` makes one" in empty.here("report", "last-smoke").stderr
