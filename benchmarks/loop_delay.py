"""How late the event loops of a server are, measured in the loops themselves.

`python -m benchmarks.loop_delay FILE serve --listen …` is `journey serve …`, in whose event loops a call is due every 10 ms; each second it
writes to FILE how late the calls came, and how much CPU the thread took meanwhile. The first says how long a client waits because of the
loop and of the machine, the second what of it is the loop's own work. Without a command it is a loop that has nothing else to do: what is
late in it is late because of the machine.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from msgspec import Struct, field

PERIOD = 0.01
"""Seconds between two calls."""


class LoopDelays(Struct):
    """What was seen of all loops of a process: how often each number of tenths of a millisecond."""

    late: dict[int, int] = field(default_factory=dict)
    """By how much a call came too late."""
    cpu: dict[int, int] = field(default_factory=dict)
    """CPU that the loop's thread took since the call before it."""


def count(seconds: float, counts: dict[int, int]) -> None:
    """Counts one observation."""
    tenths = round(max(seconds, 0.0) * 10_000)
    counts[tenths] = counts.get(tenths, 0) + 1


def describe(counts: dict[int, int]) -> str:
    """Median, 99th percentile and maximum in milliseconds."""

    def percentile(share: float) -> float:
        wanted, seen = share * sum(counts.values()), 0
        for tenths in sorted(counts):
            seen += counts[tenths]
            if seen >= wanted:
                return tenths / 10
        return 0.0

    return f"median {percentile(0.5):.1f} ms, p99 {percentile(0.99):.1f} ms, longest {percentile(1):.0f} ms"


def read_delays(file: Path) -> LoopDelays:
    """What a process has written."""
    return msgspec.json.decode(file.read_bytes(), type=LoopDelays)


def watch_loop(file: Path, delays: LoopDelays) -> None:
    """Begins to measure the running loop."""
    loop = asyncio.get_running_loop()

    def call(due: float, cpu: float, written: float) -> None:
        now, used = loop.time(), time.thread_time()
        count(now - due, delays.late)
        count(used - cpu, delays.cpu)
        if now - written > 1:
            written = now
            part = file.with_suffix(".part")
            part.write_bytes(msgspec.json.encode(delays))
            part.replace(file)
            # Writing is not the server's work.
            now, used = loop.time(), time.thread_time()
        loop.call_at(now + PERIOD, call, now + PERIOD, used, written)

    loop.call_later(PERIOD, call, loop.time() + PERIOD, time.thread_time(), loop.time())


async def _idle(file: Path) -> None:
    watch_loop(file, LoopDelays())
    await asyncio.Event().wait()


def main() -> None:
    """Runs the command, or nothing, until it is ended."""
    file, delays = Path(sys.argv[1]), LoopDelays()
    if len(sys.argv) == 2:
        asyncio.run(_idle(file))
        return
    begin = uvicorn.Server.startup

    async def begin_watched(self: uvicorn.Server, *args: Any, **named: Any) -> None:
        watch_loop(file, delays)
        await begin(self, *args, **named)

    uvicorn.Server.startup = begin_watched  # type: ignore[method-assign]
    sys.argv[1:2] = []
    from runner.cli import main as run_command

    run_command()


if __name__ == "__main__":
    main()
