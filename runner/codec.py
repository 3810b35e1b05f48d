"""Structs as JSON between processes of the runner; paths travel as text."""

from pathlib import Path
from typing import Any

import msgspec


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} cannot be sent as JSON")


def _rich(wanted: type, value: Any) -> Any:
    if wanted is Path:
        return Path(value)
    raise NotImplementedError(f"{wanted.__name__} cannot be read from JSON")


def encode(message: object) -> bytes:
    """A value as JSON. Raises NotImplementedError for a type that has no JSON form."""
    return msgspec.json.encode(message, enc_hook=_plain)


def decoder(wanted: Any) -> "msgspec.json.Decoder[Any]":
    """A decoder for the type, or union of types, `wanted`."""
    return msgspec.json.Decoder(wanted, dec_hook=_rich)
