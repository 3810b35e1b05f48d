"""Parsers of settings about object storage, where the files of runs are kept.

Each raises ValueError that says what is wrong with the value and what to write; the caller adds where it is written.
"""

import re
from urllib.parse import urlsplit

from runner.settings.parsers.secret_values import parse_secret, read_secret
from runner.settings.secrets import Secret

SCHEMES = ("s3", "gs", "az", "file")
EXAMPLE = "s3://monitoring/runs"
_CREDENTIAL = re.compile(r"(?:AWS|GOOGLE|AZURE)_[A-Z0-9_]+")


def parse_storage_url(value: object) -> str:
    """The address of a bucket, a container or a folder, with an optional prefix; without credentials."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not an address; write one such as '{EXAMPLE}'")
    parts = urlsplit(value)
    if parts.username is not None or parts.password is not None or parts.query:
        # Without the value: it holds what must not be shown.
        raise ValueError(
            "it contains credentials or a query, and would be shown with them; write the bucket and a prefix only, "
            "and the credentials in artifacts_credentials_file"
        )
    if parts.scheme not in SCHEMES or parts.fragment or not value.startswith(f"{parts.scheme}://"):
        raise ValueError(
            f"{value!r} is not the address of a storage; write s3://, gs:// or az:// with a bucket, or file:///FOLDER"
        )
    if parts.scheme == "file" and (parts.netloc or len(parts.path) < 2):
        raise ValueError(f"{value!r} does not name a folder; write an absolute path after file://, such as 'file:///srv/runs'")
    if parts.scheme != "file" and not re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,62}", parts.netloc):
        raise ValueError(f"{value!r} does not name a bucket; write one such as '{EXAMPLE}'")
    if any(one in {".", ".."} for one in parts.path.split("/")):
        raise ValueError(f"{value!r} contains '.' or '..' in its path; write the path without them")
    return value.rstrip("/")


def parse_storage_credentials(value: object) -> Secret:
    """Credentials as the storage's own environment variables: `NAME=value`, one per line or with spaces between them."""
    found = parse_secret(value)
    read_pairs(found)
    return found


def read_storage_credentials(value: object) -> Secret:
    """The credentials in a file."""
    return parse_storage_credentials(read_secret(value))


def read_pairs(credentials: Secret) -> dict[str, str]:
    """The names and values of credentials. Raises ValueError that names the word by its place, never by its text."""
    text = credentials.reveal()
    words = text.splitlines() if "\n" in text.strip() else text.split()
    pairs: dict[str, str] = {}
    for place, word in enumerate(words, 1):
        if not word.strip() or word.lstrip().startswith("#"):
            continue
        name, equals, content = word.strip().partition("=")
        if not equals or not content or not _CREDENTIAL.fullmatch(name):
            raise ValueError(
                f"part {place} is not NAME=value with a name such as AWS_ACCESS_KEY_ID, GOOGLE_SERVICE_ACCOUNT or "
                "AZURE_STORAGE_ACCOUNT_KEY; write one per line"
            )
        pairs[name] = content.strip("'\"")
    return pairs
