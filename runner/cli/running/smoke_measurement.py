"""The runs of `journey smoke`, on this machine, and the result of the check."""

from datetime import UTC, datetime

from reports.smoke import verdict
from reports.smoke.archive import SmokeArchive
from reports.smoke.check import Check
from reports.smoke.question import Question
from reports.smoke.result import SmokeResult
from reports.smoke.weight.uncounted import look_again
from reports.terminal.console import SafeConsole
from reports.terminal.smoke_progress import SmokeProgress
from runner.archive.archive import Archive
from runner.archive.run_id import run_id
from runner.browser.engines import find_used
from runner.cli.running.run import make_telemetry, tell_unsent
from runner.cli.running.run_keeper import RunKeeper
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.events import RunEnded
from runner.settings.settings import Settings
from runner.workers.pool import Workers
from runner.workers.run_plans import run_in_order


def measure(
    pool: Workers, question: Question, plans: list[tuple[Journey, Plan]], settings: Settings, console: SafeConsole
) -> SmokeResult:
    """Makes all runs and returns the result; after Ctrl-C, the result of the runs so far."""
    used = {one.browser for _, one in plans if one.kind == "journey"}
    browser = find_used(settings, used) if used else None
    archive = Archive(settings.runs_dir, uploads=settings.artifacts is not None)
    keeper = RunKeeper(archive, settings, console.warn, console.note)
    keeper.note_sandbox_of(browser)
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
        console.warn(tell_unsent(left))
    identity = run_id()
    if not question.pictures:
        return verdict.result(check, identity, started_at, stopped)
    from reports.smoke.pictures import compare_pictures

    file = SmokeArchive(settings.runs_dir).pictures_file(identity, started_at)
    problem = compare_pictures(check, file)
    if problem:
        console.warn(problem)
    return verdict.result(check, identity, started_at, stopped, None if problem else file)
