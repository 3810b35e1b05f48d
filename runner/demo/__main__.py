"""`python -m runner.demo`: serves the shop on loopback and prints its address."""

import argparse
import ctypes
import signal
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from runner.demo import require
from runner.errors import ConfigError


def main() -> None:
    """Serves until it is stopped, or its parent has ended."""
    parser = argparse.ArgumentParser(prog="python -m runner.demo", description="Serve the demo shop on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--access-log", type=Path, help="write one JSON line a request there")
    parser.add_argument("--delay", type=int, default=0, metavar="MS", help="hold back every answer by so many milliseconds")
    parser.add_argument(
        "--collector", type=_address, help="where the pages tell what visitors see, such as http://127.0.0.1:8080"
    )
    parser.add_argument("--key", default="", help="the collector's key for the app `shop`")
    parser.add_argument("--replay", type=float, default=0.0, metavar="SHARE", help="of the visits, that are recorded")
    options = parser.parse_args()
    try:
        require()
    except ConfigError as error:
        parser.exit(error.exit_code, f"error: {error}\n")
    # Here and not above: the extra that they need may not be installed.
    import uvicorn

    from runner.demo.shop import Agent, build

    agent = Agent(options.collector, options.key, options.replay) if options.collector else None
    if sys.platform == "linux":
        # prctl(2), PR_SET_PDEATHSIG: a shop whose test was killed must not stay.
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", options.port))
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        build(options.access_log, options.delay, agent),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[listening])


def _address(given: str) -> str:
    parts = urlsplit(given)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/"):
        raise argparse.ArgumentTypeError(f"{given!r} is not the address of a server; use one such as http://127.0.0.1:8080")
    return f"{parts.scheme}://{parts.netloc}"


if __name__ == "__main__":
    main()
