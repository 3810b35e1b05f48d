"""What can be read from a journey's source without running it: the names of its steps and of its secrets."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import TypeGuard

from msgspec import Struct

from runner.dsl.protocols.calls import find_calls
from runner.dsl.without_effect import find_unused, find_without_effect
from runner.untrusted_text import step_name


class Source(Struct, frozen=True):
    """Names in source order, without those that are built at run time."""

    steps: tuple[str, ...] = ()
    step_lines: tuple[int, ...] = ()
    """The line in which each begins; 0 is the first line of the function."""
    more_steps: bool = False
    """Whether there may be steps with names built at run time, or steps begun in another function."""
    secrets: tuple[str, ...] = ()
    budgets: tuple[tuple[int, object], ...] = ()
    """The literal budget of each step, with its line; 0 is the first line of the function."""
    without_effect: tuple[tuple[int, str], ...] = ()
    """What is wrong with lines that neither act nor check, with the line of each; 0 is the first line of the function."""
    unused: tuple[str, ...] = ()
    """Parameters through which a journey reaches the site, if none of them is used."""


def read_source(function: Callable[..., object], calls: bool = False) -> Source:
    """Reads the literal arguments of `step("…")`, `secrets["…"]` and `secrets.totp("…")` in a function.

    With `calls`, the calls of a check's protocols are its steps. A function without source may have any steps.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):
        return Source(more_steps=True)
    nodes = sorted(
        (node for node in ast.walk(tree) if isinstance(node, ast.expr)), key=lambda one: (one.lineno, one.col_offset)
    )
    steps: dict[str, int] = {}
    asked = list(find_calls(nodes)) if calls else []
    for name, line in ((name, line) for name, line in asked if name is not None) if calls else _steps(nodes):
        steps.setdefault(name, line)
    return Source(
        steps=tuple(steps),
        step_lines=tuple(steps.values()),
        more_steps=any(name is None for name, _ in asked) if calls else _more_steps(nodes),
        secrets=tuple(dict.fromkeys(_secrets(nodes))),
        budgets=tuple(_budgets(nodes)),
        unused=find_unused(tree),
        without_effect=tuple((line - 1, problem) for line, problem in find_without_effect(tree)),
    )


def _steps(nodes: list[ast.expr]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        if _begins_step(node):
            yield from ((step_name(name), node.lineno - 1) for name in _literal(node.args[0]))


def _more_steps(nodes: list[ast.expr]) -> bool:
    begun = [node for node in nodes if _begins_step(node)]
    # A `step` that is not called here is passed to another function.
    handed_on = sum(isinstance(node, ast.Name) and node.id == "step" for node in nodes) > len(begun)
    return handed_on or any(not list(_literal(node.args[0])) for node in begun)


def _begins_step(node: ast.expr) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "step" and bool(node.args)


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
