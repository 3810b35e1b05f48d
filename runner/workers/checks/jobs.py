"""What the process of checks does: each job that comes through its pipe runs in a thread of its own, and ends at its timeout.

A wait for a server ends by itself, as every wait of a protocol is limited. The check's own code is ended by an exception that is
raised in its thread; a thread that no exception reaches is left, its run is reported, and the process takes no more jobs.
"""

import ctypes
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock, Thread

from runner.checks.environment import describe_check_environment
from runner.checks.run import CheckRun, execute_check
from runner.checks.time_limit import CheckTimeout
from runner.checks.trust import tls_context
from runner.codec import encode
from runner.dsl.discovery import load_journeys
from runner.dsl.journey import Journey
from runner.dsl.plan import read_own_options
from runner.dsl.protocols.registry import PROTOCOLS
from runner.errors import DiscoveryError, JourneyError
from runner.events import Moment
from runner.network.tls_trust import USES
from runner.redaction import NOTHING, Redactor
from runner.redaction.document_forms import MESSAGE
from runner.settings.secrets import Secrets
from runner.workers.messages import Broken, Job, Kept, to_worker
from runner.workers.stdout import print_redacted

PATIENCE = 1.0
"""Seconds after its timeout in which a check may still end by itself, and again after an exception was raised in it."""


class CheckThread:
    """A run in its thread."""

    def __init__(self, job: Job, server: "CheckServer") -> None:
        self.job = job
        self.ends = time.monotonic() + job.plan.timeout
        self.interrupted = False
        self.over = False
        """Whether its end is reported."""
        self.lock = Lock()
        self._server = server
        self.thread = Thread(target=self._work, name=job.plan.journey, daemon=True)
        self.thread.start()

    def _work(self) -> None:
        try:
            done = self._server.execute(self.job)
        except CheckTimeout:
            # Raised by `interrupt` outside of the check's own code, such as while its file was loaded.
            done = self.describe_overdue("the check was still being prepared")
        self.report(done)

    def report(self, done: bytes) -> None:
        """Sends the end of the run, once."""
        with self.lock:
            if self.over:
                return
            self.over = True
        self._server.end(self, done)

    def interrupt(self) -> None:
        """Raises an exception in the thread, which its next line of Python meets."""
        with self.lock:
            identity = self.thread.ident
            if not self.over and identity is not None:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(identity), ctypes.py_object(CheckTimeout))
        self.interrupted = True
        self.ends = time.monotonic() + PATIENCE

    def describe_overdue(self, what: str, spent: bool = False) -> bytes:
        """The message about a run that did not end by itself."""
        message = f"{what} when its timeout of {self.job.plan.timeout:g} s expired"
        return encode(Broken(self.job.run, message, "deadline", spent))


class CheckServer:
    """The runs under way, and the files that they come from, each loaded once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = Lock()
        self._loading = Lock()
        self._loaded: dict[Path, tuple[str, dict[str, Journey]]] = {}
        self._runs: dict[str, CheckThread] = {}
        self._printed = Redactor()

    def serve(self) -> None:
        """Runs jobs until the supervisor closes the pipe."""
        with print_redacted(self._printed):
            while True:
                try:
                    if self._connection.poll(self._seconds_to_wait()):
                        job = to_worker.decode(self._connection.recv_bytes())
                        if isinstance(job, Job):
                            self._runs[job.run] = CheckThread(job, self)
                except (EOFError, OSError):
                    return
                self._end_overdue()

    def _seconds_to_wait(self) -> float | None:
        ends = [one.ends for one in list(self._runs.values())]
        # A run whose end is being reported is looked at again, too.
        return max(min(ends) + PATIENCE - time.monotonic(), 0.01) if ends else None

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for one in list(self._runs.values()):
            if now < one.ends + PATIENCE:
                continue
            if not one.interrupted:
                one.interrupt()
            else:
                one.report(one.describe_overdue("the check's own code was still running and could not be ended", spent=True))

    def execute(self, job: Job) -> bytes:
        """Makes one run; returns the message about its end, redacted."""
        plan = job.plan
        redactor = Redactor(patterns=plan.redact) if plan.redaction else NOTHING

        def hide(text: str) -> None:
            redactor.hide(text)
            if plan.redaction and text not in self._printed.secrets:
                self._printed.hide(text)

        def send(message: Moment | Kept) -> None:
            self._send(redactor.json(encode(message), MESSAGE))

        try:
            secrets = Secrets(folder=plan.secrets_dir, file=plan.secrets_file, on_made=hide)
            for text in secrets.texts():
                hide(text)
            check = self._load(job)
            plan = read_own_options(plan, check)
            for text in (plan.basic_auth or ())[1:]:
                hide(text)
        except KeyError as error:
            return encode(Broken(job.run, f"{plan.file} no longer declares a check named {error}"))
        except JourneyError as error:
            return redactor.json(encode(Broken(job.run, str(error))), MESSAGE)
        run = CheckRun(
            run=job.run,
            plan=plan,
            check=check,
            secrets=secrets,
            environment=describe_check_environment(),
            emit=send,
            keep=lambda execution: send(Kept(execution, False)),
        )
        return redactor.json(encode(execute_check(run)), MESSAGE)

    def end(self, run: CheckThread, done: bytes) -> None:
        """Reports the end of a run."""
        self._runs.pop(run.job.run, None)
        self._send(done)

    def _load(self, job: Job) -> Journey:
        """The check, from its file as it was when its run was planned. Raises KeyError, JourneyError."""
        file = job.plan.file
        with self._loading:
            try:
                text = job.plan.source if job.plan.source is not None else file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise DiscoveryError(f"{file}: cannot be read: {error}") from error
            known = self._loaded.get(file)
            if known is None or known[0] != text:
                known = self._loaded[file] = text, {one.name: one for one in load_journeys(file, text)}
            return known[1][job.plan.journey]

    def _send(self, message: bytes) -> None:
        # Without the supervisor, nobody waits for it; the pipe's end ends this process.
        with self._sending, suppress(BrokenPipeError):
            self._connection.send_bytes(message)


def prepare_protocols() -> None:
    """Imports what speaks the protocols, and reads the authorities of this machine: no run is to wait for that."""
    for protocol in PROTOCOLS.values():
        if not protocol.find_missing():
            protocol.load()
    for use in USES:
        tls_context(None, use)


def serve(connection: Connection) -> None:
    """Runs jobs until the supervisor closes the pipe."""
    prepare_protocols()
    CheckServer(connection).serve()
