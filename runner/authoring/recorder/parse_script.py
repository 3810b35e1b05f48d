"""What Playwright's recorder has written, taken apart: from a Python script to the actions in it."""

import ast
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from runner.errors import RecordingError

Kind = Literal["open", "act", "listen", "check", "close", "other"]
CHECKS = {"wait_for_url", "wait_for_load_state", "wait_for_timeout", "wait_for_selector", "wait_for_function"}


class ScriptAction(Struct, frozen=True, kw_only=True):
    """One thing that was done or checked."""

    kind: Kind
    """`open`: an address · `act`: a locator's method · `listen`: for a dialog · `check`: an expectation · `close`: a page."""
    statements: tuple[ast.stmt, ...]
    page: str = "page"
    """The variable of the page that it was done in."""
    makes: tuple[str, ...] = ()
    """The variables that it sets."""
    target: ast.expr | None = None
    """The locator that was acted on."""
    method: str = ""
    arguments: tuple[ast.expr, ...] = ()
    """Those of the method, without keywords."""
    plain: bool = True
    """Whether the method was called without keywords."""

    @property
    def text(self) -> str:
        """The first argument, when it is a text: what was typed, pressed, or opened."""
        first = self.arguments[0] if self.arguments else None
        return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


class Script(Struct, frozen=True):
    """A recording, in the order in which it was made."""

    actions: tuple[ScriptAction, ...]
    left_out: tuple[str, ...] = ()
    """Options of the browser context that it was made with, as they were written."""


def read(text: str) -> Script:
    """The actions of what `playwright codegen --target python` (or `python-pytest`) has written.

    What makes and ends browser, context and page is left out: a journey is given its page. Raises RecordingError when the text
    is not such a script.
    """
    function = _function(text)
    first: str | None = function.args.args[0].arg if _has_parameter(function, "page") else None
    actions: list[ScriptAction] = []
    left_out: list[str] = []
    for statement in function.body:
        match statement:
            case ast.Assign(targets=[ast.Name()], value=ast.Call(func=ast.Attribute(attr="launch"))):
                continue
            case ast.Assign(value=ast.Call(func=ast.Attribute(attr="new_context"), keywords=keywords)):
                left_out += [ast.unparse(keyword) for keyword in keywords]
                continue
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Attribute(attr="new_page"))) if first is None:
                first = name
                continue
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="context" | "browser")))) | ast.Pass():
                continue
            case ast.Expr(value=ast.Call(args=[ast.Constant(value=str(address))])) if address.startswith("chrome-error:"):
                # A page that did not load is not an address to go to.
                continue
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Attribute(attr="value")) if actions:
                # `page1 = page1_info.value` is the end of the `with` above it.
                last = actions.pop()
                actions.append(replace(last, statements=(*last.statements, statement), makes=(*last.makes, name)))
            case _:
                actions.append(_action(statement))
    while actions and actions[-1].kind == "close":
        actions.pop()
    return Script(tuple(actions), tuple(left_out))


def _function(text: str) -> ast.FunctionDef:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise RecordingError(f"the recorder's output is not Python: {error}") from error
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and (_has_parameter(node, "playwright") or _has_parameter(node, "page")):
            return node
    raise RecordingError("the recorder's output has no function with `playwright` or `page`; record with --target python")


def _has_parameter(function: ast.FunctionDef, name: str) -> bool:
    return bool(function.args.args) and function.args.args[0].arg == name


def _action(statement: ast.stmt) -> ScriptAction:
    match statement:
        case ast.With(body=[ast.Expr() as inner]):
            # A popup or a download, together with the click that it comes from.
            made = tuple(_names(one.optional_vars for one in statement.items))
            return replace(_action(inner), statements=(statement,), makes=made, plain=False)
        case ast.Assign(targets=[ast.Name(id=name)]):
            return ScriptAction(kind="other", statements=(statement,), page=name, makes=(name,))
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr=method)) as call):
            kind = _kind(owner, method)
            return ScriptAction(
                kind=kind,
                statements=(statement,),
                page=_root(owner),
                target=owner if kind == "act" else None,
                method=method,
                arguments=tuple(call.args),
                plain=not call.keywords,
            )
        case _:
            return ScriptAction(kind="other", statements=(statement,))


def _kind(owner: ast.expr, method: str) -> Kind:
    if _is_expectation(owner) or method in CHECKS:
        return "check"
    if not isinstance(owner, ast.Name):
        return "act"
    return {"goto": "open", "once": "listen", "on": "listen", "close": "close"}.get(method, "other")  # type: ignore[return-value]


def _is_expectation(owner: ast.expr) -> bool:
    return isinstance(owner, ast.Call) and isinstance(owner.func, ast.Name) and owner.func.id == "expect"


def chain(locator: ast.expr) -> Iterator[ast.expr]:
    """The links of `page.locator(…).content_frame.get_by_role(…)`, from the last to the first."""
    node = locator
    while True:
        yield node
        match node:
            case ast.Call(func=ast.Attribute(value=before)) | ast.Attribute(value=before):
                node = before
            case ast.Call(func=ast.Name(id="expect"), args=[before]):
                node = before
            case _:
                return


def _root(owner: ast.expr) -> str:
    *_, first = chain(owner)
    return first.id if isinstance(first, ast.Name) else "page"


def _names(nodes: Iterable[ast.expr | None]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Name):
            yield node.id
