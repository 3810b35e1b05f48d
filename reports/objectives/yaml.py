"""YAML for files that people read: tables, lists and texts, each text on one line."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./ -]*[A-Za-z0-9_./]|[A-Za-z]")
_OTHER_MEANING = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def format_yaml(value: Any) -> str:
    """A value made of tables, lists, texts, numbers and truth values.

    >>> print(format_yaml({"groups": [{"name": "buy", "rules": [{"record": "a:b", "expr": 'x{y="z"}'}]}]}), end="")
    groups:
      - name: buy
        rules:
          - record: "a:b"
            expr: 'x{y="z"}'
    """
    return "\n".join(_lines(value, "")) + "\n"


def _lines(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            if _is_nested(one):
                yield f"{indent}{_scalar(key)}:"
                yield from _lines(one, indent + "  ")
            else:
                yield f"{indent}{_scalar(key)}: {_scalar(one)}"
        return
    for one in value:
        if _is_nested(one):
            first, *rest = _lines(one, indent + "  ")
            yield f"{indent}- {first.removeprefix(indent + '  ')}"
            yield from rest
        else:
            yield f"{indent}- {_scalar(one)}"


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple) and bool(value)


def _scalar(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _OTHER_MEANING:
        return value
    if value.isprintable() and '"' in value and "\\" not in value:
        return "'" + value.replace("'", "''") + "'"
    # Every text in JSON is one in YAML, too.
    return json.dumps(value)
