"""A plain HTTP server of a test's own."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.wait import PAUSE


@contextmanager
def serving_handler(
    handler: type[BaseHTTPRequestHandler], certificate: tuple[Path, Path] | None = None, clients: Path | None = None
) -> Iterator[str]:
    """The address at which the handler answers, on a free port, until the block ends; over HTTPS with a certificate and its key.

    With `clients`, only those may connect for whom these certificates vouch. It logs nothing.
    """
    quiet = type("Quiet", (handler,), {"log_message": lambda *_: None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), quiet)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(PAUSE,))
    thread.start()
    try:
        yield f"{'http' if certificate is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
