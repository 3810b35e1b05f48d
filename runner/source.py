"""What a journey's source tells without being run: the names of its steps and of its secrets."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator

from msgspec import Struct


class Source(Struct, frozen=True):
    """Names in the order in which they are written. A name that is put together at run time is not among them."""

    steps: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    budgets: tuple[tuple[int, object], ...] = ()
    """Each written budget of a step, with its line, counted from 0 at the function's first."""


def read(function: Callable[..., object]) -> Source:
    """Reads the literal arguments of `step("…")`, `secrets["…"]` and `secrets.totp("…")` in a function; nothing where there is no source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):
        return Source()
    nodes = sorted(
        (node for node in ast.walk(tree) if isinstance(node, ast.expr)), key=lambda one: (one.lineno, one.col_offset)
    )
    return Source(
        steps=tuple(dict.fromkeys(_steps(nodes))),
        secrets=tuple(dict.fromkeys(_secrets(nodes))),
        budgets=tuple(_budgets(nodes)),
    )


def _steps(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "step" and node.args:
            yield from _literal(node.args[0])


def _budgets(nodes: list[ast.expr]) -> Iterator[tuple[int, object]]:
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "step":
            for keyword in node.keywords:
                if keyword.arg == "budget" and isinstance(keyword.value, ast.Constant) and keyword.value.value is not None:
                    yield node.lineno - 1, keyword.value.value


def _secrets(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.Subscript(value=ast.Name(id="secrets"), slice=name):
                yield from _literal(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="secrets"), attr="totp"), args=[name, *_]):
                yield from _literal(name)


def _literal(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
