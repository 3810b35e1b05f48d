"""A day of dispatched runs in ten minutes: everything that can fail does, and at the end the numbers have to agree.

A real scheduler, broker, database and storage, and the workers of three locations run forty journeys. A seeded generator draws faults: parts
are killed with SIGKILL or stopped and continued, messages are delivered again, a bundle is tampered with; each is healed after a while. Then
the journeys are paused, and what is under way has to drain. The ledger compares slots, runs, results, artifacts and alerts with each
other and with what workers and journeys have noted themselves; what does not agree is a violation, and the exit code is 1.
Run: `python -m benchmarks.dispatch_day [--minutes 10] [--seed N] [--database postgresql|sqlite] [--broker redis|rabbitmq]`. It needs
postgresql, redis-server or rabbitmq-server of Debian. The times in docs/scale.md are those that it prints.
"""

import argparse
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.dispatch_day.faults import Fault, Faults
from benchmarks.dispatch_day.ledger import Ledger, balance
from benchmarks.dispatch_day.monitor import Monitor
from runner.dispatch.broker.application import Names, make_app, results_queue, runs_queue
from runner.dsl.slots.schedule import Schedule
from runner.settings.duration import parse_duration
from runner.store import Store, StoreDown
from tests.support.services.daemon import Daemon
from tests.support.services.journey_worker import JourneyWorker
from tests.support.wait import wait_until

AT_ONCE = 2
"""Faults at a time."""
DRAIN = 300.0
"""Seconds in which what is under way has to end; how long it takes is printed."""


class Day:
    """The time line: which faults there are, and when each is healed."""

    def __init__(self, monitor: Monitor, random: Random) -> None:
        self._monitor = monitor
        self._random = random
        self.faults = Faults(monitor, random)
        self.done: dict[str, int] = {}
        self._open: list[tuple[float, Fault]] = []
        self._began = time.monotonic()

    def say(self, what: str) -> None:
        """A line of the time line."""
        print(f"{time.monotonic() - self._began:6.1f} s  {what}", flush=True)

    def live(self, seconds: float) -> None:
        """Faults begin and are healed for so long; at the end all are healed."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            let_pass(self._random.uniform(1.0, 6.0))
            self._heal(time.monotonic())
            self.supervise()
            busy = frozenset(one.target for _, one in self._open)
            fault = self.faults.draw(busy) if len(self._open) < AT_ONCE else None
            if fault is not None:
                self._begin(fault)
        self._heal(float("inf"))

    def supervise(self) -> bool:
        """Starts again what has ended by itself, as systemd would; answers whether the scheduler is ready."""
        killed = {one.target for _, one in self._open}
        for one in self._monitor.programs:
            target = "scheduler" if one is self._monitor.scheduler else one.folder.name
            if target not in killed and one.process is not None and one.process.poll() is not None:
                self.say(f"  ended by itself with exit code {one.process.returncode}, started again: {target}")
                self._monitor.start_again(one)
        return self._monitor.scheduler.ready()

    def _begin(self, fault: Fault) -> None:
        self.say(f"{fault.name}: {fault.target}")
        self.done[fault.name] = self.done.get(fault.name, 0) + 1
        fault.begin()
        self._open.append((time.monotonic() + self._random.uniform(2.0, fault.longest), fault))

    def _heal(self, now: float) -> None:
        for one in [one for one in self._open if one[0] <= now]:
            _, fault = one
            fault.heal()
            self._open.remove(one)
            self.say(f"  healed: {fault.name}: {fault.target}")


def let_pass(seconds: float) -> None:
    """The time between two faults."""
    time.sleep(seconds)


def wait_until_ready(program: Daemon | JourneyWorker) -> None:
    """Waits until a program does its work. Raises AssertionError with its log when it ends."""
    wait_until(lambda: program.ready() or (program.process and program.process.poll() is not None), program.folder.name, 300)
    assert program.ready(), program.log()[-2000:]


def drain(monitor: Monitor, day: Day) -> float:
    """Pauses all journeys and waits until nothing is under way; returns the seconds. Raises AssertionError that says what still is."""
    began = time.monotonic()
    with Store(monitor.url) as store:
        store.pauses.pause("*", None, "the day is over", datetime.now(UTC))
    wait_until(lambda: day.supervise() and not left_over(monitor), "everything drained", DRAIN)
    return time.monotonic() - began


def left_over(monitor: Monitor) -> str:
    """What is still under way; empty when nothing is."""
    try:
        with Store(monitor.url) as store, store.snapshot() as connection:
            claimed = connection.exec_driver_sql("SELECT count(*) FROM slots WHERE state = 'claimed'").scalar_one()
            unsent = connection.exec_driver_sql("SELECT count(*) FROM messages WHERE sent_at IS NULL").scalar_one()
    except StoreDown as error:
        return str(error)
    if claimed or unsent:
        return f"{claimed} slots are claimed, {unsent} messages of alerts are not sent"
    for worker in monitor.workers:
        runs = worker.folder / "runs"
        waiting = [one.name for one in (runs / ".uploads").glob("*") if one.suffix != ".done"]
        if waiting or any((runs / ".outbox").iterdir()):
            return f"{worker.folder.name} has results or files that are not sent"
    return ", ".join(f"{count} messages in {name}" for name, count in queues(monitor).items() if count)


def queues(monitor: Monitor) -> dict[str, int]:
    """How many messages wait in each queue."""
    names = Names(monitor.settings.queue_prefix)
    wanted = [results_queue(names), *(runs_queue(names, place) for place in {one.location for one in monitor.workers})]
    with make_app(monitor.settings).connection_for_read() as connection:
        return {one.name: _length(connection, one) for one in wanted}


def _length(connection: Any, queue: Any) -> int:
    """The messages of a queue. In Redis one that is empty does not exist."""
    try:
        return int(queue(connection.channel()).queue_declare(passive=True).message_count)
    except connection.channel_errors as error:
        if "NOT_FOUND" in str(error):
            return 0
        raise


def expect_slots(monitor: Monitor, every: float, first: datetime, last: datetime) -> dict[str, list[datetime]]:
    """The slots of each journey in a time."""
    with Store(monitor.url) as store, store.snapshot() as connection:
        names = [str(row[0]) for row in connection.exec_driver_sql("SELECT DISTINCT journey FROM slots")]
    assert len(names) == monitor.journeys, f"{len(names)} of {monitor.journeys} journeys had a slot"
    schedule = Schedule(every=every)
    found: dict[str, list[datetime]] = {}
    for name in names:
        at = schedule.after(name, first)
        while at <= last:
            found.setdefault(name, []).append(at)
            at = schedule.after(name, at)
    return found


def show(ledger: Ledger, day: Day) -> None:
    """Prints what was counted, and every violation."""
    print("\nfaults: " + ", ".join(f"{count} x {name}" for name, count in sorted(day.done.items())))
    for title, counts in ledger.counts.items():
        print(f"{title}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    for one in ledger.violations:
        print(f"VIOLATION  {one}")
    print("the ledger agrees" if not ledger.violations else f"{len(ledger.violations)} violations")


def run_day(folder: Path, given: argparse.Namespace) -> int:
    """The day, its end, and the ledger."""
    every = parse_duration(given.every)
    with ExitStack() as stack:
        monitor = Monitor(folder, stack, given.broker, given.database, given.journeys, given.every, given.workers)
        monitor.start()
        for one in monitor.programs:
            wait_until_ready(one)
        # The first slots after a start are recorded from when the scheduler was ready.
        first = datetime.now(UTC)
        day = Day(monitor, Random(given.seed))
        day.live(given.minutes * 60)
        wait_until(day.supervise, "the scheduler", 180)
        last = datetime.now(UTC)
        day.say("all is healed; the journeys are paused")
        problems = []
        try:
            day.say(f"drained within {drain(monitor, day):.0f} s")
        except AssertionError:
            problems.append(f"not drained within {DRAIN:.0f} s: {left_over(monitor)}")
        codes = {one.folder.name: one.stop() for one in monitor.programs}
        problems += [f"{name} ended with exit code {code}" for name, code in codes.items() if code]
        problems += [f"{count} messages are left in {name}" for name, count in queues(monitor).items() if count]
        expected = expect_slots(monitor, every, first, last - timedelta(seconds=2))
        ledger = balance(monitor, expected, day.faults.sent_again)
        ledger.violations += problems
        show(ledger, day)
        return 1 if ledger.violations else 0


def main() -> None:
    """Prints the time line and the ledger."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="How long faults begin.")
    parser.add_argument("--seed", type=int, default=1, help="Of the generator that draws them.")
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--broker", choices=("redis", "rabbitmq"), default="redis")
    parser.add_argument("--journeys", type=int, default=40, help="At each of the three locations.")
    parser.add_argument("--every", default="40s", help="The interval of each journey.")
    parser.add_argument("--workers", type=int, default=2, help="Workers of each location, each with one run at a time.")
    parser.add_argument("--keep", type=Path, help="A folder that does not exist: logs, runs and the database stay there.")
    given = parser.parse_args()
    # All parts are ended in order then.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"seed {given.seed}, {given.broker}, {given.database}, {given.journeys} journeys at 3 locations, every {given.every}")
    with ExitStack() as stack:
        if given.keep is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="journey-day-", ignore_cleanup_errors=True)))
        else:
            folder = given.keep
            folder.mkdir()
        # PostgreSQL refuses to run as root, and its own user has to get to its data.
        folder.chmod(0o755)
        code = run_day(folder, given)
    sys.exit(code)


if __name__ == "__main__":
    main()
