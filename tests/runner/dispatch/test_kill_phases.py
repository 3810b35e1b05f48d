"""A worker that is killed in each phase of a run: nothing is lost that it had on its disk, and what is walked twice says so."""

from collections.abc import Callable

import pytest

from runner.result import GIVEN_UP
from tests.runner.dispatch.dispatching import check_ledger, start_dispatching
from tests.runner.dispatch.test_faults import QUICK, QUICK_WORKER
from tests.support.services.brokers import Broker, Kind
from tests.support.services.daemon import Daemon
from tests.support.services.journey_worker import JourneyWorker
from tests.support.services.storage_server import StorageServer
from tests.support.wait import wait_until

pytestmark = pytest.mark.thorough

WALKED = """
from pathlib import Path
@journey(every="24h")
def walked(step):
    with step("walk"):
        with Path({folder!r}, "walks").open("a") as out:
            out.write("x")
        if Path({folder!r}, "dies in the step").exists():
            Path({folder!r}, "dies in the step").unlink()
            import os, signal, time
            os.kill(int(Path({folder!r}, "worker").read_text()), signal.SIGKILL)
            time.sleep(120)
"""
DIES = """
import os, signal
from pathlib import Path
from runner.dispatch.worker import executor, outbox, program
Path({folder!r}, "worker").write_text(str(os.getpid()))
def die(*given, **named):
    os.kill(os.getpid(), signal.SIGKILL)
{hook}
"""
"""A worker that kills itself at a place."""
HOOKS = {
    "order taken": "program.WorkerProgram._make_run = die",
    "before the browser": "executor.RunExecutor.make_run = die",
    "in a step": "Path({folder!r}, 'dies in the step').touch()",
    "saved and not uploaded": "from runner.scheduler.results import upload_queue\nupload_queue.upload_run = die",
    "uploaded and not sent": "program.WorkerProgram._keep = die",
    "sent and not acknowledged": (
        "from runner.dispatch.worker import celery_task_pool\ncelery_task_pool.TaskPool._note_ended = die"
    ),
}
MADE = {"saved and not uploaded", "uploaded and not sent", "sent and not acknowledged"}
"""Phases in which the result is on the worker's disk, or at the broker: it is never lost."""


@pytest.mark.parametrize("phase", HOOKS)
@pytest.mark.parametrize("kind", ["redis", "rabbitmq"])
def test_a_worker_that_is_killed_in_a_phase_loses_nothing_and_doubles_nothing(
    phase: str,
    kind: Kind,
    daemon: Daemon,
    new_broker: Callable[[Kind], Broker],
    new_worker: Callable[..., JourneyWorker],
    storage_server: StorageServer,
) -> None:
    broker = new_broker(kind)
    daemon.write(WALKED.format(folder=str(daemon.folder)))
    worker = new_worker(broker)
    hook = HOOKS[phase].format(folder=str(daemon.folder))
    worker.start(before=QUICK_WORKER + DIES.format(folder=str(daemon.folder), hook=hook), **storage_server.environment)  # type: ignore[arg-type]
    start_dispatching(daemon, broker, before=QUICK, JOURNEY_MAX_DELAY="15s", **storage_server.environment)
    assert worker.process
    assert worker.process.wait(90) == -9
    worker.start(before=QUICK_WORKER, **storage_server.environment)  # type: ignore[arg-type]
    daemon.wait_for_runs(1, seconds=90)
    wait_until(lambda: daemon.query("SELECT 1 FROM slots WHERE state = 'done'"), "the slot is closed")
    if phase in MADE:
        wait_until(lambda: daemon.runs(status="passed") == 1, "the result counts", 90)
    ((status, notes, message),) = daemon.query("SELECT status, notes, failure_message FROM runs")
    walks = len(file.read_text()) if (file := daemon.folder / "walks").exists() else 0
    if status == "passed":
        assert walks >= 1, "green and not walked"
        objects = storage_server.storage.sizes()
        assert sum(one.endswith("/result.json") for one in objects) == 1, objects
    else:
        # Nothing was begun as far as anybody knows, or a worker was lost with the run.
        assert (status, walks) == ("cancelled", 0) or status == "error"
        assert "worker" in message
    if walks > 1:
        # Given up, it was said already that a worker was lost with it.
        assert any(word in notes for word in ("not the first worker", "was lost or cut off", GIVEN_UP))
    if phase in MADE:
        assert walks == 1, "what it had made is not made again"
    check_ledger(daemon)
    assert daemon.runs() == 1
    assert worker.stop() == 0
    if phase in MADE:
        assert len((daemon.folder / "walks").read_text()) == 1, "nor is it when its order is delivered again"
    assert not list((worker.folder / "runs" / ".outbox").glob("*"))
