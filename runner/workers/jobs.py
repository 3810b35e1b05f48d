"""What a worker process does: runs jobs that come through its pipe, one at a time, in one warm browser."""

import os
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection

from msgspec.structs import replace
from playwright.sync_api import Playwright

from runner.artifacts import mask
from runner.browser.proxy import proxy_with_password
from runner.codec import encode
from runner.dsl.discovery import load_journeys
from runner.dsl.plan import read_own_options
from runner.errors import BrowserFailed, BrowserNotFound, JourneyError
from runner.events import Moment
from runner.execution.attempt import RunContext
from runner.execution.isolation.isolated_run import Undone, isolated_run
from runner.execution.outcome import Execution
from runner.execution.run import execute_run
from runner.execution.warm_browser import WarmBrowser
from runner.redaction import NOTHING, Redactor
from runner.redaction.document_forms import MESSAGE
from runner.result import Attempt
from runner.settings.secrets import Secrets
from runner.workers.messages import Broken, BrowserWanted, Job, Kept, Ready, to_worker
from runner.workers.stdout import print_redacted


def serve(connection: Connection, playwright: Playwright) -> None:
    """Runs jobs until the supervisor closes the pipe."""
    mask.register_secret_engine(playwright)
    browser: WarmBrowser | None = None
    wanted: BrowserWanted | None = None

    def send(message: Moment | Kept | Execution | Broken, redactor: Redactor) -> None:
        """Redacts every message: nothing secret leaves this process, which is the source of all that is shown, saved and pushed."""
        connection.send_bytes(redactor.json(encode(message), MESSAGE))

    try:
        while True:
            message = to_worker.decode(connection.recv_bytes())
            if isinstance(message, BrowserWanted):
                if message == wanted:
                    continue
                if browser is not None:
                    browser.close()
                wanted = message
                browser = WarmBrowser(playwright, message.browser, message.launch, message.min_free_memory, message.paths)
                if message.warm:
                    with suppress(BrowserFailed):
                        browser.get()
                    connection.send_bytes(encode(Ready()))
            elif browser is not None:
                _do(message, browser, send)
    except EOFError:
        pass
    finally:
        if browser is not None:
            browser.close()


def _do(job: Job, browser: WarmBrowser, send: Callable[[Moment | Kept | Execution | Broken, Redactor], None]) -> None:
    redactor = Redactor(patterns=job.plan.redact) if job.plan.redaction else NOTHING
    crash: Exception | None = None
    with isolated_run() as undone:
        try:
            done = _executed(job, browser, redactor, lambda message: send(message, redactor), undone.keep_names)
        except Exception as error:  # noqa: BLE001 (what a journey replaces can break every line of ours)
            crash = error
    if crash is not None:
        if not undone.replaced:
            raise crash
        done = Broken(job.run, f"{type(crash).__name__}: {crash}; {undone.describe_replaced()}", worker_spent=True)
    elif isinstance(done, Execution):
        notes = (*done.notes, *(redactor.text(note) for note in undone.notes))
        done = replace(
            done, notes=notes, worker_spent=not browser.usable or undone.spent, attempts=_blame(done.attempts, undone)
        )
    send(done, redactor)


def _blame(attempts: tuple[Attempt, ...], undone: Undone) -> tuple[Attempt, ...]:
    """The attempts, the last of which is not the browser's fault if the journey had replaced functions that Playwright calls."""
    last = attempts[-1]
    if not undone.replaced or last.failure is None or last.failure.kind not in {"browser", "monitor"}:
        return attempts
    message = f"{last.failure.message}; {undone.describe_replaced()}"
    return (*attempts[:-1], replace(last, failure=replace(last.failure, kind="journey", message=message)))


def _executed(
    job: Job,
    browser: WarmBrowser,
    redactor: Redactor,
    tell: Callable[[Moment | Kept], None],
    keep_names: Callable[[], Callable[[], None]],
) -> Execution | Broken:
    try:
        secrets = Secrets(folder=job.plan.secrets_dir, file=job.plan.secrets_file, on_made=redactor.hide)
        proxy = proxy_with_password(os.environ)
        for text in (*secrets.texts(), *((proxy.password,) if proxy else ())):
            redactor.hide(text)
        journeys = {one.name: one for one in load_journeys(job.plan.file, job.plan.source)}
        journey = journeys[job.plan.journey]
        plan = read_own_options(job.plan, journey)
        for text in (*(plan.basic_auth or ())[1:], *plan.context.hidden):
            redactor.hide(text)
        setup = journeys[job.plan.signed_in_by] if job.plan.signed_in_by else None
    except KeyError as error:
        return Broken(job.run, f"{job.plan.file} no longer declares a journey named {error}")
    except JourneyError as error:
        return Broken(job.run, str(error))
    context = RunContext(
        run=job.run,
        plan=plan,
        journey=journey,
        secrets=secrets,
        redactor=redactor,
        folder=job.folder,
        emit=tell,
        keep=lambda execution, settled: tell(Kept(execution, settled)),
        keep_names=keep_names,
    )
    with print_redacted(redactor):
        try:
            fitting = browser.of(job.plan.browser)
        except BrowserNotFound as error:
            return Broken(job.run, str(error))
        return execute_run(context, fitting, setup)
