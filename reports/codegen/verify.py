"""A created journey is verified by running it three times, without pushing anything."""

from pathlib import Path

from msgspec.structs import replace

from reports.codegen.result import Made, Trial
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
    came = Trial(verdict="untried", message=why) if why else run_trial(made, file, settings, find(settings.browser_path))
    return replace(made, report=replace(made.report, trial=came))


def run_trial(made: Made, file: Path, settings: Settings, browser: Browser, runs: int = RUNS) -> Trial:
    """Runs the journey against the site that was recorded, or the one that the option `--base-url` names.

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
    one = replace(planned, source=made.source, retries=0, base_url=site)
    with Workers(1) as pool:
        run_plans(pool, [one] * runs, browser, settings, Archive(settings.runs_dir / FOLDER), [listen])
    return judge_trial(made, ended)


def judge_trial(made: Made, ended: list[RunEnded]) -> Trial:
    """What the runs say: `verified` when all have passed, `failed` when none has, else `flaky`."""
    statuses = tuple(one.result.status for one in ended)
    bad = next((one for one in ended if one.result.status != "passed"), None)
    if bad is None:
        return Trial(verdict="verified", statuses=statuses)
    failure = bad.result.failure
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
