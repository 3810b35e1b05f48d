"""What sending runs to workers elsewhere costs: runs of no length through Redis and RabbitMQ, at 10 to 10,000 journeys a minute.

`CeleryPool`, as `journey schedule` uses it, sends runs at the rate of so many journeys that are each due once a minute, from a process
that is bound to one processor. Simulated workers in another process take them from the queue with Celery's own client, and answer at
once with a result; so no browser and no site is in the figures. Every result is saved on the disk, and acknowledged then. "Delay" is
from when a run was due to when a worker had it; both are on this machine, so they have one clock. CPU is user and system time of the
sending process. Beside them, in the same run, the pool of worker processes of this machine makes journeys without a page. At the end
real journeys that open a page run alternately in that pool and, through each broker, in a real `journey worker` on this machine.
Run: `python -m benchmarks.dispatch [--quick] [--seconds S]`; the table goes into docs/scale.md. It needs redis-server and
rabbitmq-server of Debian.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
from msgspec.structs import replace

from benchmarks.schedule import Page, percentile
from runner.archive.archive import Archive
from runner.archive.run_id import run_id
from runner.browser.chromium import find
from runner.dispatch.broker.application import Names, make_app, news_exchange, results_queue, runs_queue
from runner.dispatch.broker.publisher import Parcel, Publisher
from runner.dispatch.celery_pool import CeleryPool
from runner.dispatch.messages import Ended, Heartbeat, RunOrder, read_message, write_message
from runner.dsl.plan import Plan
from runner.events import Moment, RunEnded
from runner.result import RunResult, StepResult
from runner.settings.load_settings import load_settings
from runner.settings.settings import Settings
from runner.workers.pool import Workers
from runner.workers.run_state import Slot
from tests.support.services.brokers import Broker, Kind
from tests.support.services.journey_worker import JourneyWorker

LOCATION = "simulated"
RATES = (10, 100, 1_000, 10_000)
"""Journeys a minute."""
JOURNEY = "from runner import journey\n@journey\ndef empty(step):\n    with step('nothing'):\n        pass\n"
OPENS = "from runner import journey\n@journey\ndef opens(page, step):\n    with step('open'):\n        page.goto('{url}')\n"
SIMULATED = 8
"""Workers. Each has a connection of its own, as a real one has, which gives one order after the other."""
AT_ONCE = 25
"""Orders that each of them has at a time."""
TOGETHER = 25
"""Results that are sent together."""
SOON = 0.001
"""Seconds in which further orders come, whose results are sent together with the first."""


def settings_of(address: str, password: str, folder: Path) -> Settings:
    """Those of a scheduler, and of its workers."""
    environ = {"JOURNEY_BROKER": address, "JOURNEY_BROKER_PASSWORD": password, "JOURNEY_LOCATION": LOCATION}
    return load_settings(folder, {"runs_dir": str(folder / "runs"), "max_delay": "10m"}, environ)


def simulate_workers(address: str, password: str, folder: Path, ready: Any, stop: Any) -> None:
    """Answers each order at once; says every second that its workers are there."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(psutil.cpu_count() or 1))
    settings = settings_of(address, password, folder)
    app = make_app(settings)
    names = Names(settings.queue_prefix)
    threads = [threading.Thread(target=simulate_worker, args=(app, names, f"w{number}", stop)) for number in range(SIMULATED)]
    for one in threads:
        one.start()
    ready.set()
    for one in threads:
        one.join()


def simulate_worker(app: Any, names: Names, name: str, stop: Any) -> None:
    """One of them."""
    from kombu import Consumer, Producer

    answered: list[tuple[bytes, Any]] = []
    # While a message waits to be confirmed, others would come through the same connection.
    with app.connection_for_read() as connection, app.connection_for_write() as answers:
        publisher = Publisher(answers)
        news = Producer(answers.channel(), exchange=news_exchange(names))
        results_queue(names)(answers.default_channel).declare()

        def answer(message: Any) -> None:
            order = read_message(json.loads(message.body)[0][0])
            assert isinstance(order, RunOrder)
            ended = Ended(result=empty_result(order), worker=name)
            answered.append((write_message(ended, name), message))

        def send() -> None:
            # As a worker does, which sends what waits together, and acknowledges an order when its result is in the broker.
            publisher.publish([Parcel(names.results, content) for content, _ in answered])
            for _, message in answered:
                message.ack()
            answered.clear()

        consumer = Consumer(connection.channel(), [runs_queue(names, LOCATION)], on_message=answer)
        consumer.qos(prefetch_count=AT_ONCE)
        beaten = 0.0
        with consumer:
            while not stop.is_set():
                if time.monotonic() - beaten > 1:
                    beaten = time.monotonic()
                    beat = Heartbeat(
                        worker=name, location=LOCATION, version="1", sent_at=datetime.now(UTC), concurrency=AT_ONCE
                    )
                    news.publish(
                        write_message(beat, name),
                        content_type="application/json",
                        content_encoding="utf-8",
                        declare=[news.exchange],
                    )
                with suppress(TimeoutError):
                    connection.drain_events(timeout=0.2)
                    while len(answered) < TOGETHER:
                        connection.drain_events(timeout=SOON)
                if answered:
                    send()


def empty_result(order: RunOrder) -> RunResult:
    """A passed run of no length, with its delay."""
    now = datetime.now(UTC)
    return RunResult(
        id=order.run,
        journey=order.plan.journey,
        status="passed",
        started_at=now,
        ended_at=now,
        duration_seconds=0.0,
        location=LOCATION,
        steps=(StepResult(name="nothing", index=0, status="passed", latency_seconds=0.0, wall_seconds=0.0),),
        slot_at=order.slot_at,
        delay_seconds=max((now - order.due_at).total_seconds(), 0.0),
    )


@contextmanager
def workers(broker: Broker, folder: Path) -> Iterator[None]:
    """Simulated workers in a process of their own."""
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Event(), context.Event()
    process = context.Process(target=simulate_workers, args=(broker.url, broker.password, folder, ready, stop), daemon=True)
    process.start()
    try:
        assert ready.wait(60), "the simulated workers did not start"
        yield
    finally:
        stop.set()
        process.join(30)


def measure_rate(pool: CeleryPool, plans: list[Plan], rate: int, seconds: float, delays: list[float]) -> dict[str, float]:
    """Sends runs at a rate for so many seconds, and waits for all their results."""
    own = psutil.Process()
    before, memory = own.cpu_times(), own.memory_info().rss
    delays.clear()
    count = max(int(rate * seconds / 60), 5)
    first = datetime.now(UTC) + timedelta(seconds=0.1)
    began, sent = time.monotonic(), 0
    while len(delays) < count:
        due = first + timedelta(seconds=sent * 60 / rate)
        while sent < count and due <= datetime.now(UTC) and pool.can_start(plans[sent % len(plans)]):
            pool.start_run(plans[sent % len(plans)], Slot(due, run_id(), due))
            sent += 1
            due = first + timedelta(seconds=sent * 60 / rate)
        pool.poll(min(max((due - datetime.now(UTC)).total_seconds(), 0.0), 0.2) if sent < count else 0.2)
        assert not pool.take_abandoned(), "a run was given up"
        if time.monotonic() - began > seconds * 5 + 120:
            raise AssertionError(f"{len(delays)} of {count} results came at {rate} a minute")
    after = own.cpu_times()
    return {
        "runs": count,
        "sent": count / (time.monotonic() - began),
        "p50": statistics.median(delays),
        "p99": percentile(delays, 0.99),
        "cpu": (after.user + after.system - before.user - before.system) / count,
        "memory": own.memory_info().rss / 1e6,
        "growth": (own.memory_info().rss - memory) / 1e6,
    }


def measure_broker(kind: Kind, folder: Path, rates: tuple[int, ...], seconds: float) -> list[dict[str, float]]:
    """The figures of a broker, rate by rate."""
    broker = Broker(kind, folder / "data")
    broker.start()
    rows = []
    try:
        settings = settings_of(broker.url, broker.password, folder)
        delays: list[float] = []
        pool = CeleryPool(settings, "benchmark", folder)

        def note(moment: Moment) -> None:
            if isinstance(moment, RunEnded):
                delays.append(moment.result.delay_seconds or 0.0)
                pool.confirm(moment.result.id)

        with pool, workers(broker, folder):
            pool.open(None, settings, Archive(settings.runs_dir), [note])
            plans = [Plan(journey=f"j{number}", file=folder / "j.py", location=LOCATION) for number in range(100)]
            while not pool.can_start(plans[0]):
                pool.poll(0.2)
            rows += [measure_rate(pool, plans, rate, seconds, delays) for rate in rates]
    finally:
        broker.kill()
    return rows


def measure_local(folder: Path, count: int) -> dict[str, float]:
    """Runs of no length in the pool of this machine, one worker, as many as there are."""
    file = folder / "journeys" / "empty.py"
    file.parent.mkdir()
    file.write_text(JOURNEY)
    ended: list[RunResult] = []

    def note(moment: Moment) -> None:
        if isinstance(moment, RunEnded):
            ended.append(moment.result)

    settings = load_settings(folder, {"runs_dir": str(folder / "runs")}, {})
    plan = Plan(journey="empty", file=file)
    with Workers(1) as pool:
        pool.open(find(settings.browser_path), settings, Archive(settings.runs_dir), [note])
        delays = []
        for number in range(count + 1):
            due = time.monotonic()
            if number == 1:
                # The first one has started the worker.
                began, before = time.monotonic(), psutil.Process().cpu_times()
            pool.start_run(plan)
            delays.append(time.monotonic() - due)
            while len(ended) <= number:
                pool.poll(1.0)
        after, seconds = psutil.Process().cpu_times(), time.monotonic() - began
    assert all(one.status == "passed" for one in ended), ended[-1].failure
    cpu = (after.user + after.system - before.user - before.system) / count
    memory = psutil.Process().memory_info().rss / 1e6
    row = {"runs": count, "sent": count / seconds, "p50": statistics.median(delays[1:]), "p99": percentile(delays[1:], 0.99)}
    return {**row, "cpu": cpu, "memory": memory, "growth": 0.0}


def compare_real_runs(kind: Kind, folder: Path, rounds: int) -> None:
    """Prints how long a real run takes from its start to its saved result, here and through a broker; each in its turn."""
    broker = Broker(kind, folder / "data")
    worker = JourneyWorker(folder / "worker", broker, LOCATION)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    file = folder / "journeys" / "opens.py"
    file.parent.mkdir()
    file.write_text(OPENS.format(url=f"http://127.0.0.1:{server.server_port}/"))
    ended: list[RunResult] = []

    def note(moment: Moment) -> None:
        if isinstance(moment, RunEnded):
            ended.append(moment.result)

    broker.start()
    try:
        settings = settings_of(broker.url, broker.password, folder)
        here = Plan(journey="opens", file=file)
        there = replace(here, location=LOCATION)
        local, remote = Workers(1), CeleryPool(settings, "benchmark", folder)
        worker.start()
        with local, remote:
            local.open(find(settings.browser_path), settings, Archive(folder / "local"), [note])
            remote.open(None, settings, Archive(settings.runs_dir), [note])
            took: dict[str, list[float]] = {"local": [], "remote": []}
            for _ in range(rounds + 1):
                began = time.monotonic()
                local.start_run(here)
                while not ended:
                    local.poll(1.0)
                took["local"].append(time.monotonic() - began)
                while not remote.can_start(there):
                    remote.poll(0.2)
                began, now = time.monotonic(), datetime.now(UTC)
                remote.start_run(there, Slot(now, run_id(), now))
                while len(ended) < 2:
                    remote.poll(1.0)
                took["remote"].append(time.monotonic() - began)
                remote.confirm(ended[1].id)
                assert all(one.status == "passed" for one in ended), [one.failure for one in ended]
                ended.clear()
    finally:
        worker.stop()
        broker.kill()
        server.shutdown()
    # The first of each has started a browser.
    ours, theirs = statistics.median(took["local"][1:]), statistics.median(took["remote"][1:])
    pairs = statistics.median(away / near for near, away in zip(took["local"][1:], took["remote"][1:], strict=True))
    print(f"| {kind} | {rounds} | {ours * 1000:.0f} | {theirs * 1000:.0f} | {pairs:.3f} |", flush=True)


def main() -> None:
    """Prints two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="Only see that it runs.")
    parser.add_argument("--seconds", type=float, default=60.0, help="How long each rate is kept.")
    given = parser.parse_args()
    rates, seconds = ((600,), 2.0) if given.quick else (RATES, given.seconds)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print("| | journeys a minute | runs | results a second | delay p50, ms | p99, ms | CPU a run, ms | memory, MB | more, MB |")
    print("| --- | --: | --: | --: | --: | --: | --: | --: | --: |")
    kinds: tuple[Kind, ...] = ("redis", "rabbitmq")
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder:
            for rate, row in zip(rates, measure_broker(kind, Path(folder), rates, seconds), strict=True):
                show(kind, str(rate), row)
    with tempfile.TemporaryDirectory() as folder:
        show("local pool, one worker", "as many as it makes", measure_local(Path(folder), 5 if given.quick else 200))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(psutil.cpu_count() or 1))
    print("\n| broker | pairs of real runs | in the local pool, ms | in a worker, ms | ratio (median of pairs) |")
    print("| --- | --: | --: | --: | --: |")
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder:
            compare_real_runs(kind, Path(folder), 2 if given.quick else 30)


def show(what: str, rate: str, row: dict[str, float]) -> None:
    """One line of the table."""
    print(
        f"| {what} | {rate} | {row['runs']:.0f} | {row['sent']:.1f} | {row['p50'] * 1000:.1f} | {row['p99'] * 1000:.1f} "
        f"| {row['cpu'] * 1000:.2f} | {row['memory']:.0f} | {row['growth']:+.1f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
