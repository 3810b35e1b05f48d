"""Statements as text, in the form that our own journeys have: double quotes, lines of at most 128 characters."""

import ast

WIDTH = 128
INDENT = "    "


def lines(statement: ast.stmt, indent: str) -> list[str]:
    """The lines of a statement, each beginning with `indent`."""
    match statement:
        case ast.With(items=[item], body=body):
            name = f" as {flat(item.optional_vars)}" if item.optional_vars else ""
            inner = [line for one in body for line in lines(one, indent + INDENT)]
            return [f"{indent}with {flat(item.context_expr)}{name}:", *inner]
        case ast.Assign(targets=[target], value=value):
            return [f"{indent}{flat(target)} = {flat(value)}"]
        case ast.Expr(value=value):
            whole = indent + flat(value)
            return [whole] if len(whole) <= WIDTH else _broken(value, indent)
    return [indent + line for line in ast.unparse(statement).splitlines()]


def _broken(value: ast.expr, indent: str) -> list[str]:
    """A call that is too long for a line, opened at its longest list of arguments."""
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call) and (node.args or node.keywords)]
    longest = max(calls, key=lambda call: len(_arguments(call)), default=None)
    if longest is None:
        return [indent + flat(value)]
    head, _, tail = (indent + flat(value)).partition(f"({_arguments(longest)})")
    return [f"{head}(", f"{indent}{INDENT}{_arguments(longest)}", f"{indent}){tail}"]


def flat(node: ast.expr) -> str:
    """An expression on one line. What the recorder does not write is written as Python itself would."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Constant(value=str(text)):
            return quoted(text)
        case ast.Attribute(value=owner, attr=name):
            return f"{flat(owner)}.{name}"
        case ast.Subscript(value=owner, slice=index):
            return f"{flat(owner)}[{flat(index)}]"
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="re"), attr="compile"), args=[ast.Constant(value=str(text)), *flags]
        ):
            return f"re.compile({', '.join([_pattern(text), *map(flat, flags)])})"
        case ast.Call(func=function):
            return f"{flat(function)}({_arguments(node)})"
        case ast.List(elts=items):
            return f"[{', '.join(map(flat, items))}]"
        case ast.Dict(keys=keys, values=values) if all(keys):
            return "{" + ", ".join(f"{flat(key)}: {flat(one)}" for key, one in zip(keys, values, strict=True) if key) + "}"
        case ast.Lambda(args=arguments, body=body):
            return f"lambda {ast.unparse(arguments)}: {flat(body)}"
    return ast.unparse(node)


def _arguments(call: ast.Call) -> str:
    named = [f"{one.arg}={flat(one.value)}" if one.arg else f"**{flat(one.value)}" for one in call.keywords]
    return ", ".join([*map(flat, call.args), *named])


def quoted(text: str) -> str:
    """A text in double quotes; in single ones, where those need fewer backslashes.

    >>> print(quoted('Tea'), quoted('iframe[title="Pay"]'), quoted("it's"))
    "Tea" 'iframe[title="Pay"]' "it's"
    """
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(f"\\{one}" if one == quote else one if one in "\"'" else repr(one)[1:-1] for one in text) + quote


def _pattern(text: str) -> str:
    raw = '"' not in text and not text.endswith("\\") and text.isprintable()
    return f'r"{text}"' if raw else quoted(text)
