"""A created journey is verified by running it three times, without pushing anything."""

import ast
from pathlib import Path

from msgspec.structs import replace

from reports.codegen.result import Made, Trial
from reports.codegen.trial_guard import STOPPED, guard_trial
from runner.archive.archive import Archive
from runner.browser.chromium import Browser, find
from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.dsl.python_name import to_python_name
from runner.events import Moment, RunEnded
from runner.result import RunResult
from runner.settings.secrets import Secrets, find_missing
from runner.settings.settings import Settings
from runner.workers.pool import Workers
from runner.workers.run_plans import run_plans

RUNS = 3
FOLDER = ".trials"
"""Beside the runs: those of journeys that may never be used."""


def find_obstacle(made: Made, settings: Settings, yes: bool) -> str:
    """Why a journey cannot be tried, and the missing options; empty if it can."""
    report = made.report
    wanting = [f"--param {one}=…" for one in report.params if one not in settings.params]
    secrets = Secrets(folder=settings.secrets_dir, file=settings.secrets_file)
    wanting += [f"JOURNEY_SECRET_{one}=…" for one in find_missing(report.secrets, secrets)]
    wanting += ["--yes"] if report.dangers and not yes else []
    if not wanting:
        return ""
    why = "it needs what the visitor typed" if wanting != ["--yes"] else "it would do something irreversible"
    return f"{why}; give {' '.join(wanting)}"


def verify_journey(made: Made, file: Path, settings: Settings, yes: bool) -> Made:
    """The same with the result of a trial, or why it cannot be tried; `yes` allows irreversible actions."""
    why = find_obstacle(made, settings, yes)
    browser = find(settings.browser_path)
    came = Trial(verdict="untried", message=why) if why else run_trial(made, file, settings, browser, guarded=not yes)
    return replace(made, report=replace(made.report, trial=came))


def run_trial(made: Made, file: Path, settings: Settings, browser: Browser, runs: int = RUNS, guarded: bool = False) -> Trial:
    """Runs the journey against the site that was recorded, or the one that the option `--base-url` names.

    A guarded run stops before an action that, on the live page, needs a confirmation.

    The site of the settings may be another, to which recorded forms must not be sent. Raises BrowserNotFound, DiscoveryError,
    ConfigError as `journey run` does.
    """
    ended: list[RunEnded] = []

    def listen(moment: Moment) -> None:
        if isinstance(moment, RunEnded):
            ended.append(moment)

    (journey,) = load_journeys(file, made.source)
    planned = plan(journey, settings)
    site = settings.base_url if settings.origin("base_url") == "option" else made.report.base_url
    source = guard_source(made.source, (settings.collector_path, settings.replay_path)) if guarded else made.source
    one = replace(planned, source=source, retries=0, base_url=site)
    archive = Archive(settings.runs_dir / FOLDER)
    with Workers(1) as pool:
        run_plans(pool, [one], browser, settings, archive, [listen])
        if not find_stop(ended[0].result) and runs > 1:
            run_plans(pool, [one] * (runs - 1), browser, settings, archive, [listen])
    return judge_trial(made, ended)


def guard_source(source: str, reporting_paths: tuple[str, ...]) -> str:
    """The journey with the guard as its first statement, on the line of its docstring, so that line numbers stay."""
    function = next(one for one in ast.parse(source).body if isinstance(one, ast.FunctionDef))
    lines = source.splitlines()
    call = f'__import__("{guard_trial.__module__}", fromlist=["guard"]).{guard_trial.__name__}(page, {reporting_paths!r})'
    lines[(function.body[0].end_lineno or 0) - 1] += f"; {call}"
    return "\n".join(lines) + "\n"


def find_stop(result: RunResult) -> str:
    """Why the guard has stopped a run; empty if it has not."""
    message = result.failure.message if result.failure else ""
    return next((line[line.index(STOPPED) :] for line in message.splitlines() if STOPPED in line), "")


def judge_trial(made: Made, ended: list[RunEnded]) -> Trial:
    """What the runs say: `verified` when all have passed, `failed` when none has, else `flaky`."""
    statuses = tuple(one.result.status for one in ended)
    bad = next((one for one in ended if one.result.status != "passed"), None)
    if bad is None:
        return Trial(verdict="verified", statuses=statuses)
    failure = bad.result.failure
    stop = find_stop(bad.result)
    if stop:
        number = _action(made, bad.result)
        where = next((f"line {one.line}: {stop}" for one in made.report.actions if one.number == number), stop)
        return Trial(
            verdict="untried", action=number, step=failure.step if failure else None, message=f"{where}; give --yes to allow it"
        )
    return Trial(
        verdict="flaky" if "passed" in statuses else "failed",
        statuses=statuses,
        action=_action(made, bad.result),
        step=failure.step if failure else None,
        message=failure.message if failure else bad.result.status,
        folder=str(bad.folder) if bad.folder else None,
    )


def _action(made: Made, result: RunResult) -> int | None:
    """The action at whose lines a run has failed: the last that begins above."""
    if result.failure is None:
        return None
    line, step = result.failure.line, result.failure.step
    if line is None:
        # A page that answered badly is the doing of the step's last action.
        return max((one.number for one in made.report.actions if one.step == step), default=None)
    return max((one.number for one in made.report.actions if one.line <= line), default=None)


def journey_file(name: str, folders: tuple[Path, ...]) -> Path:
    """Where a journey of that name belongs."""
    folder = folders[0].parent if folders[0].suffix == ".py" else folders[0]
    return folder / f"{to_python_name(name)}.py"
