"""A list as CSV (RFC 4180) that a spreadsheet takes for text: no cell of it is a formula."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
"""OWASP, CSV injection; a sign in front makes a text of it."""


def written(rows: Sequence[Struct], struct: type[Struct]) -> str:
    """The rows with a head; what is not a plain value stands as JSON in its cell."""
    text = io.StringIO()
    names = struct.__struct_fields__
    lines = csv.writer(text, quoting=csv.QUOTE_MINIMAL)
    lines.writerow(names)
    lines.writerows([cell(getattr(row, name)) for name in names] for row in rows)
    return text.getvalue()


def cell(value: Any) -> str:
    """A value as it stands in a cell.

    >>> cell(-1.5), cell("=1+1"), cell(None), cell(True)
    ('-1.5', "'=1+1", '', 'true')
    """
    plain = msgspec.to_builtins(value)
    if plain is None:
        return ""
    if isinstance(plain, bool | int | float):
        return msgspec.json.encode(plain).decode()
    shown = plain if isinstance(plain, str) else msgspec.json.encode(plain).decode()
    return f"'{shown}" if shown.startswith(BEGINS_A_FORMULA) or shown.lstrip().startswith(BEGINS_A_FORMULA) else shown
