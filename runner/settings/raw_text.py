"""What files and variables add to a value that does not belong to it: byte order marks and final newlines."""

import codecs
from pathlib import Path
from typing import Any

BYTE_ORDER_MARK = "\ufeff"
_ENCODINGS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_value_file(file: Path, errors: str = "strict") -> str:
    """The text of a file that people write, in UTF-8, or in UTF-16 with a byte order mark, as Windows writes it.

    Raises OSError, and UnicodeDecodeError for another encoding if `errors` is `strict`.
    """
    return decode_value(file.read_bytes(), errors)


def decode_value(content: bytes, errors: str = "strict") -> str:
    """The text in the bytes of such a file.

    >>> decode_value("caf\u00e9\\n".encode("utf-16")), decode_value(b"\\xef\\xbb\\xbfoolong")
    ('caf\u00e9\\n', 'oolong')
    """
    encoding = next((name for mark, name in _ENCODINGS.items() if content.startswith(mark)), "utf-8")
    return content.decode(encoding, errors)


def strip_value(value: Any) -> Any:
    """A value without a byte order mark before it and line ends after it; the same for what lists and tables contain.

    >>> strip_value("\\ufeffhttps://shop.example\\r\\n"), strip_value(["a\\n", 3])
    ('https://shop.example', ['a', 3])
    """
    if isinstance(value, str):
        return value.lstrip(BYTE_ORDER_MARK).rstrip("\r\n")
    if isinstance(value, dict):
        return {name: strip_value(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(strip_value(one) for one in value)
    return value
