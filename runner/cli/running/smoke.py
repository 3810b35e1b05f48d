"""`journey smoke`: run journeys several times, compare them with budgets and a baseline, reach one verdict."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from reports.formats.report_files import Files, write_smoke
from runner.archive.archive import Archive
from runner.archive.run_id import run_id
from runner.browser.engines import find_used
from runner.browser.sandbox import describe_sandbox
from runner.cli import INTERRUPTED, given
from runner.cli.running.remote_run import (
    Remote,
    RemoteTimeout,
    open_remote,
    refuse_local_options,
)
from runner.cli.running.report_options import with_report_options
from runner.cli.running.run import BUDGET, FAILED, MONITOR, PASSED, make_telemetry, tell_unsent
from runner.cli.running.run_keeper import RunKeeper
from runner.cli.running.smoke_question import ask_for_costs, ask_question
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan, plan
from runner.errors import ConfigError
from runner.events import RunEnded
from runner.pictures.requirements import require_packages
from runner.settings.settings import Settings
from runner.workers.pool import Workers
from runner.workers.run_plans import run_in_order

if TYPE_CHECKING:
    from rich.console import Console

    from reports.smoke.question import Question
    from reports.smoke.result import SmokeResult

WIDE = 200
"""The number of columns of output to a file or a log."""
CODES = {"passed": PASSED, "failed": FAILED, "error": MONITOR, "missed": BUDGET}


@with_report_options("smoke")
def smoke(
    wanted: given.Wanted = None,
    tag: given.Tags = None,
    runs: Annotated[int | None, typer.Option(help="Measured runs of each journey that has no baseline (default: 5).")] = None,
    warm_up: Annotated[
        int | None, typer.Option(help="Runs of each journey beforehand, which are not counted (default: 1).")
    ] = None,
    max_runs: Annotated[
        int | None, typer.Option(help="The maximum number of measured runs of a journey, also with a baseline.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(metavar="FILE|NAME|URL", help="Compare the latencies with a saved baseline.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="URL", help="Measure this site too, side by side, and compare.")
    ] = None,
    save_baseline: Annotated[
        str | None, typer.Option(metavar="FILE|NAME", help="Save the measurements as a baseline if the check passes.")
    ] = None,
    tolerance: Annotated[
        str | None, typer.Option(help="How much slower is acceptable, such as 10%, 0.1 or 10%,20ms (default: 10%).")
    ] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Compare how the page looks at the end of each step, too.")
    ] = False,
    picture_area: Annotated[
        str | None, typer.Option(metavar="viewport|page", help="What is on a picture (default: viewport).")
    ] = None,
    block: Annotated[
        list[str] | None,
        typer.Option(
            metavar="each|third-party|PATTERN",
            help="Measure what this costs, by walks without it; 'each': every third party for itself (repeatable).",
        ),
    ] = None,
    coverage: Annotated[
        bool,
        typer.Option("--coverage", help="Show which scripts and styles are not used, by one more run that does not count."),
    ] = False,
    cpu_profile: Annotated[
        str | None,
        typer.Option(metavar="on-slow|always|off", help="Profile journeys that are too slow, in one more run (default: off)."),
    ] = None,
    undecided: Annotated[
        str | None, typer.Option(metavar="pass|fail", help="The verdict on steps that cannot be decided (default: pass).")
    ] = None,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Keep measuring a journey that has failed.")] = False,
    seed: Annotated[int | None, typer.Option(min=0, help="The seed of the order in which the two sites are measured.")] = None,
    base_url: given.BaseUrl = None,
    param: given.Params = None,
    env: given.EnvironmentName = None,
    retries: Annotated[
        int,
        typer.Option(min=0, help="Attempts after the first, if it does not pass; other settings of retries do not apply here."),
    ] = 0,
    timeout: given.Timeout = None,
    trace: given.Policy = None,
    screenshots: given.Policy = None,
    accessibility: given.Accessibility = None,
    headed: given.Headed = None,
    browser_path: given.BrowserPath = None,
    location: Annotated[str | None, typer.Option(help="The location of this monitor.")] = None,
    runs_dir: given.RunsDir = None,
    remote: Remote = None,
    remote_timeout: RemoteTimeout = None,
    *,
    files: Files,
) -> None:
    """Run journeys several times, compare them with budgets and a baseline, and reach one verdict.

    Exit codes: 0 passed, 1 a journey failed, 2 usage or configuration, 3 the monitor itself failed (or the reference site of
    --against), 4 a budget or the baseline was missed.

    Example: journey smoke --tag critical --base-url https://staging.shop.example --against https://shop.example
    """
    from reports.smoke.weight.uncounted import without_instruments
    from reports.terminal.console import make_console

    if remote is not None:
        refuse_local_options(
            {
                "pictures": pictures,
                "picture_area": picture_area,
                "block": block,
                "coverage": coverage,
                "cpu_profile": cpu_profile,
                "accessibility": accessibility,
                "retries": retries,
                "timeout": timeout,
                "trace": trace,
                "screenshots": screenshots,
                "headed": headed,
                "browser_path": browser_path,
            }
        )
    settings = given.settings(
        env,
        smoke_runs=runs,
        smoke_warm_up=warm_up,
        smoke_max_runs=max_runs,
        smoke_tolerance=tolerance,
        smoke_undecided=undecided,
        picture_area=picture_area,
        smoke_cpu_profile=cpu_profile,
        base_url=base_url,
        params=given.params(param),
        retries=retries,
        timeout=timeout,
        trace=trace,
        screenshots=screenshots,
        accessibility=accessibility,
        headed=headed,
        browser_path=browser_path,
        location=location,
        runs_dir=runs_dir,
    )
    if not settings.sends_tests:
        # No run refers to a trace that nobody gets.
        settings = replace(settings, otlp_endpoint=None)
    if pictures:
        require_packages("--pictures")
    _require_folders(files, save_baseline, settings)
    console = make_console(stderr=files.on_stdout, highlight=False)
    if not console.is_terminal:
        # Output to a pipe is not read in 80 columns.
        console.width = WIDE
    try:
        elsewhere = open_remote(remote, settings, console, remote_timeout) if remote is not None else None
        with Workers(0 if elsewhere else 1) as pool:
            chosen = given.journeys(wanted, tag, settings)
            if elsewhere is None:
                given.require_secrets(chosen, settings)
            plans = [(one, without_instruments(plan(one, settings))) for one in chosen]
            notes = list(given.misfits(settings, chosen, whole=not wanted and not tag))
            sites = ", ".join(dict.fromkeys(one.base_url for _, one in plans if one.base_url))
            question = ask_question(settings, chosen, sites or None, baseline, against, keep_going, seed, notes)
            if pictures:
                from reports.smoke.question import with_pictures

                question = with_pictures(question, settings)
            question = ask_for_costs(question, tuple(block or ()), coverage, settings, plans)
            if elsewhere is not None:
                from runner.cli.running.remote_smoke import measure_remotely

                result = measure_remotely(elsewhere, question, plans, settings, console)
            else:
                result = _measure(pool, question, plans, settings, console)
            if any(step.profile for one in result.journeys for step in one.steps):
                from reports.smoke.weight.original_code import add_original_places

                result = add_original_places(result, settings)
        _tell(result, settings, console, files, save_baseline)
    except KeyboardInterrupt:
        typer.echo("stopped; the runs that had ended are saved", err=True)
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(INTERRUPTED if result.stopped else CODES[result.verdict])


def _require_folders(files: Files, save_baseline: str | None, settings: Settings) -> None:
    """Raises ConfigError for a file that cannot be written, before minutes are spent on measuring."""
    from reports.smoke import baseline

    files.check()
    targets = {f"--{name}": Path(target) for name, target in files.targets.items() if target != "-"}
    if save_baseline is not None:
        file = baseline.file_of(save_baseline, settings.runs_dir, "--save-baseline")
        if file.parent.name != baseline.FOLDER:
            targets["--save-baseline"] = file
    for option, file in targets.items():
        if file.is_dir() or not file.parent.is_dir():
            raise ConfigError(f"{option} {file}: cannot be written; name a file in a folder that exists")


def _measure(
    pool: Workers, question: "Question", plans: list[tuple[Journey, Plan]], settings: Settings, console: "Console"
) -> "SmokeResult":
    """Makes all runs and returns the result; after Ctrl-C, the result of the runs so far."""
    from reports.smoke import verdict
    from reports.smoke.archive import SmokeArchive
    from reports.smoke.check import Check
    from reports.smoke.weight.uncounted import look_again
    from reports.terminal.smoke_progress import SmokeProgress

    used = {one.browser for _, one in plans if one.kind == "journey"}
    browser = find_used(settings, used) if used else None
    archive = Archive(settings.runs_dir, uploads=settings.artifacts is not None)
    keeper = RunKeeper(archive, settings, lambda problem: _warn(console, problem), lambda text: _note(console, text))
    if browser is not None and browser.engine == "chromium":
        keeper.note_sandbox(describe_sandbox(browser.path))
    check, started_at, stopped = Check(question, plans), datetime.now(UTC), False

    def run(wanted: Plan) -> RunEnded:
        run_in_order(pool, [wanted])
        result, folder = keeper.ended[-1]
        return RunEnded(result=result, folder=folder)

    telemetry = make_telemetry(settings, "smoke") if settings.sends_tests else None
    with keeper, SmokeProgress(console) as progress:
        pool.open(browser, settings, archive, [progress, keeper, *([telemetry] if telemetry else [])])
        try:
            check.measure(run, progress.round)
            if question.coverage or question.cpu_profile != "off":
                check.notes += look_again(check.measurements, question, lambda: verdict.result(check, "", started_at), run)
        except KeyboardInterrupt:
            stopped = True
    if telemetry is not None and (left := telemetry.stop(settings.otlp_timeout)):
        _warn(console, tell_unsent(left))
    identity = run_id()
    if not question.pictures:
        return verdict.result(check, identity, started_at, stopped)
    from reports.smoke.pictures import compare_pictures

    file = SmokeArchive(settings.runs_dir).pictures_file(identity, started_at)
    problem = compare_pictures(check, file)
    if problem:
        _warn(console, problem)
    return verdict.result(check, identity, started_at, stopped, None if problem else file)


def _tell(result: "SmokeResult", settings: Settings, console: "Console", files: Files, save_baseline: str | None) -> None:
    """Shows and saves the result, and writes the reports."""
    from reports.smoke import baseline
    from reports.smoke.archive import SmokeArchive
    from reports.terminal.smoke_summary import render_smoke

    console.print()
    console.print(render_smoke(result), soft_wrap=True)
    order = f" (order of the sides: --seed {result.seed})" if result.baseline and result.baseline.kind == "against" else ""
    try:
        saved = SmokeArchive(settings.runs_dir).save(result)
        console.print(f"\nthis check is saved in {saved}{order}", markup=False, soft_wrap=True)
    except ConfigError as error:
        # A full disk does not change the result.
        _warn(console, f"this check is not saved: {error}")
    write_smoke(files, result)
    if save_baseline is not None:
        _save_baseline(result, baseline.file_of(save_baseline, settings.runs_dir, "--save-baseline"), console)


def _save_baseline(result: "SmokeResult", file: Path, console: "Console") -> None:
    from reports.smoke import baseline

    if result.verdict != "passed":
        _warn(console, f"{file}: the baseline is not saved, as the check did not pass")
        return
    if result.pictures:
        from reports.smoke.baseline_pictures import save_with_pictures

        save_with_pictures(result, file)
    else:
        baseline.save(baseline.of(result), file)
        baseline.pictures_beside(file).unlink(missing_ok=True)
    console.print(f"the baseline is saved in {file}", markup=False, soft_wrap=True)
    fewest = min((len(one.runs) for one in result.journeys), default=0)
    if fewest < baseline.ENOUGH:
        console.print(f"with {fewest} runs it shows only large changes; --runs {baseline.GOOD} makes a better one")


def _note(console: "Console", text: str) -> None:
    console.print(f"note: {text}", markup=False, soft_wrap=True)


def _warn(console: "Console", problem: str) -> None:
    console.print(f"warning: {problem}", style="yellow", markup=False, soft_wrap=True)
