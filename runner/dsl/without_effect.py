"""Lines of a journey that look like an act or a check and are neither; such a journey would pass whatever the site does."""

import ast
from collections.abc import Iterator

from runner.dsl.protocols.registry import PROTOCOLS

ACTING = {"page", "context", "browser", "request", "step", "popup", "frame", "locator"}
"""Names whose attributes are methods that act."""
REACHING = {"page", "context", "browser", "request"}
"""Parameters through which a journey reaches the site."""
LOCATING = {"locator", "frame_locator", "first", "last", "nth", "filter", "and_", "or_"}


def find_without_effect(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each with its line, from 1, and what to write instead."""
    match tree:
        case ast.Module(body=[ast.FunctionDef(args=ast.arguments(args=[], kwonlyargs=[]), body=body) as function]) if all(
            isinstance(line, ast.Pass) or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)) for line in body
        ):
            yield (
                function.lineno,
                f"{function.name} does nothing, so it would pass whatever the site does; write what a visitor does",
            )
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Attribute(value=ast.Call(func=ast.Name(id="expect")), attr=name)):
                yield node.lineno, f"`expect(…).{name}` is not called, so nothing is checked; write `.{name}()`"
            case ast.Expr(value=ast.Attribute(value=ast.Name(id=protocol), attr=name)) if protocol in PROTOCOLS:
                yield node.lineno, f"`{protocol}.{name}` is not called, so nothing is asked; write `{protocol}.{name}(…)`"
            case ast.Expr(value=ast.Attribute(attr=name) as value) if _first_name(value) in ACTING:
                yield node.lineno, f"`{_shown(value)}` is not called, so nothing is done; write `.{name}(…)`"
            case ast.Expr(value=ast.Call(func=ast.Name(id="expect"))):
                yield node.lineno, "`expect(…)` alone checks nothing; add what is expected, such as `.to_be_visible()`"
            case ast.Assert(test=ast.Tuple(elts=[_, *_])):
                yield node.lineno, "`assert (…, …)` is always true; leave out the parentheses"
            case ast.Assert(test=value) if _is_locator(value):
                yield node.lineno, f"`assert {_shown(value)}` is always true; write `expect({_shown(value)}).to_be_visible()`"


def find_unused(tree: ast.Module) -> tuple[str, ...]:
    """What a function asks for to reach the site; empty if it uses any of it."""
    match tree.body:
        case [ast.FunctionDef(args=args, body=body)]:
            asked = tuple(one.arg for one in (*args.args, *args.kwonlyargs) if one.arg in REACHING)
            used = {node.id for line in body for node in ast.walk(line) if isinstance(node, ast.Name)}
            return () if used & {*asked, "locals"} else asked
    return ()


def _is_locator(node: ast.expr) -> bool:
    """Whether it is a locator, which is true whether or not there is an element."""
    if isinstance(node, ast.Attribute):
        return node.attr in {"first", "last"} and _is_locator(node.value)
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (node.func.attr in LOCATING or node.func.attr.startswith("get_by_"))
        and _first_name(node.func) in ACTING
    )


def _first_name(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _shown(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else "…"
