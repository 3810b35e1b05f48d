"""A load balancer of these tests: sends each request to the next server in turn, and to another when one does not answer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle

from tests.support.wait import PAUSE

HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Balancer:
    """Where it listens, and which server answered how many requests."""

    def __init__(self, ports: list[int]) -> None:
        self.answered = dict.fromkeys(ports, 0)
        self._turns = cycle(ports)
        self._lock = threading.Lock()
        self.address = ""

    def pass_on(
        self, method: str, path: str, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """The answer of the next server that gives one."""
        for _ in self.answered:
            with self._lock:
                port = next(self._turns)
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                connection.request(method, path, body, dict(headers))
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, HTTPException):
                # It was killed, perhaps with the request in its hands, which is not known to be stored then.
                continue
            finally:
                connection.close()
            self.answered[port] += 1
            return answer.status, [one for one in answer.getheaders() if one[0].lower() not in HOP], content
        return 502, [], b"no server answers"


@contextmanager
def balancing(*ports: int) -> Iterator[Balancer]:
    """Runs one before the servers at these ports."""
    balancer = Balancer(list(ports))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            # The last hop's own word about whom it has the request from.
            headers = [(name, text) for name, text in self.headers.items() if name.lower() not in HOP | {"x-forwarded-for"}]
            said = self.headers.get("x-forwarded-for")
            headers.append(("X-Forwarded-For", f"{said}, 127.0.0.1" if said else "127.0.0.1"))
            status, answered, content = balancer.pass_on(self.command, self.path, headers, body)
            self.send_response_only(status)
            for name, text in answered:
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_OPTIONS = handle_any  # noqa: N815 (as http.server calls them)

        def log_message(self, *_: object) -> None:
            """Not on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    balancer.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(PAUSE,))
    thread.start()
    try:
        yield balancer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
