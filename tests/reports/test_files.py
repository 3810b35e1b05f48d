"""Report files: each where it was asked for, whole or not at all."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from reports.formats.html.smoke import smoke_html
from reports.formats.junit import smoke_junit
from reports.formats.markdown import smoke_markdown
from reports.formats.registry import REPORT_FORMATS
from reports.formats.report_files import Files, write_runs, write_smoke
from runner.errors import ConfigError
from runner.result import RunResult
from tests.reports.samples import RUNS, SMOKE, SMOKES

PAIRS: list[tuple[RunResult, Path | None]] = [(saved.result, saved.folder) for saved in RUNS["several"]]


def test_each_report_goes_into_its_file(tmp_path: Path) -> None:
    files = Files(**{name: str(tmp_path / name) for name in REPORT_FORMATS})
    write_smoke(files, SMOKES["failed"], {})
    assert (tmp_path / "junit").read_text() == smoke_junit(SMOKES["failed"])
    assert (tmp_path / "markdown").read_text() == smoke_markdown(SMOKES["failed"])
    assert (tmp_path / "html").read_bytes() == smoke_html(SMOKES["failed"], tmp_path)
    assert json.loads((tmp_path / "json").read_text())["id"] == SMOKE
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(REPORT_FORMATS)


def test_a_run_that_could_not_be_saved_is_reported_too(tmp_path: Path) -> None:
    files = Files(**{name: str(tmp_path / name) for name in REPORT_FORMATS})
    write_runs(files, [(RUNS["passed"][0].result, None)], {})
    assert json.loads((tmp_path / "json").read_text())["runs"][0]["folder"] is None
    assert "buy" in (tmp_path / "junit").read_text()


def test_only_one_report_can_go_to_standard_output() -> None:
    with pytest.raises(ConfigError, match="--junit and --json cannot both go to standard output; name a file for all but one"):
        Files(json="-", junit="-", markdown="x").check()
    Files(json="-", junit="x").check()


@pytest.mark.parametrize("form", REPORT_FORMATS)
def test_a_report_goes_to_standard_output(form: str, capfdbinary: Any) -> None:
    write_runs(Files(**{form: "-"}), PAIRS, {})
    begins = {"html": b"<!doctype html>", "junit": b"<?xml", "markdown": b"### ", "json": b"{"}
    assert capfdbinary.readouterr().out.startswith(begins[form])


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("nowhere/a.xml", "No such file or directory"),
        (".", "(Is a directory|Device or resource busy)"),
        ("folder", "Is a directory"),
        ("taken/a.xml", "Not a directory"),
    ],
)
def test_a_file_that_cannot_be_written_is_named_and_the_others_are_written(
    target: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken").write_text("a file")
    Path("folder").mkdir()
    with pytest.raises(ConfigError, match=f"--junit .*: cannot be written: {why}; name a file in a folder that exists"):
        write_runs(Files(junit=target, markdown="ok.md"), PAIRS, {})
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder", "ok.md", "taken"]


def test_what_is_no_file_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe, link, file = tmp_path / "pipe", tmp_path / "link", tmp_path / "folder" / "newest.json"
    os.mkfifo(pipe)
    file.parent.mkdir()
    link.symlink_to(file)
    with ThreadPoolExecutor(1) as reader:
        came = reader.submit(pipe.read_text)
        write_runs(Files(json=str(pipe)), PAIRS, {})
        assert json.loads(came.result())["version"] == 1
    assert pipe.is_fifo()
    for _ in range(2):
        write_runs(Files(json=str(link)), PAIRS, {})
        assert (link.is_symlink(), json.loads(file.read_text())["version"]) == (True, 1)
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["folder", "link", "newest.json", "pipe"]


def test_a_descriptor_by_its_name_is_written_to_and_stays(capfdbinary: Any) -> None:
    write_runs(Files(json="/dev/stdout"), PAIRS, {})
    assert capfdbinary.readouterr().out.startswith(b"{")
    assert Path("/dev/stdout").is_symlink()


def test_github_is_told_on_the_stream_that_no_report_goes_to(capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"GITHUB_ACTIONS": "true"}
    write_smoke(Files(json="-"), SMOKES["failed"], environ)
    printed = capsys.readouterr()
    assert json.loads(printed.out)["verdict"] == "failed"
    assert printed.err.startswith("::error file=")
    write_smoke(Files(), SMOKES["failed"], environ)
    assert capsys.readouterr().out.startswith("::error file=")
