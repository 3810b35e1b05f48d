"""What can be read from a check's source without running it: the names of its steps, which are its calls."""

import ast
from collections.abc import Iterator, Sequence

from runner.dsl.protocols.registry import PROTOCOLS, name_call
from runner.untrusted_text import step_name


def find_calls(nodes: Sequence[ast.expr]) -> Iterator[tuple[str | None, int]]:
    """The name of each call's step, None if it is built at run time, and its line from 0; `nodes` are in source order.

    A protocol that is used without being called is passed to another function, which may call it.
    """
    called: set[int] = set()
    for node in nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name) as used, attr=method)) if name in PROTOCOLS:
                called.add(id(used))
                template = PROTOCOLS[name].calls.get(method)
                if template is not None:
                    yield _name_step(node, template), node.lineno - 1
    for node in nodes:
        if isinstance(node, ast.Name) and node.id in PROTOCOLS and id(node) not in called:
            yield None, node.lineno - 1


def _name_step(call: ast.Call, template: str) -> str | None:
    for keyword in call.keywords:
        if keyword.arg is None:
            return None  # `**options` may hold a name
        if keyword.arg == "name":
            value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
            return step_name(value) if isinstance(value, str) else None
    subjects = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if len(subjects) != len(call.args) or len(subjects) != template.count("{}"):
        return None
    return step_name(name_call(template, subjects))
