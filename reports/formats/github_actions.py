"""Reports to GitHub Actions: annotations on the lines of journeys, and the job's summary.

Commands are lines `::error file=…,line=…,title=…::message` in the output, with the escapes of `command.ts` in
actions/toolkit. The summary is appended to the file that GITHUB_STEP_SUMMARY names.
"""

import re
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TextIO

from reports.formats.markdown import runs_markdown, smoke_markdown
from reports.smoke.result import SmokeResult, StepCheck
from reports.text import smoke_text
from reports.text.formatting import list_ended_quarantine
from reports.text.problems import Problem, list_run_problems
from reports.text.smoke_problems import list_smoke_problems
from runner.archive.archive import Saved

SUMMARY_BYTES = 1024 * 1024
"""GitHub drops a step's summary that is larger."""
ANNOTATIONS = 10
"""The most errors, and the most warnings, that GitHub shows of a step."""
MESSAGE = 4000
"""Characters of one message."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

Level = Literal["error", "warning"]
_tokens: list[str] = []
"""While it is not empty, GitHub ignores all commands but the one that consists of its last token."""


@contextmanager
def stop_commands(out: TextIO) -> Iterator[None]:
    """GitHub executes no command that is printed in the block, except those of this module.

    The text of a page, or the output of a journey, may begin a line with `::`; it must not annotate the job or mask a word in its
    log. The commands that stop and resume go to `out`.
    """
    print(_stop(), file=out, flush=True)
    try:
        yield
    finally:
        # Both streams of a step come to GitHub, each in its own time.
        sys.stdout.flush()
        print(_resume(), file=out, flush=True)


def _stop() -> str:
    _tokens.append(secrets.token_hex(16))
    return f"::stop-commands::{_tokens[-1]}"


def _resume() -> str:
    return f"::{_tokens.pop()}::"


def report_smoke(result: SmokeResult, environ: Mapping[str, str], out: TextIO | None = None) -> None:
    """Reports a smoke check where GITHUB_ACTIONS is set; commands go to `out`, by default standard output."""
    if not environ.get("GITHUB_ACTIONS"):
        return
    problems = list_smoke_problems(result)
    warnings = _set_aside(problems, environ) + [
        format_command("warning", f"journey {check.name}", remark, _place(check.file, check.line, environ))
        for check in result.journeys
        for remark in (*smoke_text.list_remarks(check), *_undecided(check.steps, result.fail_undecided))
    ]
    _write([*_errors(problems, environ), *_limited(warnings, "warning")], out)
    _summarize(smoke_markdown(result), environ, out)


def report_runs(runs: Sequence[Saved], environ: Mapping[str, str], out: TextIO | None = None) -> None:
    """Reports runs, as `report_smoke` does a smoke check."""
    if not environ.get("GITHUB_ACTIONS") or not runs:
        return
    problems = [one for saved in runs for one in list_run_problems(saved.result, saved.folder)]
    warnings = _set_aside(problems, environ) + [
        format_command("warning", f"journey {saved.result.journey}", remark)
        for saved in runs
        for remark in (
            *([f"passed only at attempt {saved.result.attempts} (flaky)"] if saved.result.flaky else []),
            *list_ended_quarantine(saved.result),
            *saved.result.notes,
        )
    ]
    _write([*_errors(problems, environ), *_limited(warnings, "warning")], out)
    _summarize(runs_markdown(runs), environ, out)


def report_error(message: str, environ: Mapping[str, str], out: TextIO | None = None) -> None:
    """Reports an error that ended a command before it had a result."""
    if environ.get("GITHUB_ACTIONS"):
        _write([format_command("error", "journey", message)], out)


def format_command(level: Level, title: str, message: str, place: Mapping[str, str] | None = None) -> str:
    """A workflow command that makes an annotation, in one line.

    >>> format_command("error", "buy: pay", "100 %\\nslow", {"file": "a,b.py", "line": "3"})
    '::error file=a%2Cb.py,line=3,title=buy%3A pay::100 %25%0Aslow'
    """
    properties = {**(place or {}), "title": title}
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {listed}::{_data(message[:MESSAGE])}"


def _data(text: str) -> str:
    return _CONTROL.sub("\ufffd", text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _errors(problems: Sequence[Problem], environ: Mapping[str, str]) -> list[str]:
    commands = [
        format_command("error", f"journey {one.place} ({one.type})", one.text, _place(one.file, one.line, environ))
        for one in problems
        if not one.quarantine
    ]
    return _limited(commands, "error")


def _set_aside(problems: Sequence[Problem], environ: Mapping[str, str]) -> list[str]:
    """What is in quarantine is a warning, since it does not gate."""
    return [
        format_command("warning", f"journey {one.place} ({one.type})", one.text, _place(one.file, one.line, environ))
        for one in problems
        if one.quarantine
    ]


def _limited(commands: list[str], level: Level) -> list[str]:
    if len(commands) <= ANNOTATIONS:
        return commands
    more = len(commands) - ANNOTATIONS + 1
    return [*commands[: ANNOTATIONS - 1], format_command(level, "journey", f"and {more} more, in the job's summary")]


def _place(file: str | None, line: int | None, environ: Mapping[str, str]) -> dict[str, str]:
    """File and line as an annotation names them: from the root of the repository."""
    if not file:
        return {}
    root = Path(environ.get("GITHUB_WORKSPACE") or Path.cwd())
    path = Path(file)
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else file
    return {"file": shown, **({"line": str(line)} if line else {})}


def _undecided(steps: Sequence[StepCheck], fails: bool) -> Iterator[str]:
    for step in steps:
        if step.comparison is not None and step.comparison.outcome == "undecided" and not fails:
            yield f"step “{step.name}”: {smoke_text.describe_comparison(step.comparison)}"


def _summarize(markdown: str, environ: Mapping[str, str], out: TextIO | None) -> None:
    """Appends to the summary. What hinders that is a warning: it changes nothing in what was found."""
    name = environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        return
    file = Path(name)
    try:
        written = file.stat().st_size if file.exists() else 0
        text = _within(markdown, SUMMARY_BYTES - written)
        with file.open("a", encoding="utf-8") as summary:
            summary.write(text)
    except OSError as error:
        warning = f"GITHUB_STEP_SUMMARY: {file} cannot be written: {error.strerror}"
        _write([format_command("warning", "journey", warning)], out)


def _within(markdown: str, room: int) -> str:
    """The Markdown, or where there is no room for it its first line, or nothing."""
    whole = f"{markdown}\n"
    first = f"{markdown.splitlines()[0]}\n\n"
    return next((text for text in (whole, first) if len(text.encode()) <= room), "")


def _write(commands: Sequence[str], out: TextIO | None) -> None:
    lines = [_resume(), *commands, _stop()] if _tokens and commands else commands
    for one in lines:
        print(one, file=out or sys.stdout, flush=True)
