"""`journey run`: run journeys now."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from reports.formats.report_files import Files, write_runs
from reports.remote.runs import Wish
from runner.archive.archive import Archive
from runner.browser.engines import find_used
from runner.cli import INTERRUPTED, given
from runner.cli.running.remote_run import (
    Remote,
    RemoteTimeout,
    given_base_url,
    open_remote,
    refuse_local_options,
    run_remotely,
)
from runner.cli.running.report_options import with_report_options
from runner.cli.running.run_keeper import RunKeeper
from runner.dsl.plan import Plan, plan
from runner.errors import ConfigError, PushError
from runner.events import Listener, Moment, RunEnded
from runner.installation import journey_command
from runner.result import RunResult
from runner.settings.settings import Settings
from runner.workers.pool import Workers
from runner.workers.run_plans import run_plans

if TYPE_CHECKING:
    from runner.telemetry.queued_items import Source
    from runner.telemetry.telemetry import Telemetry

PASSED, FAILED, MONITOR, BUDGET = 0, 1, 3, 4


@with_report_options("run")
def run(
    wanted: given.Wanted = None,
    tag: given.Tags = None,
    repeat: Annotated[int, typer.Option(min=1, help="Run each journey N times.")] = 1,
    workers: Annotated[
        int | None, typer.Option(help="Run N journeys at a time; more than one per two cores skews timings.")
    ] = None,
    base_url: given.BaseUrl = None,
    param: given.Params = None,
    env: given.EnvironmentName = None,
    retries: Annotated[int | None, typer.Option(help="Attempts after the first, if it does not pass.")] = None,
    timeout: given.Timeout = None,
    trace: given.Policy = None,
    screenshots: given.Policy = None,
    accessibility: given.Accessibility = None,
    video: given.Policy = None,
    update_pictures: Annotated[
        bool, typer.Option("--update-pictures", help="Store the pictures of expect_picture instead of comparing them.")
    ] = False,
    headed: given.Headed = None,
    slow_mo: Annotated[str | None, typer.Option(help="Wait this long after each action, such as 500ms.")] = None,
    browser_path: given.BrowserPath = None,
    pushgateway: Annotated[str | None, typer.Option(metavar="URL", help="Push the metrics of each run there.")] = None,
    require_push: Annotated[bool | None, typer.Option("--require-push", help="Exit 3 when a push fails.")] = None,
    location: Annotated[str | None, typer.Option(help="The label `location` of the metrics.")] = None,
    runs_dir: given.RunsDir = None,
    remote: Remote = None,
    remote_timeout: RemoteTimeout = None,
    metrics_file: Annotated[
        Path | None, typer.Option(help="Write the metrics to a file, for node exporter's textfile collector.")
    ] = None,
    *,
    files: Files,
) -> None:
    """Run journeys now, show each step as it ends, save every run.

    Exit codes: 0 passed, 1 a journey failed, 2 usage or configuration, 3 the monitor itself failed, 4 over budget.

    Example: journey run checkout --base-url https://staging.shop.example --retries 1
    """
    files.check()
    if remote is not None:
        refuse_local_options(
            {
                "workers": workers,
                "retries": retries,
                "timeout": timeout,
                "trace": trace,
                "screenshots": screenshots,
                "video": video,
                "update_pictures": update_pictures,
                "headed": headed,
                "slow_mo": slow_mo,
                "browser_path": browser_path,
                "pushgateway": pushgateway,
                "require_push": require_push,
                "runs_dir": runs_dir,
                "metrics_file": metrics_file,
            }
        )
        known = given.settings(env, base_url=base_url, params=given.params(param))
        raise typer.Exit(_run_elsewhere(remote, remote_timeout, known, wanted, tag, repeat, location, files))
    settings = given.settings(
        env,
        workers=workers,
        base_url=base_url,
        params=given.params(param),
        retries=retries,
        timeout=timeout,
        trace=trace,
        screenshots=screenshots,
        accessibility=accessibility,
        video=video,
        headed=headed,
        slow_mo=slow_mo,
        browser_path=browser_path,
        pushgateway=pushgateway,
        require_push=require_push,
        location=location,
        runs_dir=runs_dir,
    )
    # The workers start Python and Playwright's driver while the journeys are loaded; no browser is started yet.
    try:
        with Workers(settings.workers) as pool:
            chosen = given.journeys(wanted, tag, settings)
            given.require_secrets(chosen, settings)
            plans = [
                replace(plan(journey, settings), update_pictures=update_pictures) for journey in chosen for _ in range(repeat)
            ]
            pusher = Pusher(settings)
            ended = execute(pool, plans, settings, files, metrics_file, pusher)
        lost = any(folder is None for _, folder in ended) or (pusher.failed and settings.require_push)
        code = exit_code([result for result, _ in ended]) or (MONITOR if lost else PASSED)
    except KeyboardInterrupt:
        typer.echo("stopped; the runs that had ended are saved", err=True)
        code = INTERRUPTED
    raise typer.Exit(code)


def _run_elsewhere(
    url: str,
    limit: str | None,
    settings: Settings,
    wanted: list[str] | None,
    tag: list[str] | None,
    repeat: int,
    location: str | None,
    files: Files,
) -> int:
    """The exit code of runs that a scheduler elsewhere makes."""
    from reports.terminal.console import make_console

    console = make_console(stderr=files.on_stdout, highlight=False)
    remote = open_remote(url, settings, console, limit)
    if repeat > 1 and not wanted:
        raise ConfigError("--repeat and --remote: name the journeys that are to be run again")
    wish = Wish(
        journeys=tuple(name for name in wanted or () for _ in range(repeat)),
        tags=tuple(tag or ()),
        locations=(location,) if location else (),
        base_url=given_base_url(settings),
        params=settings.params if settings.origin("params") in {"environment", "option"} else {},
        release=settings.release,
    )
    try:
        results = run_remotely(remote, wish, files, console)
    except KeyboardInterrupt:
        return INTERRUPTED
    cancelled = any(result.status == "cancelled" for result in results)
    return exit_code(results) or (MONITOR if cancelled else PASSED)


def execute(
    pool: Workers, plans: list[Plan], settings: Settings, files: Files, metrics_file: Path | None, pusher: "Pusher"
) -> list[tuple[RunResult, Path | None]]:
    """Runs the plans, shows and pushes the results, writes the reports; returns each result, and where it is saved, if it could be."""
    from reports.terminal.console import make_console
    from reports.terminal.progress import Progress, format_summary
    from runner.archive.json_document import replace_file

    console = make_console(stderr=files.on_stdout, highlight=False)

    def push(moment: Moment) -> None:
        if isinstance(moment, RunEnded):
            for warning in pusher.push(moment.result):
                console.warn(warning)

    used = {one.browser for one in plans if one.kind == "journey"}
    browser = find_used(settings, used) if used else None
    archive = Archive(settings.runs_dir, uploads=settings.artifacts is not None)
    keeper = RunKeeper(archive, settings, console.warn, console.note)
    keeper.note_sandbox_of(browser)
    telemetry = make_telemetry(settings, "run")
    try:
        with keeper, Progress(console) as progress:
            listeners: list[Listener] = [progress, keeper, push, *([telemetry] if telemetry else [])]
            run_plans(pool, plans, browser, settings, archive, listeners, last=True)
    finally:
        if telemetry is not None and (left := telemetry.stop(settings.otlp_timeout)):
            console.warn(tell_unsent(left))
        results = [result for result, _ in keeper.ended]
        try:
            write_runs(files, keeper.ended)
        finally:
            if metrics_file is not None and results:
                from runner.metrics.run_metrics import format_metrics

                replace_file(metrics_file, format_metrics(results), "--metrics-file")
    console.print()
    console.print(format_summary(results))
    console.print()
    for result, folder in keeper.ended:
        if folder is None:
            console.warn(
                f"{result.journey}: run {result.id} is {next((note for note in result.notes if note.startswith('not saved')), 'not saved')}"
            )
    if any(folder is not None for _, folder in keeper.ended):
        console.print(f"runs are saved in {archive.folder}", markup=False, soft_wrap=True)
    if any(folder is not None and result.status in {"failed", "error"} for result, folder in keeper.ended):
        where = ["--runs-dir", str(settings.runs_dir)] if settings.origin("runs_dir") == "option" else []
        walked = any(result.kind == "journey" and result.status in {"failed", "error"} for result in results)
        # A check has no trace.
        looks = [journey_command(command, "last-failed", *where) for command in (("show", "trace") if walked else ("show",))]
        console.print(f"see why: {' · '.join(looks)}", markup=False, soft_wrap=True)
    return keeper.ended


def make_telemetry(settings: Settings, source: "Source") -> "Telemetry | None":
    """What sends spans and samples, if the settings name a receiver. Raises ConfigError when a package for that is missing."""
    if not (settings.otlp_endpoint or settings.otlp_metrics_endpoint or settings.remote_write):
        return None
    from runner.telemetry.telemetry import Telemetry

    return Telemetry(settings, source)


def tell_unsent(left: int) -> str:
    """What to say of runs that wait for a receiver."""
    return f"{left} {'run was' if left == 1 else 'runs were'} not sent to every receiver; the next command tries again"


class Pusher:
    """Pushes each result if a gateway is set; a push that fails only causes a warning."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._warned: set[str] = set()
        self.failed = False
        """True once a push has failed."""

    def push(self, result: RunResult) -> list[str]:
        """Pushes a result; returns a warning for a problem that was not reported before."""
        if self._settings.pushgateway is None:
            return []
        from runner.metrics.pushgateway import push_result

        try:
            push_result(result, self._settings)
        except PushError as error:
            self.failed = True
            fresh = {str(error)} - self._warned
            self._warned |= fresh
            return list(fresh)
        return []


def exit_code(results: list[RunResult]) -> int:
    """The exit code of a command that has made these runs; what went wrong in quarantine does not count."""
    counted = [result for result in results if not result.set_aside]
    statuses = {result.status for result in counted}
    if "failed" in statuses:
        return FAILED
    if "error" in statuses:
        return MONITOR
    return BUDGET if any(result.over_budget for result in counted) else PASSED
