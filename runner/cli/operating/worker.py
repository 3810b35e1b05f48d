"""`journey worker`: make the runs of one location that a scheduler elsewhere sends through a broker."""

import logging
import os
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from runner.archive.archive import Archive
from runner.archive.file_lock import lock_file
from runner.archive.retention import prune_archive
from runner.browser.engines import find_available, how_to_install
from runner.browser.sandbox import find_reason_off
from runner.cli import given
from runner.cli.stop_signals import stop_on_signals
from runner.errors import ConfigError
from runner.private_files import make_private_folder
from runner.settings.settings import Settings
from runner.workers.worker_count import count_workers

if TYPE_CHECKING:
    from runner.dispatch.worker.program import WorkerProgram

LOCK = ".worker.lock"
PRUNE_EVERY = 3600.0
"""Seconds between two removals of old runs."""
log = logging.getLogger("journey.worker")


def worker(
    location: Annotated[str | None, typer.Option(help="The location whose runs it makes (default: the setting).")] = None,
    broker: Annotated[
        str | None, typer.Option(metavar="URL", help="amqps:// (RabbitMQ) or rediss:// (Redis), without a password.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Runs at a time (default: one per two cores, as memory allows).")
    ] = None,
    env: given.EnvironmentName = None,
    browser_path: given.BrowserPath = None,
    listen: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Serve /metrics, /healthz and /readyz there (default: no port is open)."),
    ] = None,
    log_format: Annotated[str, typer.Option(help="text or json.")] = "text",
    runs_dir: given.RunsDir = None,
) -> None:
    """Make the runs of a location that `journey schedule` sends through a broker, until stopped (by SIGTERM or Ctrl-C).

    It only connects to the broker, the sites, and the storage of `artifacts`. Secrets are its own. Exit codes: 0 stopped in order,
    2 usage or configuration, 3 the monitor itself failed.

    Example: journey worker --location frankfurt --broker amqps://journeys@broker.example
    """
    if log_format not in {"text", "json"}:
        raise ConfigError(f"--log-format {log_format!r} is not a log format; choose text or json")
    settings = given.settings(
        env, location=location, broker=broker, workers=concurrency, browser_path=browser_path, runs_dir=runs_dir
    )
    from runner.scheduler.logs import log_to_stderr

    log_to_stderr("json" if log_format == "json" else "text")
    make_private_folder(settings.runs_dir)
    held = lock_file(settings.runs_dir / LOCK)
    if held is None:
        raise ConfigError(f"runs_dir: another worker uses {settings.runs_dir}; stop it, or name another folder with --runs-dir")
    try:
        _work(settings, listen)
    finally:
        os.close(held)


def _work(settings: Settings, listen: str | None) -> None:
    # Imported here: Celery is an extra, and no other command needs it.
    from runner.archive.object_storage import open_storage
    from runner.dispatch.broker.address import BrokerAddress
    from runner.dispatch.worker.executor import RunExecutor
    from runner.dispatch.worker.program import WorkerProgram
    from runner.scheduler.results.upload_queue import UploadQueue
    from runner.workers.pool import Workers

    shown = BrokerAddress(settings).shown
    browser = find_available(settings)
    if browser.engine != settings.browser:
        log.warning("there is no %s here, and runs that need it fail; %s", settings.browser, how_to_install(settings.browser))
    if browser.engine == "chromium" and (why := find_reason_off(browser.path)):
        log.warning("the browser's sandbox is off: %s", why)
    count = count_workers(settings)
    storage = open_storage(settings)
    archive = Archive(settings.runs_dir, uploads=storage is not None)
    if storage is None:
        log.warning("artifacts names no storage: the files of runs stay in %s", settings.runs_dir)
    with ExitStack() as stack:
        executor = RunExecutor(stack.enter_context(Workers(count)), browser, settings, archive)
        program = WorkerProgram(settings, executor, count)
        if storage is not None:
            uploads = UploadQueue(storage, archive, settings, program.receive_uploaded)
            program.upload = uploads.put
            stack.callback(uploads.stop, settings.artifacts_timeout)
        stop_on_signals(program.stop, log)
        pruned = threading.Event()
        stack.callback(pruned.set)
        threading.Thread(target=_prune, args=(settings, pruned), name="prune", daemon=True).start()
        if listen is not None:
            _serve(stack, listen, program, settings)
        at_once = f"{count} {'run' if count == 1 else 'runs'} at a time"
        log.info("%s makes the runs of %s, %s, from %s", program.name, settings.location, at_once, shown)
        left = program.run()
        if left:
            log.warning("%d %s not sent; they are sent at the next start", left, "result was" if left == 1 else "results were")
        log.info("stopped")


def _serve(stack: ExitStack, listen: str, program: "WorkerProgram", settings: Settings) -> None:
    from runner.bundles.bundle_cache import open_cache
    from runner.dispatch.worker.worker_metrics import make_registry
    from runner.scheduler.metrics_endpoint import MetricsEndpoint
    from runner.settings.parsers.addresses.network import parse_listen_address

    try:
        address = parse_listen_address(listen)
    except ValueError as error:
        raise ConfigError(f"--listen: {error}") from error
    endpoint = stack.enter_context(
        MetricsEndpoint(address, make_registry(program, open_cache(settings)), program.healthy, program.ready)
    )
    log.info("metrics at %s/metrics", endpoint.address)


def _prune(settings: Settings, stopped: threading.Event) -> None:
    """Removes old runs here as the settings say. Those in the storage are the scheduler's to remove."""
    archive = Archive(settings.runs_dir)
    while not stopped.wait(PRUNE_EVERY):
        try:
            for _ in prune_archive(archive, settings, datetime.now(UTC)):
                pass
        except (OSError, ConfigError) as error:
            log.warning("old runs cannot be removed: %s", error)
        archive.problems.clear()
