"""Certificates of the hosts that a journey has met, from a real browser."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from runner.metrics.run_metrics import format_metrics
from runner.network.certificate_chain import find_first_end
from tests.conftest import Monitor
from tests.support.certificates import make_chain
from tests.support.services.http_server import serving_handler


@contextmanager
def serving_page(certificate: tuple[Path, Path]) -> Iterator[str]:
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


@pytest.fixture
def encrypted(certificate: tuple[Path, Path]) -> Iterator[str]:
    with serving_page(certificate) as address:
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
    assert (found.chain_valid_until, found.chain_ends_with) == (found.valid_until, "127.0.0.1")
    labels = f'host="{found.host}",issuer="127.0.0.1",journey="walk",location="local"'
    name, value = next(line for line in format_metrics([result]).splitlines() if labels in line).split(" ")
    assert (name, float(value)) == (
        f"synthetic_certificate_expiry_timestamp_seconds{{{labels}}}",
        found.valid_until.timestamp(),
    )


def test_a_chain_ends_with_its_first_certificate_at_third_parties_and_earlier_pages_too(
    monitor: Monitor, encrypted: str, shop: str, tmp_path: Path
) -> None:
    chain = make_chain(tmp_path)
    with serving_page((chain.certificate.file, chain.certificate.key)) as third:
        code = f"""
        @journey(ignore_https_errors=True)
        def walk(page, step):
            with step("open"):
                page.goto("{encrypted}/")
                page.evaluate("fetch('{third}/', {{mode: 'no-cors'}}).then(() => 0)")
            with step("elsewhere"):
                page.goto("/")
        """
        result = monitor.run(code)
    assert result.status == "passed", result.failure
    found = {one.host: one for one in result.certificates}
    assert set(found) == {encrypted.removeprefix("https://"), third.removeprefix("https://")}
    met = found[third.removeprefix("https://")]
    assert (met.subject, met.chain_ends_with, met.chain_valid_until) == ("localhost", "In between", chain.first_end)
    assert met.valid_until > chain.first_end
    (line,) = [one for one in format_metrics([result]).splitlines() if f'host="{met.host}"' in one]
    assert float(line.split(" ")[-1]) == chain.first_end.timestamp()


def test_what_is_not_a_certificate_says_nothing(tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert(make_chain(tmp_path).authority.read_text())
    known = find_first_end([der])
    assert known is not None
    assert known[1] == "Root"
    broken = [b"", b"0", b"0\x84", bytes(200), der[:40], b"\x30\x03\x30\x01\x00"]
    assert find_first_end(broken) is None
    assert find_first_end([*broken, der]) == known
