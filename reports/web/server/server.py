"""Serves an application until the process is stopped."""

import asyncio
import ipaddress
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from reports.web.server.bounded_http import ConnectionGuard
from runner.errors import ConfigError

STOP_WITHIN = 10
"""Seconds for running requests to finish."""
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
    """Serves one application over connections that `guard` limits."""

    def __init__(self, application: ASGIApp, guard: ConnectionGuard) -> None:
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
        self.loop: asyncio.AbstractEventLoop | None = None
        """Its event loop, once it serves."""

    def serve_until_stopped(self, listening: socket.socket) -> None:
        """Serves until SIGTERM, Ctrl-C or `stop`; returns when running requests are finished."""
        self.run(sockets=[listening])

    def stop(self) -> None:
        """Stops it gracefully; from any thread."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to serve."""
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        if counter % 10 == 0:
            self._guard.sweep(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As in uvicorn, but signals are not raised again after the server has stopped."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()
