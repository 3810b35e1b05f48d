"""A worker process: one warm browser and one run at a time; a pipe carries jobs to it and events from it.

Started by process.py as `python -m runner.workers.main FD`; each message on the pipe is one JSON value.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection

from msgspec.structs import replace
from playwright.sync_api import Playwright, sync_playwright

from runner.artifacts import mask
from runner.browser import event_waits
from runner.browser.proxy import proxy_with_password
from runner.codec import encode
from runner.dsl.discovery import load_journeys
from runner.errors import BrowserFailed, JourneyError
from runner.events import Moment
from runner.execution.attempt import RunContext
from runner.execution.isolation import isolated_run
from runner.execution.outcome import Execution
from runner.execution.run import execute_run
from runner.execution.warm_browser import WarmBrowser
from runner.redaction import NOTHING, Redactor
from runner.redaction.document_forms import MESSAGE
from runner.settings.secrets import Secrets
from runner.workers.messages import Broken, BrowserWanted, Job, Ready, to_worker
from runner.workers.stdout import print_redacted

PR_SET_PDEATHSIG = 1
"""An option of prctl(2): the signal that this process gets when its parent ends."""


def serve(connection: Connection, playwright: Playwright) -> None:
    """Runs jobs until the supervisor closes the pipe."""
    browser: WarmBrowser | None = None
    wanted: BrowserWanted | None = None

    def send(message: Moment | Execution | Broken, redactor: Redactor) -> None:
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
                browser = WarmBrowser(playwright, message.browser, message.headed, message.slow_mo, message.min_free_memory)
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


def _do(job: Job, browser: WarmBrowser, send: Callable[[Moment | Execution | Broken, Redactor], None]) -> None:
    redactor = Redactor(patterns=job.plan.redact) if job.plan.redaction else NOTHING
    with isolated_run() as undone:
        done = _executed(job, browser, redactor, lambda moment: send(moment, redactor))
    if isinstance(done, Execution):
        notes = (*done.notes, *(redactor.text(note) for note in undone))
        done = replace(done, notes=notes, worker_spent=not browser.usable)
    send(done, redactor)


def _executed(job: Job, browser: WarmBrowser, redactor: Redactor, tell: Callable[[Moment], None]) -> Execution | Broken:
    try:
        secrets = Secrets(folder=job.plan.secrets_dir, file=job.plan.secrets_file, on_made=redactor.hide)
        proxy = proxy_with_password(os.environ)
        for text in (*secrets.texts(), *(job.plan.basic_auth or ())[1:], *((proxy.password,) if proxy else ())):
            redactor.hide(text)
        journeys = {one.name: one for one in load_journeys(job.plan.file, job.plan.source)}
        journey = journeys[job.plan.journey]
        setup = journeys[job.plan.signed_in_by] if job.plan.signed_in_by else None
    except KeyError as error:
        return Broken(job.run, f"{job.plan.file} no longer declares a journey named {error}")
    except JourneyError as error:
        return Broken(job.run, str(error))
    context = RunContext(
        run=job.run, plan=job.plan, journey=journey, secrets=secrets, redactor=redactor, folder=job.folder, emit=tell
    )
    with print_redacted(redactor):
        return execute_run(context, browser, setup)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """The process's entry: `python -m runner.workers.main FD`."""
    _die_with_parent()
    # The supervisor handles Ctrl-C and ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = Connection(int(sys.argv[1]))
    # What a journey prints must not mix with the JSON that the supervisor may be writing to standard output.
    os.dup2(2, 1)
    with ExitStack() as stack:
        with event_waits.preloaded():
            playwright = stack.enter_context(sync_playwright())
        mask.register_secret_engine(playwright)
        serve(connection, playwright)
        # The browser is closed and the driver ends with its pipe: an orderly shutdown of Python would only cost the user time.
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
