"""Secret values that do not print, and where they come from."""

import hmac
import io
import os
from base64 import b32decode, b32encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from runner.errors import ConfigError, SecretMissing
from runner.installation import install_command
from runner.redaction import HIDDEN, SHORTEST
from runner.settings.raw_text import decode_value, read_value_file, strip_value

PREFIX = "JOURNEY_SECRET_"
LARGEST = 65_536
"""Bytes; a larger file in the folder of secrets is not a secret."""


class Secret:
    """A text that prints as `•••`; only `reveal()` returns it.

    >>> password = Secret("oolong")
    >>> f"{password}", password.reveal()
    ('•••', 'oolong')
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __str__(self) -> str:
        return HIDDEN

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled: it would leave the process in clear text")


class Secrets(Mapping[str, Secret]):
    """The `secrets` that a journey gets, by name.

    `secrets["PW"]` is looked up in the environment variable `JOURNEY_SECRET_PW`, then in the file `PW` of the folder
    `secrets_dir` (as Docker and Kubernetes mount secrets), then as `PW` in the dotenv file `secrets_file`; the first wins.
    An empty one is not set: a pipeline sets variables without a value. A byte order mark and final newlines are not part of it.

    Raises SecretMissing, with the places to set it, for a secret that is not set or too short to be hidden, and
    ConfigError for a folder or file that cannot be read.
    """

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        folder: Path | None = None,
        file: Path | None = None,
        on_made: Callable[[str], None] | None = None,
    ) -> None:
        self._folder = folder
        self._file = file
        self._on_made = on_made
        places = (
            _in_file(file) if file else {},
            _in_folder(folder) if folder else {},
            {name.removeprefix(PREFIX): value for name, value in environ.items() if name.startswith(PREFIX)},
        )
        self._texts: dict[str, str] = {}
        for place in places:
            self._texts |= {name: text for name, value in place.items() if (text := strip_value(value))}

    def __getitem__(self, name: str) -> Secret:
        text = self._texts.get(name)
        if text is None:
            raise SecretMissing(f"secret {name!r} is not set; {self.where(name)}")
        if len(text) < SHORTEST:
            raise SecretMissing(
                f"secret {name!r} has {len(text)} characters, too few to be found and hidden in artifacts; "
                f"use at least {SHORTEST}"
            )
        return Secret(text)

    def __contains__(self, name: object) -> bool:
        return name in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def where(self, name: str) -> str:
        """The places where a secret can be set, as an instruction."""
        places = [f"set it in the environment variable {PREFIX}{name}"]
        places += [f"in the file {self._folder / name}"] if self._folder else []
        places += [f"as {name}=… in {self._file}"] if self._file else []
        return ", or ".join(places)

    def texts(self) -> tuple[str, ...]:
        """All values, which must be hidden wherever they occur."""
        return tuple(self._texts.values())

    def hide(self, text: str) -> None:
        """From now on a text that was made for this run, such as a code in a mail, is hidden wherever it occurs."""
        if self._on_made:
            self._on_made(text)

    def totp(self, name: str) -> Secret:
        """The one-time code of this moment (RFC 6238), for a sign-in with a second factor.

        The secret `name` is the key in base32, or the `otpauth://` address from a QR code. Raises SecretMissing as
        `secrets[name]` does, and ConfigError when the secret is not such a key or pyotp is not installed.
        """
        _require("pyotp", f"secrets.totp({name!r})")
        import pyotp

        key = self[name].reveal().strip()
        try:
            maker = pyotp.parse_uri(_long_uri(key)) if key.startswith("otpauth://") else pyotp.TOTP(_long_key(key))
            if not isinstance(maker, pyotp.TOTP):
                raise ConfigError(f"secret {name!r} is a key for counter-based codes, and not for time-based ones")
            code = maker.now()
        except ValueError as error:
            raise ConfigError(
                f"secret {name!r} is not a key for one-time codes: it is neither base32 nor otpauth://"
            ) from error
        self.hide(code)
        return Secret(code)


def _in_folder(folder: Path) -> dict[str, str]:
    """The values of the files in a folder. Kubernetes puts links and hidden folders beside them."""
    try:
        files = [one for one in folder.iterdir() if not one.name.startswith(".") and one.is_file()]
        small = [one for one in files if one.stat().st_size <= LARGEST]
        return {one.name: decode_value(one.read_bytes(), "replace") for one in small}
    except OSError as error:
        raise ConfigError(f"secrets_dir: {folder} cannot be read: {error.strerror}; name the folder that holds them") from error


def _in_file(file: Path) -> dict[str, str]:
    _require("dotenv", f"secrets_file {file}")
    from dotenv import dotenv_values

    try:
        values = dotenv_values(stream=io.StringIO(read_value_file(file)), interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"secrets_file: {file} cannot be read: {error}; name a file of lines NAME=value") from error
    return {name.removeprefix(PREFIX): value for name, value in values.items() if value is not None}


def _long_uri(uri: str) -> str:
    parts = urlsplit(uri)
    query = [(name, _long_key(value) if name == "secret" else value) for name, value in parse_qsl(parts.query)]
    return urlunsplit(parts._replace(query=urlencode(query)))


def _long_key(key: str) -> str:
    """The same key, padded to the length that pyotp requires: some sites use keys of 80 bits, and HMAC pads with zeros anyway (RFC 2104, 2).

    Raises ValueError for a key that is not base32.
    """
    plain = key.replace(" ", "").rstrip("=")
    return b32encode(b32decode(plain + "=" * (-len(plain) % 8), casefold=True).ljust(20, b"\0")).decode()


def _require(module: str, what: str) -> None:
    if find_spec(module) is None:
        raise ConfigError(f"{what} needs the package {module}; install it with: {install_command('secrets')}")


def find_missing(names: Iterable[str], known: Secrets) -> list[str]:
    """Those of `names` that are not set."""
    return [name for name in names if name not in known]
