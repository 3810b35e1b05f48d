"""Certificates of authorities of their own, which openssl makes."""

import subprocess
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
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


class Chain(Struct, frozen=True):
    """A host's certificate, with the one that has signed it, and the authority of both."""

    certificate: OwnCertificate
    authority: Path
    first_end: datetime
    """When the certificate between the two ends, before the host's own."""


def make_chain(folder: Path) -> Chain:
    """A chain for localhost and 127.0.0.1 whose certificate in the middle, “In between”, ends before the host's own."""
    now = datetime.now(UTC).replace(microsecond=0)
    root, root_key = _sign("Root", now + timedelta(days=900), None)
    middle, middle_key = _sign("In between", now + timedelta(days=10), (root, root_key))
    leaf, leaf_key = _sign("localhost", now + timedelta(days=60), (middle, middle_key), ca=False)
    made = Chain(OwnCertificate(folder / "chain.pem", folder / "chain.key"), folder / "root.pem", now + timedelta(days=10))
    made.certificate.file.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in (leaf, middle)))
    made.authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    made.certificate.key.write_bytes(leaf_key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return made


Signer = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _sign(subject: str, until: datetime, by: Signer | None, ca: bool = True) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    builder = x509.CertificateBuilder(by[0].subject if by else name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(until - timedelta(days=1_000)).not_valid_after(until)
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if not ca:
        names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(by[1] if by else key, hashes.SHA256()), key
