"""Secret values that do not print."""

import hmac
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn

from runner.errors import SecretMissing

PREFIX = "JOURNEY_SECRET_"
HIDDEN = "•••"


class Secret:
    """A text that shows as `•••` wherever it is printed; `reveal()` is the one way to it.

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
    """The `secrets` that a journey gets: `secrets["PW"]` reads the environment variable `JOURNEY_SECRET_PW`.

    Raises SecretMissing, naming the variable, for a secret that is not set.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> Secret:
        value = self._environ.get(PREFIX + name)
        if value is None:
            raise SecretMissing(f"secret {name!r} is not set; give it in the environment variable {PREFIX}{name}")
        return Secret(value)

    def __contains__(self, name: object) -> bool:
        return f"{PREFIX}{name}" in self._environ

    def __iter__(self) -> Iterator[str]:
        return (name.removeprefix(PREFIX) for name in self._environ if name.startswith(PREFIX))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def missing(names: Iterable[str], environ: Mapping[str, str]) -> list[str]:
    """Those of `names` that are not set."""
    known = Secrets(environ)
    return [name for name in names if name not in known]
