"""A format of reports is added by a module and one row: commands have its option, and write it."""

import subprocess
import sys

import pytest

from reports.formats.registry import REPORT_FORMATS, list_option_formats
from tests.conftest import Monitor

MODULE = '''
"""Runs and smoke checks, a line each."""


def render_runs(runs, beside):
    return "".join(f"{result.journey} {result.status} beside {beside.name}\\n" for result, _ in runs)


def render_smoke(result, beside):
    return "".join(f"{one.name} {one.verdict} in {len(one.runs)} runs\\n" for one in result.journeys)
'''
JOURNEY = "@journey\ndef walk(page, step):\n    with step('open'):\n        page.goto('/')\n"
PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
from reports.formats.registry import REPORT_FORMATS, ReportFormat
REPORT_FORMATS["lines"] = ReportFormat(
    name="lines",
    module="lines_format",
    suffix=".txt",
    options={{"run": "Write the result in lines.", "smoke": "Write the check in lines."}},
)
from runner.cli import main
main()
"""


@pytest.mark.thorough
def test_a_format_is_an_option_of_commands_and_written_by_them(monitor: Monitor) -> None:
    (monitor.folder / "lines_format.py").write_text(MODULE)
    file = str(monitor.write(JOURNEY))
    program = PROGRAM.format(folder=str(monitor.folder))

    def journey(*words: str) -> str:
        ended = subprocess.run(
            [sys.executable, "-c", program, *words], capture_output=True, text=True, cwd=monitor.folder, timeout=120
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    assert "Write the result in lines." in journey("run", "--help")
    assert "Write the check in lines." in journey("smoke", "--help")
    assert "One of html, junit, markdown, json or lines." in journey("report", "--help")
    journey("run", file, "--base-url", monitor.shop, "--lines", "runs.txt")
    assert (monitor.folder / "runs.txt").read_text() == "walk passed beside \n"
    checked = journey("smoke", file, "--base-url", monitor.shop, "--runs", "2", "--warm-up", "0", "--lines", "-")
    assert checked == "walk passed in 2 runs\n"
    assert journey("report", "last", "--format", "lines") == "walk passed beside \n"
    assert journey("report", "last-smoke", "--format", "lines") == "walk passed in 2 runs\n"


def test_the_options_of_commands_stand_in_one_order() -> None:
    assert [row.name for row in list_option_formats("run")] == ["json", "junit", "markdown"]
    assert [row.name for row in list_option_formats("smoke")] == ["json", "junit", "markdown", "html"]
    assert [row.name for row in REPORT_FORMATS.values()] == ["html", "junit", "markdown", "json"]
