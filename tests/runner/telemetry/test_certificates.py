"""Certificates of the hosts that a journey has met, from a real browser."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from runner.metrics.run_metrics import format_metrics
from tests.conftest import Monitor
from tests.support.services.http_server import serving_handler


@pytest.fixture
def encrypted(certificate: tuple[Path, Path]) -> Iterator[str]:
    """The address of a site over HTTPS."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """A page."""
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<h1>Shop</h1>")

    with serving_handler(Handler, certificate) as address:
        yield address


def test_each_host_over_https_has_its_certificate_in_result_and_metrics(monitor: Monitor, encrypted: str, shop: str) -> None:
    code = f"""
    @journey(ignore_https_errors=True)
    def walk(page, step):
        with step("open"):
            page.goto("/")
        with step("elsewhere"):
            page.goto("{encrypted}/")
            page.goto("{encrypted}/again")
    """
    result = monitor.run(code)
    assert result.status == "passed", result.failure
    [found] = result.certificates
    assert (found.host, found.subject, found.issuer) == (encrypted.removeprefix("https://"), "127.0.0.1", "127.0.0.1")
    assert found.protocol.startswith("TLS 1.")
    assert timedelta(days=1) < found.valid_until - datetime.now(UTC) < timedelta(days=2)
    assert found.valid_from < datetime.now(UTC)
    labels = f'host="{found.host}",issuer="127.0.0.1",journey="walk",location="local"'
    name, value = next(line for line in format_metrics([result]).splitlines() if labels in line).split(" ")
    assert (name, float(value)) == (
        f"synthetic_certificate_expiry_timestamp_seconds{{{labels}}}",
        found.valid_until.timestamp(),
    )
