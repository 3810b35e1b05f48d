"""The health of a gRPC server."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from tests.runner.checks.conftest import RunCheck
from tests.runner.checks.servers import RELEASE, closed_port
from tests.support.certificates import OwnCertificate

ANSWERS = {b"": b"\x08\x01", b"\x0a\x09shop.Cart": b"\x08\x02", b"\x0a\x04long": b"\x08\x01" + b"\x12\x02aa" * 9_000}


def check_health(request: bytes, context: Any) -> bytes:
    """The answer for a service, as bytes."""
    if request == b"\x0a\x04slow":
        RELEASE.wait(5)
    if request not in ANSWERS:
        context.abort(grpc.StatusCode.NOT_FOUND, "\x1b[31munknown")
    return ANSWERS[request]


@contextmanager
def grpc_server(certificate: OwnCertificate | None = None, health: bool = True) -> Iterator[str]:
    """Host and port."""
    server = grpc.server(ThreadPoolExecutor(4))
    if health:
        methods = {"Check": grpc.unary_unary_rpc_method_handler(check_health)}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("grpc.health.v1.Health", methods),))
    if certificate is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        pair = (certificate.key.read_bytes(), certificate.file.read_bytes())
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        RELEASE.set()
        server.stop(0).wait()
        RELEASE.clear()


def test_a_server_is_healthy(run_check: RunCheck, certificate: OwnCertificate) -> None:
    with grpc_server() as peer:
        done = run_check(f"@check\ndef f(grpc):\n    assert grpc.health('{peer}') == 'SERVING'\n")
        assert done.attempts[0].failure is None
        (step,) = done.attempts[0].steps
        assert (step.name, step.phases and list(step.phases)) == (f"health of {peer}", ["resolve", "check"])
    with grpc_server(certificate) as peer:
        peer = peer.replace("127.0.0.1", "localhost")
        done = run_check(f"@check(ca_file={str(certificate.file)!r})\ndef f(grpc):\n    grpc.health('{peer}', tls=True)\n")
        assert done.attempts[0].failure is None
        unknown = run_check(f"@check\ndef f(grpc):\n    grpc.health('{peer}', tls=True)\n").attempts[0].failure
        assert unknown is not None
        assert unknown.kind == "navigation"


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        ("'PEER', service='shop.Cart'", "assertion", "'shop.Cart' at PEER is NOT_SERVING; expected SERVING"),
        ("'PEER', service='other'", "assertion", "PEER does not know the service: '[31munknown'"),
        ("'PEER', service='long'", "navigation", "PEER answers RESOURCE_EXHAUSTED"),
        ("'PEER', service='slow'", "timeout", "PEER did not answer in time"),
        ("'127.0.0.1:CLOSED'", "navigation", "127.0.0.1:CLOSED cannot be reached"),
        ("'shop.example'", "journey", "'shop.example' is not a host with a port"),
    ],
)
def test_what_is_not_as_expected_is_said(call: str, kind: str, message: str, run_check: RunCheck) -> None:
    port = str(closed_port())
    seconds = 0.5 if kind == "timeout" else 30
    with grpc_server() as peer:
        call, message = (text.replace("PEER", peer).replace("CLOSED", port) for text in (call, message))
        done = run_check(f"@check(timeout={seconds})\ndef f(grpc):\n    grpc.health({call})\n")
    failure = done.attempts[0].failure
    assert failure is not None
    assert message in failure.message
    assert failure.kind == kind


def test_a_server_without_a_health_service_says_so(run_check: RunCheck) -> None:
    with grpc_server(health=False) as peer:
        failure = run_check(f"@check\ndef f(grpc):\n    grpc.health('{peer}')\n").attempts[0].failure
    assert failure is not None
    assert f"{peer} has no health service" in failure.message
