"""Certificates of authorities that Chromium trusts beside its own: it reads them from a database in its user's home.

Chromium on Linux has no option for them (docs/linux/cert_management.md in its sources). Each browser gets a home of its own, so that
nothing of the user's is changed; the user's other folders are passed by name (XDG Base Directory Specification).
"""

import re
import shutil
import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp

from runner.errors import BrowserFailed

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
PACKAGE = "libnss3-tools"


def trust_authorities(ca_file: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a browser that trusts the certificates of a PEM file.

    Its home is made in the folder for temporary files and stays until that is removed. Raises BrowserFailed for a file without
    certificates, and without `certutil`.
    """
    program = shutil.which("certutil")
    if program is None:
        raise BrowserFailed(f"ca_file needs the program certutil; on Debian and Ubuntu: sudo apt-get install {PACKAGE}")
    home = Path(mkdtemp(prefix="journey-authorities-"))
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    where = ["-d", f"sql:{database}"]
    _run([program, "-N", *where, "--empty-password"], ca_file)
    for number, certificate in enumerate(_read_certificates(ca_file)):
        part = home / f"{number}.pem"
        part.write_text(certificate)
        # `C`: an authority for servers.
        _run([program, "-A", *where, "-t", "C,,", "-n", f"authority {number}", "-i", str(part)], ca_file)
        part.unlink()
    return {**environment, **_user_folders(environment), "HOME": str(home)}


def _read_certificates(ca_file: Path) -> list[str]:
    try:
        found = _PEM.findall(ca_file.read_text(errors="replace"))
        for one in found:
            ssl.PEM_cert_to_DER_cert(one)
    except (OSError, ValueError) as error:
        raise BrowserFailed(f"ca_file: {ca_file} cannot be read: {error}; name a file of certificates in PEM") from error
    if not found:
        raise BrowserFailed(f"ca_file: {ca_file} holds no certificate; name a file of certificates in PEM")
    return [str(one) for one in found]


def _run(command: list[str], ca_file: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise BrowserFailed(f"ca_file: {ca_file} was refused by certutil: {' '.join(done.stderr.split())}")


def _user_folders(environment: Mapping[str, str]) -> dict[str, str]:
    """Where the fonts, settings and caches of the user are, if nothing says so but their home."""
    home = environment.get("HOME") or str(Path.home())
    usual = {"XDG_CONFIG_HOME": ".config", "XDG_DATA_HOME": ".local/share", "XDG_CACHE_HOME": ".cache"}
    return {name: environment.get(name) or f"{home}/{folder}" for name, folder in usual.items()}
