"""An S3 server (moto), and a proxy before it that does harm to requests."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any, Literal

import pytest

from runner.archive.object_storage import Storage
from runner.settings.load_settings import load_settings
from runner.settings.settings import Settings

CREDENTIALS = "AWS_ACCESS_KEY_ID=key-of-the-tests AWS_SECRET_ACCESS_KEY=secret-of-the-tests"
Fault = Literal["cut", "lost answer", "truncated", "hanging", "500", "501", "503", "403"]
"""What happens to a request: not forwarded; forwarded but not answered; answered by half; neither until `release`; refused."""
_buckets = count()


class FaultyProxy:
    """Forwards requests to the S3 server; `fault` chooses what happens to each, None for nothing."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.fault: Callable[[str, str], Fault | None] = lambda _method, _path: None
        self.requests: list[tuple[str, str]] = []
        """Method and path of each."""
        self.ranges: list[str] = []
        self.conditional = True
        """Whether it knows writes of what must not exist yet."""
        self.release = threading.Event()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the protocol's)
                """Does not log."""

            def do_GET(self) -> None:
                proxy.handle(self)

            do_PUT = do_POST = do_HEAD = do_DELETE = do_GET  # noqa: N815 (the protocol's)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        """One request."""
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        self.requests.append((handler.command, handler.path))
        if "range" in handler.headers:
            self.ranges.append(handler.headers["range"])
        fault = self.fault(handler.command, handler.path)
        if not self.conditional and "if-none-match" in handler.headers:
            fault = "501"
        if fault == "hanging":
            self.release.wait(120)
        if fault in {"cut", "hanging"}:
            handler.close_connection = True
            return
        if fault is not None and fault.isdecimal():
            handler.send_response(int(fault))
            handler.send_header("content-length", "0")
            handler.end_headers()
            return
        self._forward(handler, body, fault)

    def _forward(self, handler: BaseHTTPRequestHandler, body: bytes, fault: Fault | None) -> None:
        connection = HTTPConnection("127.0.0.1", self._target, timeout=60)
        headers = {name: value for name, value in handler.headers.items() if name.lower() != "connection"}
        connection.request(handler.command, handler.path, body or None, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if fault == "lost answer":
            handler.close_connection = True
            return
        handler.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"connection", "transfer-encoding", "content-length", "date", "server"}:
                handler.send_header(name, value)
        size = answer.getheader("content-length") if handler.command == "HEAD" else str(len(content))
        handler.send_header("content-length", size or "0")
        handler.end_headers()
        if fault == "truncated":
            content, handler.close_connection = content[: len(content) // 2], True
        if handler.command != "HEAD":
            handler.wfile.write(content)

    def close(self) -> None:
        """Ends it."""
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Bucket:
    """An empty bucket of its own, behind a proxy."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.name = f"bucket-{next(_buckets)}"
        self.ask("PUT", f"/{self.name}")
        self.proxy = FaultyProxy(port)
        self.address = f"s3://{self.name}/monitoring"

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """A request to the server itself."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request(
            method, path, body, {"authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request"}
        )
        found = connection.getresponse().read()
        connection.close()
        return found

    @property
    def options(self) -> dict[str, object]:
        """The settings that use it, as options."""
        return {
            "artifacts": self.address,
            "artifacts_endpoint": self.proxy.address,
            "artifacts_credentials": CREDENTIALS,
            # Where a test lets a request hang, it is what ends the wait; nothing that must succeed is near it.
            "artifacts_timeout": "20s",
        }

    @property
    def environment(self) -> dict[str, str]:
        """The same as variables."""
        return {f"JOURNEY_{name.upper()}": str(value) for name, value in self.options.items()}

    def settings(self, folder: Path, **more: object) -> Settings:
        """Settings that use it, for runs in a folder."""
        return load_settings(folder, {"runs_dir": folder / "runs", **self.options, **more}, {})

    def objects(self) -> dict[str, int]:
        """What is in it below the prefix, asked without the proxy."""
        settings = load_settings(Path("/"), {**self.options, "artifacts_endpoint": f"http://127.0.0.1:{self._port}"}, {})
        return Storage(settings).sizes()


@pytest.fixture(scope="session")
def s3_port() -> Iterator[int]:
    """The port of an S3 server, in this process."""
    from moto.server import ThreadedMotoServer

    # It logs each request, from a thread, to whatever the standard error is then: a test's own, which may be closed.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


@contextmanager
def make_bucket(port: int) -> Iterator[Bucket]:
    """A bucket for a block."""
    bucket = Bucket(port)
    try:
        yield bucket
    finally:
        bucket.proxy.close()


@pytest.fixture
def bucket(s3_port: int) -> Iterator[Bucket]:
    """A bucket for a test."""
    with make_bucket(s3_port) as made:
        yield made
