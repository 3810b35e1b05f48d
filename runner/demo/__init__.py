"""Leaf & Kettle, the built-in shop: what the demo, the tests and the benchmarks run against.

Importing this package imports no web server; the shop runs in a process of its own (`python -m runner.demo`).
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from runner.errors import ConfigError
from runner.installation import install_command

NEEDED = ("starlette", "uvicorn", "jinja2", "python_multipart")
START = 20.0
"""Seconds in which the shop has to answer."""


def journeys_folder() -> Path:
    """The journeys on the shop: in an installed package beside this file, in a checkout at its top."""
    installed = Path(__file__).parent / "journeys"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "journeys"


def require() -> None:
    """Raises ConfigError, saying what to install, where the shop's web server is missing."""
    absent = [name for name in NEEDED if find_spec(name) is None]
    if absent:
        raise ConfigError(f"the demo shop needs {', '.join(absent)}; install with: {install_command('demo')}")


@contextmanager
def running_shop(
    port: int = 0,
    access_log: Path | None = None,
    delay: int = 0,
    collector: str | None = None,
    key: str | None = None,
    replay: float = 0.0,
) -> Iterator[str]:
    """Runs the shop in a process of its own while the block runs; yields its base URL.

    `access_log` takes one JSON line a request; each answer is held back by `delay` milliseconds. Every page tells what its visitors
    see to the `collector` at that address, as the app `shop` with this `key`,
    and of a share `replay` of the visits a recording. Raises ConfigError when the shop does not start.
    """
    require()
    command = [sys.executable, "-P", "-m", "runner.demo", "--port", str(port), "--delay", str(delay)]
    if access_log is not None:
        command += ["--access-log", str(access_log)]
    if collector is not None:
        command += ["--collector", collector]
    if key is not None:
        command += ["--key", key]
    if replay:
        command += ["--replay", str(replay)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield _address(process)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def _address(process: "subprocess.Popen[str]") -> str:
    """The address that the shop prints once it listens, when it answers there."""
    # Here and not above: every command imports this module, and few need the shop.
    from urllib.error import URLError
    from urllib.request import urlopen

    address = process.stdout.readline().strip() if process.stdout else ""
    ends = time.monotonic() + START
    while address and time.monotonic() < ends:
        try:
            with urlopen(f"{address}/healthz", timeout=1):  # noqa: S310 (the address of our own process)
                return address
        except URLError:
            time.sleep(0.02)
    raise ConfigError("the demo shop did not start; what it said is above")
