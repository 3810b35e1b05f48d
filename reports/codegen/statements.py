"""One action as a statement of a journey."""

import ast

from msgspec import Struct

from reports.codegen.action import RecordedAction
from reports.codegen.input_values import Values
from reports.codegen.locators import parse_locator
from reports.codegen.rebuild_page import Found
from reports.codegen.url_patterns import relative_to, url_pattern, without_ids
from runner.authoring.recorder import parse_script
from runner.authoring.recorder.code_format import flat, quoted

METHODS = {
    "click": "click",
    "fill": "fill",
    "check": "check",
    "uncheck": "uncheck",
    "select": "select_option",
    "press": "press",
}


class Line(Struct, frozen=True, kw_only=True):
    """The journey's code for an action."""

    action: RecordedAction
    found: Found
    statements: tuple[ast.stmt, ...]
    """Empty when its element was not found again."""
    opened: str = ""
    """What it opens, from the base URL on."""
    code: str = ""
    target: ast.expr | None = None
    missing: str = ""
    """The comment in place of a missing statement."""

    @property
    def in_page(self) -> bool:
        """Whether a page answers it without another address: Enter, a click on something other than a field."""
        action = self.action
        if not self.statements or action.leads_to or action.opens is not None:
            return False
        return action.kind == "press" or (action.kind == "click" and action.sort in {"button", "other"})

    @property
    def ends_step(self) -> bool:
        """Whether it is what a page answers: each such act is a step."""
        led = bool(self.action.leads_to) or self.action.kind in {"goto", "back"} or self.action.opens is not None
        return led or self.in_page

    @property
    def scripted(self) -> parse_script.ScriptAction:
        """The same as the recorder has it, which names steps."""
        if self.action.kind == "goto":
            return parse_script.ScriptAction(
                kind="open", statements=self.statements, arguments=(ast.Constant(without_ids(self.opened)),)
            )
        given = (ast.Constant("Enter"),) if self.action.kind == "press" else ()
        method = METHODS.get(self.action.kind, "click")
        return parse_script.ScriptAction(
            kind="act", statements=self.statements, target=self.naming, method=method, arguments=given
        )

    @property
    def naming(self) -> ast.expr | None:
        """The locator that says what the element is called; what the visitor's browser has noted of it, where that is a selector."""
        said = self.action.said
        match self.target:
            case ast.Call(func=ast.Attribute(attr="locator" | "get_by_test_id")) if said.role and said.name:
                return ast.parse(f"page.get_by_role({quoted(said.role)}, name={quoted(said.name)})", mode="eval").body
        return self.target


def page_name(tab: int, tabs: list[int]) -> str:
    """The variable of a tab: `page`, then `page1` …"""
    place = tabs.index(tab)
    return f"page{place}" if place else "page"


def write_line(
    action: RecordedAction, found: Found, tabs: list[int], base_url: str, values: Values, rules: tuple[str, ...]
) -> Line:
    """The statement for an action, with what the page is expected to be at after it."""
    page = page_name(action.tab, tabs)
    opened = ""
    if action.kind == "goto":
        opened = relative_to(action.url, base_url)
        code = f"{page}.goto({quoted(opened)})"
    elif action.kind == "back":
        code = f"{page}.go_back()"
    elif not found.candidates:
        return Line(action=action, found=found, statements=(), missing=_missing(action, "its element was not found again"))
    elif action.kind == "select" and action.index is None:
        return Line(
            action=action, found=found, statements=(), missing=_missing(action, "which option was chosen is not recorded")
        )
    else:
        locator = found.candidates[0].code
        code = f"{_from(page, locator)}.{METHODS[action.kind]}({_given(action, found, locator, values)})"
    target = parse_locator(found.candidates[0].code) if found.candidates else None
    written = code
    if action.opens is not None:
        written = f"with {page}.expect_popup() as popup:\n    {code}\n{page_name(action.opens, tabs)} = popup.value"
    if action.leads_to:
        shown = page if action.opens is None else page_name(action.opens, tabs)
        written += f"\n{write_expectation(shown, action.leads_to, base_url, rules)}"
    return Line(action=action, found=found, statements=tuple(ast.parse(written).body), opened=opened, code=code, target=target)


def write_expectation(page: str, address: str, base_url: str, rules: tuple[str, ...]) -> str:
    """The statement that a page is at an address."""
    return f"expect({page}).to_have_url(re.compile({url_pattern(address, base_url, rules)!r}))"


def _given(action: RecordedAction, found: Found, locator: str, values: Values) -> str:
    if action.kind == "press":
        return '"Enter"'
    if action.kind == "select":
        return f"index={action.index}"
    if action.kind != "fill":
        return ""
    value = values.of(action, found, locator) if action.text is None or found.facts.type == "password" else None
    return value.code if value else quoted(action.text or "")


def locate(line: Line, tabs: list[int]) -> str:
    """The expression for the element of a line that has one."""
    return _from(page_name(line.action.tab, tabs), line.found.candidates[0].code)


def _from(page: str, locator: str) -> str:
    tree = ast.parse(locator, mode="eval").body
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "page":
            node.id = page
    return flat(tree)


def _missing(action: RecordedAction, why: str) -> str:
    what = {"press": "Enter in", "fill": "typing into", "select": "a choice in"}.get(action.kind, f"a {action.kind} on")
    said = " ".join(
        one for one in (action.said.role or (f"<{action.tag}>" if action.tag else "an element"), action.said.name) if one
    )
    return f"Not repeated: {what} {said}, as {why}. Write it here by hand."
