"""Certificates of authorities of their own, which openssl makes."""

import subprocess
from pathlib import Path

from msgspec import Struct

from tests.support.needs import needs


class OwnCertificate(Struct, frozen=True):
    """A certificate that openssl has made, which is its own authority."""

    file: Path
    key: Path


@needs("real_time")
def make_certificate(
    folder: Path, days: int = 30, expired: bool = False, names: str = "DNS:localhost,IP:127.0.0.1"
) -> OwnCertificate:
    """A certificate for these names, in a folder that may be new."""
    folder.mkdir(exist_ok=True)
    name = "expired" if expired else f"valid-{days}"
    made = OwnCertificate(folder / f"{name}.pem", folder / f"{name}.key")
    # Where no name of a host is given, the subject counts as one.
    subject = names.partition(",")[0].partition(":")[2]
    names = f"subjectAltName={names}"
    key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-subj",
        f"/CN={subject}",
        "-keyout",
        str(made.key),
    ]
    if not expired:
        _openssl("req", "-x509", *key, "-addext", names, "-out", made.file, "-days", str(days))
        return made
    request, settings = folder / "request", folder / "ca.conf"
    (folder / "index").touch()
    settings.write_text(
        f"[ca]\ndefault_ca=own\n[own]\ndatabase={folder}/index\nnew_certs_dir={folder}\nrand_serial=yes\ndefault_md=sha256\n"
        f"policy=any\nx509_extensions=more\n[any]\ncommonName=supplied\n[more]\n{names}\nbasicConstraints=CA:TRUE\n"
    )
    _openssl("req", "-new", *key, "-out", request)
    span = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"]
    _openssl("ca", "-batch", "-selfsign", "-config", settings, "-in", request, "-keyfile", made.key, "-out", made.file, *span)
    return made


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)
