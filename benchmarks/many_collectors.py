"""How taken beacons grow with the number of servers on one PostgreSQL, beside one on SQLite in the same run.

`python -m benchmarks.collector --database postgresql --processes 1,2,4` runs it. Each server is asked by a wrk of its own, as a balancer
would spread them; nothing is bound to a core, so on a machine with few cores the servers, wrk and the database take them from each other:
the processor's time for each beacon says what more cores would give. Every round asks each number of servers once, in turn; medians are
shown. At the end what was answered for is counted in the databases.
"""

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from msgspec import Struct
from sqlalchemy import create_engine, text

from benchmarks.collector import Served, ours, write_script

WARM_UP = 3.0


class Round(Struct):
    """What one round found."""

    rate: float
    """Beacons a second."""
    p99: float
    server_cpu: float
    """Microseconds of all servers for each beacon."""
    database_cpu: float
    """And of the database's processes."""
    answered: int
    failed: int


def measure(servers: Sequence[Served], connections: int, seconds: float, database_cpu: Callable[[], float]) -> Round:
    """Asks all servers at the same time, with as many connections in all."""
    before = sum(one.cpu for one in servers), database_cpu()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "beacons.lua"
        write_script(script, "whole beacons")
        asking = []
        for number, one in enumerate(servers):
            command = [
                "wrk",
                "-t",
                "1",
                "-c",
                str(max(connections // len(servers), 1)),
                "-d",
                f"{seconds:g}s",
                "-s",
                str(script),
            ]
            # Each has ids of its own.
            environment = {**os.environ, "STAMP": str((time.time_ns() // 1000 + number * 977) % 65_536)}
            asking.append(subprocess.Popen([*command, one.address], stdout=subprocess.PIPE, text=True, env=environment))
        outputs = [one.communicate()[0] for one in asking]
    found = [json.loads(one.strip().splitlines()[-1]) for one in outputs]
    answered = int(sum(one["requests"] - one["failed"] for one in found))
    each = 1e6 / max(answered, 1)
    return Round(
        rate=sum((one["requests"] - one["failed"]) / one["seconds"] for one in found),
        p99=max(one["p99"] for one in found),
        server_cpu=(sum(one.cpu for one in servers) - before[0]) * each,
        database_cpu=(database_cpu() - before[1]) * each,
        answered=answered,
        failed=int(sum(one["failed"] for one in found)),
    )


def cpu_of_tree(process: psutil.Process) -> float:
    """Seconds that a program and the processes that it has now have worked."""
    return sum(sum(one.cpu_times()[:2]) for one in [process, *process.children(recursive=True)])


@contextmanager
def started(folder: Path, count: int, database: str | None) -> Iterator[list[Served]]:
    """So many servers, each in a folder of its own: recordings are not asked for."""
    with ExitStack() as stack:
        yield [stack.enter_context(ours(folder / f"server-{number}", database, bound=False)) for number in range(count)]


def count_stored(database: str) -> int:
    """The beacons in a database."""
    engine = create_engine(database)
    with engine.connect() as connection:
        found = int(connection.execute(text("SELECT count(*) FROM beacons")).scalar_one())
    engine.dispose()
    return found


def compare_processes(
    folder: Path, postgres: str, postmaster: int, processes: Sequence[int], rounds: int, seconds: float, connections: int
) -> None:
    """Prints the table, and what is stored of what was answered for."""
    server = psutil.Process(postmaster)
    names: dict[str, tuple[int, str | None]] = {"SQLite, 1": (1, None)}
    names |= {f"PostgreSQL, {count}": (count, postgres) for count in processes}
    found: dict[str, list[Round]] = {name: [] for name in names}
    answered = {"sqlite": 0, "postgres": 0}
    (folder / "sqlite").mkdir()
    for _ in range(rounds):
        for name, (count, database) in names.items():
            place = folder / "sqlite" if database is None else Path(tempfile.mkdtemp(dir=folder))
            with started(place, count, database) as servers:
                cpu = (lambda: cpu_of_tree(server)) if database else (lambda: 0.0)
                each = [measure(servers, connections, length, cpu) for length in (WARM_UP, seconds)]
            found[name].append(each[1])
            answered["postgres" if database else "sqlite"] += sum(one.answered for one in each)
    cores = len(os.sched_getaffinity(0))
    print(f"{cores} cores, {connections} connections in all, medians of {rounds} rounds of {seconds:g} s.\n")
    print("| servers | beacons a second | of one server | p99, ms | servers' CPU, µs | database's CPU, µs | failed |")
    print("| --- | --: | --: | --: | --: | --: | --: |")
    one_server = statistics.median(one.rate for one in found[f"PostgreSQL, {processes[0]}"])
    for name, each in found.items():
        rate, p99, own, its = (
            statistics.median(getattr(one, field) for one in each) for field in ("rate", "p99", "server_cpu", "database_cpu")
        )
        failed = sum(one.failed for one in each)
        print(f"| {name} | {rate:,.0f} | {rate / one_server:.2f} | {p99:.0f} | {own:.0f} | {its:.0f} | {failed} |")
    in_file = count_stored(f"sqlite:///{folder / 'sqlite' / 'server-0' / 'runs' / 'journeys.db'}")
    in_server = count_stored(postgres)
    print(
        f"\nAnswered for: {answered['sqlite']:,} of SQLite, {in_file:,} stored; {answered['postgres']:,} of PostgreSQL, {in_server:,} stored "
        "(those whose answer came after the end are stored too)."
    )
    assert in_file >= answered["sqlite"], "acknowledged beacons are missing in SQLite"
    assert in_server >= answered["postgres"], "acknowledged beacons are missing in PostgreSQL"
