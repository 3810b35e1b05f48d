"""A worker: takes runs from the queue of its location, makes them in warm browsers, uploads their files and sends their results.

Its connections are all its own: to the broker, and to the storage of artifacts. The main thread owns the processes that make runs; Celery
is in another thread, and each of its tasks waits in one of its own.
"""

import logging
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from runner.archive.archive import Archive
from runner.dispatch.broker.application import TASK, Names, make_app, runs_queue
from runner.dispatch.messages import (
    Begun,
    Ended,
    Expired,
    Heartbeat,
    Message,
    NotSigned,
    Refused,
    RunOrder,
    WrongProtocol,
    read_message,
    write_message,
)
from runner.dispatch.orders import fill_plan_in_time
from runner.dispatch.worker.begun_runs import BegunRun, BegunRuns
from runner.dispatch.worker.celery_thread import CeleryThread
from runner.dispatch.worker.executor import Made, RunExecutor
from runner.dispatch.worker.outbox import Outbox
from runner.dispatch.worker.run_news import RunNews
from runner.dispatch.worker.scheduler_clock import SchedulerClock
from runner.errors import ConfigError, JourneyError
from runner.result import RunResult
from runner.settings.settings import Settings
from runner.version import __version__
from runner.workers.run_state import Slot

REMEMBERED = 1000
"""Runs that were made, whose orders may be delivered again."""
CLOSE_TIMEOUT = 10.0
"""Seconds in which connections are closed, and results sent, at the end."""
ACKNOWLEDGED_WITHIN = 5.0
"""Seconds after which the broker has heard that an order is done with, while it can be reached."""
STALLED = 60.0
"""Seconds without a turn of the main thread after which the worker is not healthy."""
STOPPED = "the worker was stopped while the run was under way"
log = logging.getLogger("journey.worker")


class WorkerProgram:
    """One worker of a location."""

    def __init__(self, settings: Settings, executor: RunExecutor, concurrency: int) -> None:
        self.name = f"worker-{uuid4().hex[:8]}@{socket.gethostname()}"
        self._settings = settings
        self._executor = executor
        self._concurrency = concurrency
        self.upload: Callable[[RunResult, Path | None], None] = self.receive_uploaded
        """Gets each result and its folder, and gives it to `receive_uploaded` when the files are uploaded; at once by default."""
        self._uploaded: dict[str, Future[RunResult]] = {}
        self._made: OrderedDict[str, None] = OrderedDict()
        self._active: dict[str, None] = {}
        self._lock = threading.Lock()
        self._archive = Archive(settings.runs_dir)
        # Read before the outbox sends what is left in it.
        self._begun = BegunRuns(settings.runs_dir)
        self._sent: dict[str, float] = {}
        """When the results of runs were sent that are still noted as begun, by `time.monotonic()`."""
        self.clock = SchedulerClock(settings.bundle_key)
        self._stop_by: float | None = None
        self._turned = time.monotonic()
        self._app = make_app(settings)
        self._app.conf.task_queues = [runs_queue(Names(settings.queue_prefix), settings.location)]
        self._app.set_current()
        self._app.journey_worker = self

        def run_task(task: Any, content: str) -> None:
            self._run_task(task, content)

        self._app.task(run_task, name=TASK, bind=True, acks_late=True, reject_on_worker_lost=True)
        self._earlier: frozenset[str] = frozenset(one.run for one in self._begun.left)
        """Runs of an earlier process whose results are on their way."""
        self.outbox = Outbox(self._app, settings, self._beat)
        self._celery = CeleryThread(self._app, self.name, Names(settings.queue_prefix).runs(settings.location), concurrency)

    # What others may call, from any thread or signal handler

    def stop(self, within: float) -> None:
        """Takes no more runs, and gives those under way so many seconds to end. A second call can shorten that."""
        self._stop_by = min(self._stop_by or float("inf"), time.monotonic() + within)
        self._executor.wake()

    def receive_uploaded(self, result: RunResult, _: Path | None) -> None:
        """The files of a run are uploaded, or wait for the storage: its result may go on."""
        waiting = self._uploaded.pop(result.id, None)
        if waiting is not None and waiting.set_running_or_notify_cancel():
            waiting.set_result(result)

    def healthy(self) -> str:
        """What is wrong with the worker itself; empty while nothing is."""
        silent = time.monotonic() - self._turned
        return f"its main thread has not turned for {silent:.0f} s" if silent > STALLED else ""

    def ready(self) -> str:
        """What keeps the worker from its work; empty while nothing does."""
        starting = "" if self._celery.is_alive else "it is not connected to the queue of its location"
        return self.healthy() or starting or self.outbox.down or ("it is stopping" if self._stop_by is not None else "")

    @property
    def active(self) -> int:
        """The runs that it has."""
        return len(self._active)

    # The main thread

    def run(self) -> int:
        """Works until `stop`; returns how many results are left for the next start."""
        if self._begun.left:
            self._made |= dict.fromkeys(self._earlier)
            threading.Thread(target=self._send_earlier, name="earlier", daemon=True).start()
        self._celery.start()
        leaving = False
        while True:
            self._turned = time.monotonic()
            self._executor.work(1.0)
            self._forget_sent()
            if self._stop_by is None:
                if not self._celery.is_alive:
                    # A connection that breaks at the wrong moment ends it; the runs that it had go on here, and are not made twice.
                    log.error("Celery has ended by itself, see above; it is started again")
                    self._celery.start()
                continue
            if not leaving:
                leaving = True
                self._celery.take_no_more()
                self.outbox.beat_now()
            if time.monotonic() >= self._stop_by:
                self._executor.cancel_runs(STOPPED)
            if not self._executor.busy and not self._celery.open_tasks:
                break
            if time.monotonic() >= self._stop_by + CLOSE_TIMEOUT:
                # The broker or the storage is away: the results are on the disk.
                break
        # What Celery still begins, and what waits for the broker or the storage, does not hold up the end.
        self._executor.close()
        self._celery.end(CLOSE_TIMEOUT)
        left = self.outbox.stop(CLOSE_TIMEOUT)
        for waiting in list(self._uploaded.values()):
            waiting.cancel()
        self._forget_sent(at_once=True)
        return left

    def _forget_sent(self, at_once: bool = False) -> None:
        """Forgets the runs whose orders are acknowledged: one that is not would be delivered again, and must not be walked again."""
        before = time.monotonic() - (0.0 if at_once else ACKNOWLEDGED_WITHIN)
        with self._lock:
            old = [run for run, at in self._sent.items() if at <= before]
            for run in old:
                del self._sent[run]
        for run in old:
            self._begun.remove(run)

    def _send_earlier(self) -> None:
        """Sends the results that a process before this one had saved when it was killed."""
        for one in self._begun.left:
            folder = self._archive.folder_of(one.run)
            saved = self._archive.read(folder) if folder is not None else None
            if saved is not None and one.run not in self.outbox.waiting:
                log.info("the result of run %s was saved and not sent; it is sent now", one.run)
                result = self._wait_for_upload(Made(saved.result, saved.folder))
                self._keep(Ended(result=result, worker=one.worker, redelivered=one.redelivered))
            self._begun.remove(one.run)
            self._earlier -= {one.run}

    # The threads of tasks

    def _run_task(self, task: Any, content: str) -> None:
        """One order: what goes wrong with it is the scheduler's to know, and never Celery's to repeat."""
        redelivered = bool((task.request.delivery_info or {}).get("redelivered"))
        try:
            order = read_message(content, self._settings.bundle_key)
        except WrongProtocol as error:
            if error.envelope.run:
                self._keep(Refused(run=error.envelope.run, worker=self.name, message=f"{error}; it has journey {__version__}"))
            return
        except NotSigned as error:
            log.error("an order was refused: %s", error)
            # Not signed: a stranger's order must not make this worker say, with the key, that a run is refused.
            refused = Refused(run=error.envelope.run, worker=self.name, message=f"the order was refused: {error}")
            if refused.run:
                self.outbox.keep(refused.run, write_message(refused, self.name)).result()
            return
        except msgspec.DecodeError as error:
            log.error("dropped an order that cannot be read: %s", error)
            return
        if not isinstance(order, RunOrder) or not self._begin(order.run):
            return
        try:
            self._make_run(order, redelivered)
        except JourneyError as error:
            self._keep(Refused(run=order.run, worker=self.name, message=str(error)))
        except CancelledError:
            from celery.exceptions import Reject

            # Another worker makes it.
            raise Reject(requeue=True) from None
        finally:
            with self._lock:
                del self._active[order.run]
                self._sent[order.run] = time.monotonic()

    def _begin(self, run: str) -> bool:
        """Whether a run is to be made here: not when this worker has it, and the broker has delivered it again after a broken connection."""
        with self._lock:
            if run in self._active or run in self._made:
                return False
            self._active[run] = None
            return True

    def _make_run(self, order: RunOrder, redelivered: bool) -> None:
        if order.plan.location != self._settings.location:
            raise ConfigError(f"the run is for {order.plan.location}, and this worker is at {self._settings.location}")
        ahead = timedelta(seconds=self.clock.ahead)

        def is_late() -> bool:
            return datetime.now(UTC) - ahead > order.begin_by

        if is_late():
            self._keep(Expired(run=order.run, worker=self.name))
            return
        with ExitStack() as until:
            plan, notes = fill_plan_in_time(order, self._settings, until, is_late, lambda: self._stop_by is not None)
            # By our clock, with which the run is timed.
            slot = Slot(order.slot_at, order.run, order.due_at + ahead, order.trigger)
            self._begun.add(BegunRun(order.run, self.name, redelivered))
            follow = RunNews(order.run, self.name, self._write, self.outbox.tell) if order.followed else None
            answer = self._executor.make_run(plan, slot, follow)
            self.outbox.tell(self._write(Begun(run=order.run, worker=self.name, redelivered=redelivered)))
            made = answer.result()
        with self._lock:
            self._made[order.run] = None
            while len(self._made) > REMEMBERED:
                self._made.popitem(last=False)
        result = self._wait_for_upload(made)
        self._keep(Ended(result=replace(result, notes=(*result.notes, *notes)), worker=self.name, redelivered=redelivered))

    def _wait_for_upload(self, made: Made) -> RunResult:
        uploaded: Future[RunResult] = Future()
        self._uploaded[made.result.id] = uploaded
        self.upload(made.result, made.folder)
        return uploaded.result()

    def _keep(self, message: Ended | Refused | Expired) -> None:
        """Sends a message that must not be lost, and waits until the broker has it: only then is the order acknowledged."""
        run = message.result.id if isinstance(message, Ended) else message.run
        self.outbox.keep(run, self._write(message)).result()

    def _write(self, message: Message) -> bytes:
        return write_message(message, self.name, self._settings.bundle_key)

    def _beat(self) -> bytes:
        with self._lock:
            sending = tuple({**dict.fromkeys(self.outbox.waiting), **dict.fromkeys(self._earlier)})
            runs = tuple({**self._active, **dict.fromkeys(sending)})
        return self._write(
            Heartbeat(
                worker=self.name,
                location=self._settings.location,
                version=__version__,
                sent_at=datetime.now(UTC),
                concurrency=self._concurrency,
                runs=runs,
                sending=sending,
                leaving=self._stop_by is not None,
            )
        )
