"""A list as CSV (RFC 4180) in which spreadsheets find no formula."""

import csv
import io
from collections.abc import Iterator, Sequence
from functools import reduce
from types import NoneType
from typing import Any, get_args

import msgspec
from msgspec import Struct

BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
"""OWASP, CSV injection; a leading quote makes it text."""


def format_csv(rows: Sequence[Struct], struct: type[Struct]) -> str:
    """The rows with a header; fields of nested structs get their own columns, lists are JSON in a cell."""
    text = io.StringIO()
    names = list(_columns(struct))
    lines = csv.writer(text, quoting=csv.QUOTE_MINIMAL)
    lines.writerow(".".join(name) for name in names)
    lines.writerows([format_cell(reduce(_part, name, row)) for name in names] for row in rows)
    return text.getvalue()


def _columns(struct: type[Struct]) -> Iterator[tuple[str, ...]]:
    """The path to each value: its field, or a struct's field and the field in it."""
    for field in msgspec.structs.fields(struct):
        kinds = get_args(field.type) or (field.type,)
        inner = next((one for one in kinds if isinstance(one, type) and issubclass(one, Struct)), None)
        if inner is None or set(kinds) - {inner, NoneType}:
            yield (field.name,)
        else:
            yield from ((field.name, name) for name in inner.__struct_fields__)


def _part(value: Any, name: str) -> Any:
    return None if value is None else getattr(value, name)


def format_cell(value: Any) -> str:
    """A value as the text of a cell.

    >>> format_cell(-1.5), format_cell("=1+1"), format_cell(None), format_cell(True)
    ('-1.5', "'=1+1", '', 'true')
    """
    plain = msgspec.to_builtins(value)
    if plain is None:
        return ""
    if isinstance(plain, bool | int | float):
        return msgspec.json.encode(plain).decode()
    shown = plain if isinstance(plain, str) else msgspec.json.encode(plain).decode()
    return f"'{shown}" if shown.startswith(BEGINS_A_FORMULA) or shown.lstrip().startswith(BEGINS_A_FORMULA) else shown
