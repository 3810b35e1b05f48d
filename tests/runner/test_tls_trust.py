"""Which certificates requests of our own trust."""

import os
import re
import ssl
from pathlib import Path

import certifi
import pytest

from runner.network.tls_trust import tls_context


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A file with one authority."""
    file = tmp_path / "own.pem"
    file.write_text(re.findall("-----BEGIN.*?END CERTIFICATE-----\n", Path(certifi.where()).read_text(), re.DOTALL)[0])
    return file


def test_reading_the_authorities_is_done_once_and_again_when_the_file_has_changed(own: Path) -> None:
    assert tls_context() is tls_context()
    assert tls_context() is not tls_context(use="http")
    before = tls_context(own, alone=True)
    assert tls_context(own, alone=True) is before
    os.utime(own, ns=(1, 1))
    assert tls_context(own, alone=True) is not before


def test_a_file_is_trusted_alone_or_besides(own: Path) -> None:
    assert len(tls_context(own, alone=True).get_ca_certs()) == 1
    assert len(tls_context(own).get_ca_certs()) > len(tls_context(own, alone=True).get_ca_certs())


def test_a_file_that_cannot_be_used_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"none\.pem"):
        tls_context(tmp_path / "none.pem")
    (tmp_path / "text.pem").write_text("no certificate")
    with pytest.raises(ssl.SSLError):
        tls_context(tmp_path / "text.pem", alone=True)
