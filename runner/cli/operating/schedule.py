"""`journey schedule`: run journeys on their schedules, around the clock."""

import logging
import os
import signal
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runner.archive.archive import Archive, Saved
from runner.archive.file_lock import lock_file
from runner.browser.chromium import Browser
from runner.browser.engines import find_used
from runner.browser.sandbox import find_reason_off
from runner.cli import given
from runner.cli.running.report_writer import ReportWriter
from runner.cli.running.run import exit_code, make_telemetry
from runner.cli.stop_signals import stop_on_signals
from runner.dsl.slots.schedule import Schedule
from runner.errors import ConfigError
from runner.events import Listener, Moment, RunEnded
from runner.private_files import make_private_folder
from runner.scheduler.loader import LoadRequest, PlannedJourney, load_in_subprocess
from runner.settings.parsers.values import Engine
from runner.settings.settings import Settings
from runner.workers.worker_count import count_workers

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from runner.dispatch.run_pool import RunPool
    from runner.scheduler.daemon import Scheduler
    from runner.telemetry.telemetry import Telemetry

CLOSE_TIMEOUT = 10.0
"""Seconds in which runs that have ended are still sent at the end."""
LOCK = ".scheduler.lock"
log = logging.getLogger("journey.schedule")


def schedule(
    wanted: given.Wanted = None,
    tag: given.Tags = None,
    list_only: Annotated[bool, typer.Option("--list", help="Only show when each journey runs next.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Run everything that is due now, then exit.")] = False,
    workers: Annotated[
        int | None, typer.Option(help="Journeys at a time (default: one per two cores, as memory allows).")
    ] = None,
    base_url: given.BaseUrl = None,
    param: given.Params = None,
    env: given.EnvironmentName = None,
    browser_path: given.BrowserPath = None,
    database: given.Database = None,
    pushgateway: Annotated[str | None, typer.Option(metavar="URL", help="Push the newest state of each journey there.")] = None,
    location: Annotated[str | None, typer.Option(help="The label `location` of the metrics.")] = None,
    broker: Annotated[
        str | None, typer.Option(metavar="URL", help='With dispatch = "celery": the broker, without a password.')
    ] = None,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where to serve /metrics, /healthz and /readyz.")
    ] = None,
    log_format: Annotated[str, typer.Option(help="text or json.")] = "text",
    runs_dir: given.RunsDir = None,
    json: given.Json = None,
) -> None:
    """Run journeys on their schedules until stopped (by SIGTERM or Ctrl-C; SIGHUP loads the journeys again).

    Exit codes: 0 stopped in order, 2 usage or configuration, 3 the monitor itself failed; with --once those of `journey run`.

    Example: journey schedule --pushgateway 127.0.0.1:9091
    """
    overrides: dict[str, Any] = {
        "workers": workers,
        "base_url": base_url,
        "params": given.params(param),
        "browser_path": browser_path,
        "database": database,
        "pushgateway": pushgateway,
        "location": location,
        "broker": broker,
        "listen": listen,
        "runs_dir": runs_dir,
    }
    if log_format not in {"text", "json"}:
        raise ConfigError(f"--log-format {log_format!r} is not a log format; choose text or json")
    settings = given.settings(env, **overrides)
    plain = {name: str(value) if isinstance(value, Path) else value for name, value in overrides.items() if value is not None}
    request = LoadRequest(start=Path.cwd(), overrides=plain, environment=env, wanted=tuple(wanted or ()), tags=tuple(tag or ()))
    if list_only:
        _list(request, settings, json)
        return
    from runner.scheduler.logs import log_to_stderr

    log_to_stderr("json" if log_format == "json" else "text")
    make_private_folder(settings.runs_dir)
    held = lock_file(settings.runs_dir / LOCK)
    if held is None:
        raise ConfigError(
            f"runs_dir: another scheduler uses {settings.runs_dir}; stop it, or name another folder with --runs-dir"
        )
    try:
        raise typer.Exit(_run(request, settings, once))
    finally:
        os.close(held)


def _run(request: LoadRequest, settings: Settings, once: bool) -> int:
    # Imported here: the other commands need neither a database nor a web server.
    from runner.scheduler.daemon import Scheduler
    from runner.scheduler.metrics_endpoint import Exporter, MetricsEndpoint
    from runner.store import Store

    archive = Archive(settings.runs_dir, uploads=settings.artifacts is not None)
    with ExitStack() as sending, Store(settings.database_url) as store, ReportWriter(archive, log.warning) as reports:

        def write_report(moment: Moment) -> None:
            if isinstance(moment, RunEnded) and moment.folder is not None:
                reports.write(Saved(moment.result, moment.folder))

        exporter = Exporter(settings.pushgateway is None, [one.under for one in settings.slo if one.under is not None])
        telemetry = make_telemetry(settings, "schedule")
        listeners: list[Listener] = [write_report, *([telemetry] if telemetry else [])]
        forgotten = telemetry.forget if telemetry else lambda _: None
        everywhere = settings.dispatch != "local"
        scheduler = Scheduler(
            request, settings, store, archive, exporter, everywhere=everywhere, listeners=listeners, forgotten=forgotten
        )
        walks_here = scheduler.needs_browser and settings.dispatch == "local"
        browser, count = _find_browser(settings, scheduler.engines) if walks_here else (None, 0)
        stop_on_signals(scheduler.stop, log)
        signal.signal(signal.SIGHUP, lambda *_: scheduler.reload())
        if telemetry is not None:
            telemetry.keep(scheduler.journeys)
            exporter.unsent.set_function(lambda: telemetry.waiting)
            sending.callback(_stop_sending, telemetry)
        if once:
            with _make_pool(settings, count, scheduler) as pool:
                return exit_code(scheduler.run(pool, browser, once=True))
        with (
            MetricsEndpoint(settings.listen, exporter.registry, scheduler.healthy, scheduler.ready) as endpoint,
            _make_pool(settings, count, scheduler) as pool,
        ):
            thing = "journey" if scheduler.needs_browser else "check"
            journeys = f"{scheduler.count} {thing if scheduler.count == 1 else f'{thing}s'}"
            workers = f"{count} {'worker' if count == 1 else 'workers'}" if count else "no browser"
            if settings.dispatch != "local":
                workers = f"the workers of {settings.queue_prefix}"
            log.info("runs %s with %s; metrics at %s/metrics", journeys, workers, endpoint.address)
            scheduler.run(pool, browser)
            log.info("stopped")
    return 0


def _make_pool(settings: Settings, count: int, scheduler: "Scheduler") -> "AbstractContextManager[RunPool]":
    """Where runs are made, as `dispatch` says. Raises ConfigError when Celery is missing, or no broker is set."""
    if settings.dispatch == "local":
        from runner.workers.pool import Workers

        return Workers(count)
    from runner.dispatch.celery_pool import CeleryPool

    return CeleryPool(settings, scheduler.owner, Path.cwd())


def _find_browser(settings: Settings, used: frozenset[Engine]) -> tuple[Browser, int]:
    """The browser, and the number of workers that each have one. Raises BrowserNotFound."""
    browser = find_used(settings, used)
    if browser.engine == "chromium" and (why := find_reason_off(browser.path)):
        log.warning("the browser's sandbox is off: %s", why)
    return browser, count_workers(settings)


def _stop_sending(telemetry: "Telemetry") -> None:
    left = telemetry.stop(CLOSE_TIMEOUT)
    if left:
        log.warning("%d %s not sent; they wait on the disk for the next start", left, "run was" if left == 1 else "runs were")


def _list(request: LoadRequest, settings: Settings, json: str | None) -> None:
    planning = load_in_subprocess(request)
    for message in (*planning.unknown, *(problem.message for problem in planning.problems)):
        typer.echo(f"error: {message}", err=True)
    for message in planning.warnings:
        typer.echo(f"warning: {message}", err=True)
    if planning.unknown:
        raise typer.Exit(2)
    now = datetime.now(UTC)
    several = any(one.locations for one in planning.planned)
    rows = sorted(
        (_row(one, place, schedule, settings, now) for one in planning.planned for place, schedule in one.schedules().items()),
        key=lambda row: row["next_at"],
    )
    shortage = _shortage(planning.planned, settings, now)
    if json is not None:
        from reports.formats.json import write_json

        write_json({"version": 1, "journeys": rows, "shortage": shortage or None}, json)
    else:
        _show(rows, settings.location if several else None)
        if shortage:
            typer.echo(f"warning: {shortage}")
    if planning.problems:
        raise typer.Exit(2)


def _row(one: PlannedJourney, place: str, schedule: Schedule, settings: Settings, now: datetime) -> dict[str, Any]:
    from runner.settings.duration import show_duration

    name = one.plan.journey
    upcoming = [schedule.after(name, now)]
    while len(upcoming) < 3:
        upcoming.append(schedule.after(name, upcoming[-1]))
    windows = [(window, end) for window in settings.maintenance if (end := window.ends(name, upcoming[0]))]
    when = f"every {show_duration(schedule.every)}" if schedule.every else f"{schedule.cron} {schedule.timezone}"
    return {
        "journey": name,
        "location": place,
        "schedule": when,
        "jitter_seconds": schedule.jitter,
        "next_at": upcoming[0],
        "then_at": upcoming[1:],
        "maintenance": f"{windows[0][0].reason} until {windows[0][1]:%Y-%m-%d %H:%M}Z" if windows else None,
        "paused": _pause(settings, name, upcoming[0]),
    }


def _shortage(planned: Sequence[PlannedJourney], settings: Settings, now: datetime) -> str:
    """Why the schedule cannot fit, from how long the newest runs took; empty if it fits, as far as is known."""
    if not given.has_store(settings):
        return ""
    from runner.scheduler.capacity import describe_shortage, find_demands, read_durations
    from runner.scheduler.slots import Key
    from runner.store import Store

    schedules = {
        Key(one.plan.journey, place): schedule
        for one in planned
        for place, schedule in one.schedules().items()
        if one.plan.kind == "journey" and place == settings.location
    }
    with Store(settings.database_url) as store:
        durations = read_durations(store, schedules)
    return describe_shortage(find_demands(schedules, durations, now), count_workers(settings))


def _pause(settings: Settings, name: str, at: datetime) -> str | None:
    if not given.has_store(settings):
        return None
    from runner.store import Store

    with Store(settings.database_url) as store:
        found = [one for one in store.pauses.active(at) if one.applies_to(name)]
    return found[0].describe() if found else None


def _show(rows: list[dict[str, Any]], here: str | None) -> None:
    if not rows:
        typer.echo("no journey has a schedule; give one every='5m' or cron='*/5 * * * *'")
        return
    from reports.terminal.console import make_console
    from reports.terminal.schedule_table import make_schedule_table

    make_console(highlight=False).print(make_schedule_table(rows, here))
