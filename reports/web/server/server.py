"""Serves an application until the process is stopped."""

import asyncio
import ipaddress
import resource
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from reports.web.server.bounded_http import ConnectionGuard
from runner.errors import ConfigError

STOP_WITHIN = 10
"""Seconds for running requests to finish."""
TICK = 0.1
"""Seconds between two looks at what has changed."""
OWN_FILES = 256
"""File descriptors reserved for files, the store and others."""


def is_loopback(address: str) -> bool:
    """Whether `host:port` is reachable from this machine only."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def open_socket(address: str, setting: str = "serve_listen", option: str = "--listen") -> socket.socket:
    """A socket that listens at `host:port`; port 0 takes a free one. Raises ConfigError that names the setting and what else sets it."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        return socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=1024)
    except OSError as error:
        raise ConfigError(
            f"{setting}: cannot listen on {address}: {error.strerror}; choose another address with {option}"
        ) from error


def allow_connections(wanted: int) -> int:
    """Raises the limit of open files for this many connections; returns how many are possible."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = wanted + OWN_FILES
    if soft != resource.RLIM_INFINITY and soft < enough:
        soft = enough if hard == resource.RLIM_INFINITY else min(enough, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else max(min(wanted, soft - OWN_FILES), 16)


class Server(uvicorn.Server):
    """Serves one application over connections that `guard` limits.

    After SIGTERM it serves for `drain` seconds more, in which `is_leaving`, so that a load balancer can find another.
    """

    def __init__(self, application: ASGIApp, guard: ConnectionGuard, drain: float = 0.0) -> None:
        guard.most = allow_connections(guard.most)
        protocol: Any = guard.protocol
        config = uvicorn.Config(
            application,
            http=protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=20,
            timeout_graceful_shutdown=STOP_WITHIN,
        )
        super().__init__(config)
        self._guard = guard
        self._drain = drain
        self._leaves_at: float | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        """Its event loop, once it serves."""
        self._woken = asyncio.Event()

    def serve_until_stopped(self, listening: socket.socket) -> None:
        """Serves until SIGTERM, Ctrl-C or `stop`; returns when running requests are finished."""
        self.run(sockets=[listening])

    @property
    def is_leaving(self) -> bool:
        """Whether it has been asked to stop."""
        return self.should_exit or self._leaves_at is not None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGTERM waits as long as it is to; on Ctrl-C, and when it is asked again, it stops."""
        if sig == signal.SIGTERM and self._drain and not self.is_leaving:
            self._leaves_at = time.monotonic() + self._drain
            return
        super().handle_exit(sig, frame)

    def stop(self) -> None:
        """Stops it gracefully; from any thread."""
        self.should_exit = True
        if self.loop is not None:
            with suppress(RuntimeError):  # it has ended already
                self.loop.call_soon_threadsafe(self._woken.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to serve."""
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)

    async def main_loop(self) -> None:
        """As uvicorn's, but `stop` ends it at once."""
        counter = 0
        while not await self.on_tick(counter):
            counter = (counter + 1) % 864_000
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._woken.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends at once where nobody is connected; else as uvicorn does, which gives connections time to end."""
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets=sockets)
            return
        for server in self.servers:
            server.close()
        for one in sockets or ():
            one.close()
        for server in self.servers:
            await server.wait_closed()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        if self._leaves_at is not None and time.monotonic() >= self._leaves_at:
            self.should_exit = True
        if counter % 10 == 0:
            self._guard.sweep(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As in uvicorn, but signals are not raised again after the server has stopped."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()
