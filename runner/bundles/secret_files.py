"""Which files hold secrets, and so do not travel in a bundle: by their names, by what is in them, or as settings name them."""

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from runner.errors import ConfigError
from runner.settings.parsers.dispatch import holds_password
from runner.settings.secrets import Secret, Secrets
from runner.settings.settings import Settings

NAMES = (
    ".env", ".env.*", "*.env", ".netrc", ".pgpass", ".htpasswd", "id_rsa", "id_ecdsa", "id_ed25519", "*.key", "*.p12", "*.pfx",
    "*.jks", "*.kdbx", "*.keystore",
)  # fmt: skip
SHORTEST = 8
"""Characters of a secret that is looked for in files: a shorter one is in some file by chance."""


class SecretFiles:
    """Says of each file why it does not travel. Raises ConfigError when the secrets of the settings cannot be read."""

    def __init__(self, settings: Settings) -> None:
        # First, as it says what is wrong with a path, such as a link to itself.
        secrets = Secrets(folder=settings.secrets_dir, file=settings.secrets_file)
        self._named = {Path(os.path.realpath(one)): name for name, one in _list_named(settings)}
        self._folder = Path(os.path.realpath(settings.secrets_dir)) if settings.secrets_dir else None
        self._texts = {
            text.encode(): name for name, text in zip(secrets, secrets.texts(), strict=True) if len(text) >= SHORTEST
        }
        # A bundle is kept where others can read it: with the key in it, whoever reads one could sign code of their own.
        self._settings = {text.encode(): name for name, text in _list_values(settings) if len(text) >= SHORTEST}

    def explain(self, file: Path, content: bytes) -> str:
        """Why a file is left out; empty for one that may travel.

        Raises ConfigError for Python code with the value of a secret in it: without the code, nothing would run.
        """
        real = file.resolve()
        if real in self._named:
            return f"it is the {self._named[real]} of the settings"
        if self._folder and real.is_relative_to(self._folder):
            return "it is in the secrets_dir of the settings"
        if any(fnmatchcase(file.name.lower(), pattern) for pattern in NAMES):
            return "files of this name hold secrets"
        found = next((name for text, name in self._texts.items() if text in content), None)
        if found is not None and file.suffix == ".py":
            raise ConfigError(f"{file}: contains the value of secret {found!r}; write secrets[{found!r}] in its place")
        if found is not None:
            return f"it contains the value of secret {found!r}"
        setting = next((name for text, name in self._settings.items() if text in content), None)
        if setting is not None and file.suffix == ".py":
            raise ConfigError(f"{file}: contains the value of the setting {setting}; remove it from the code")
        if setting is not None:
            return f"it contains the value of the setting {setting}"
        if b"PRIVATE KEY-----" in content and b"-----BEGIN " in content and file.suffix != ".py":
            return "it contains a private key"
        if file.suffix == ".json" and _is_signed_in(content):
            return "it holds the cookies or the storage of a signed-in browser"
        return ""


def _list_named(settings: Settings) -> list[tuple[str, Path]]:
    named = {"secrets_file": settings.secrets_file, "serve_users": settings.serve_users}
    return [(name, file) for name, file in named.items() if file is not None]


def _list_values(settings: Settings) -> Iterator[tuple[str, str]]:
    """The settings that are secret, with their values."""
    for name in Settings.__struct_fields__:
        value = getattr(settings, name)
        for one in value if isinstance(value, tuple) else (value,):
            # The address of a broker may be in any file, unless a password is in it.
            if isinstance(one, Secret) and (name != "broker" or holds_password(one)):
                yield name, one.reveal()


class _State(msgspec.Struct):
    """What `context.storage_state` saves."""

    cookies: list[object]
    origins: list[object]


def _is_signed_in(content: bytes) -> bool:
    if b'"cookies"' not in content or b'"origins"' not in content:
        return False
    try:
        state = msgspec.json.decode(content, type=_State)
    except msgspec.DecodeError:
        return False
    return bool(state.cookies or state.origins)
