"""Messages between the supervisor and its workers: frozen structs as JSON; paths travel as text."""

from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} cannot be sent to a worker")


def _rich(wanted: type, value: Any) -> Any:
    if wanted is Path:
        return Path(value)
    raise NotImplementedError(f"{wanted.__name__} cannot be received from a worker")


def encode(message: object) -> bytes:
    """One message as JSON. Raises NotImplementedError for what has no JSON form."""
    return msgspec.json.encode(message, enc_hook=_plain)


def decoder(wanted: Any) -> "msgspec.json.Decoder[Any]":
    """A decoder for messages of the type, or union of types, `wanted`."""
    return msgspec.json.Decoder(wanted, dec_hook=_rich)
