"""WebSockets that checks open."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from tests.runner.checks.conftest import RunCheck
from tests.runner.checks.servers import closed_port
from tests.support.certificates import OwnCertificate


def answer(opened: ServerConnection) -> None:
    """Answers what it is sent, after a message that nobody has asked for."""
    opened.send("welcome")
    for message in opened:
        if message == "bye":
            return
        opened.send(f"you said {message!r}")


def refuse(opened: ServerConnection, request: Request) -> Response | None:
    """403 for a path."""
    return opened.respond(403, "no") if request.path == "/no" else None


@contextmanager
def websocket_server(certificate: OwnCertificate | None = None) -> Iterator[str]:
    """Host and port."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.file, certificate.key)
    with serve(answer, "127.0.0.1", 0, process_request=refuse, ssl=context, open_timeout=60) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_a_websocket_opens_and_answers(run_check: RunCheck, certificate: OwnCertificate) -> None:
    with websocket_server() as peer:
        done = run_check(
            f"@check\ndef f(websocket):\n    websocket.connect('ws://{peer}/', send='tea', expect=re.compile('said .tea'))\n"
        )
        assert done.attempts[0].failure is None
        (step,) = done.attempts[0].steps
        assert (step.name, step.phases and list(step.phases)) == (
            f"open ws://{peer}/",
            ["resolve", "connect", "processing", "transfer"],
        )
    with websocket_server(certificate) as peer:
        source = f"@check(ca_file={str(certificate.file)!r})\ndef f(websocket):\n    websocket.connect('wss://{peer}/', expect='welcome')\n"
        done = run_check(source)
        assert done.attempts[0].failure is None
        assert [one.subject for one in done.certificates] == ["localhost"]


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        ("'ws://PEER/no'", "http", "HTTP 403 from ws://PEER/no instead of a WebSocket"),
        ("'ws://PEER/', send='bye', expect='tea'", "assertion", "PEER closed the WebSocket"),
        ("'ws://PEER/', expect='tea'", "timeout", "PEER did not send 'tea' in time; its last message is 'welcome'"),
        ("'wss://PEER/'", "navigation", "no encrypted connection to PEER"),
        ("'ws://127.0.0.1:CLOSED/'", "navigation", "127.0.0.1:CLOSED refused the connection"),
        ("'http://PEER/'", "journey", "is not an address of a WebSocket"),
    ],
)
def test_what_is_not_as_expected_is_said(call: str, kind: str, message: str, run_check: RunCheck) -> None:
    port = str(closed_port())
    seconds = 1 if kind == "timeout" else 30
    with websocket_server() as peer:
        call, message = (text.replace("PEER", peer).replace("CLOSED", port) for text in (call, message))
        done = run_check(f"@check(timeout={seconds})\ndef f(websocket):\n    websocket.connect({call})\n")
    failure = done.attempts[0].failure
    assert failure is not None
    assert message in failure.message
    assert failure.kind == kind
