"""Recorded actions, put together into steps.

Playwright's recorder notes an address that was opened, and not that a click led to another page. So a step is what is filled in
and chosen, up to the first action that the page answers: an address, a click on a button or a link, the Enter key. It lasts until
what was checked then is there; where nothing was checked, until the element is there that the next step begins with. That
holds for a new document as for a page that only changes, and counts the waiting where it was caused.
"""

import ast
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from msgspec import Struct

from runner.authoring.recorder import step_names as wording
from runner.authoring.recorder.parse_script import ScriptAction, chain

TYPING = {"fill", "press_sequentially", "type", "check", "uncheck", "select_option", "set_input_files"}
NEEDS_SIGHT = TYPING - {"set_input_files"} | {"click", "dblclick", "hover", "tap"}
"""What Playwright does only to an element that can be seen."""
ALONE = {"Tab", "Shift+Tab", "Shift", "Control", "Alt", "Meta", "CapsLock"}
"""Keys that only lead to the next field, or do nothing by themselves."""


class Step(Struct, frozen=True):
    """A named part of the walk."""

    name: str
    actions: tuple[ScriptAction, ...]
    waits: tuple[ast.stmt, ...] = ()
    """What was not recorded, and makes the step last until the page has answered."""


def divide(actions: Sequence[ScriptAction]) -> tuple[Step, ...]:
    """The steps of a recording, each with a name of its own."""
    groups = list(_groups(list(_needed(actions))))
    names = wording.unique([wording.name(group) for group in groups])
    known = {"page"}
    steps = []
    for index, group in enumerate(groups):
        known.update(name for action in group for name in action.makes)
        following = groups[index + 1] if index + 1 < len(groups) else []
        steps.append(Step(names[index], tuple(group), tuple(_waits(group, following, known))))
    return tuple(steps)


def _needed(actions: Sequence[ScriptAction]) -> Iterator[ScriptAction]:
    """Leaves out the click into a field that is then filled in, and the Tab that leads to the next: filling in does both."""
    for action, following in zip_longest(actions, actions[1:]):
        if following is not None and following.kind == "act":
            into = action.method == "click" and action.plain and following.method in TYPING
            if into and wording.same(action.target, following.target):
                continue
            if action.method == "press" and action.text in ALONE:
                continue
        yield action


def _groups(actions: Sequence[ScriptAction]) -> Iterator[list[ScriptAction]]:
    group: list[ScriptAction] = []
    answered = False
    for index, action in enumerate(actions):
        if answered and action.kind not in {"check", "close"}:
            yield group
            group, answered = [], False
        group.append(action)
        answered = answered or _is_answered(action, actions[index + 1 :])
    if group:
        yield group


def _is_answered(action: ScriptAction, later: Sequence[ScriptAction]) -> bool:
    """Whether this is what one does and then waits for the page."""
    if action.kind == "open" or len(action.statements) > 1 or isinstance(action.statements[0], ast.With):
        return True
    if action.kind != "act" or action.target is None:
        return False
    if action.method == "press":
        return action.text.rpartition("+")[2] == "Enter"
    if action.method not in {"click", "dblclick", "tap"}:
        return False
    if action.method == "click" and later and later[0].method == "press" and wording.same(action.target, later[0].target):
        return False
    return not _is_field(action.target)


def _is_field(target: ast.expr) -> bool:
    role, _ = wording.role_and_name(target)
    methods = (link.func.attr for link in chain(target) if isinstance(link, ast.Call) and isinstance(link.func, ast.Attribute))
    found_by = next((method for method in methods if method.startswith("get_by_")), "")
    return role in wording.FIELDS or (not role and found_by in {"get_by_label", "get_by_placeholder"})


def _waits(group: Sequence[ScriptAction], following: Sequence[ScriptAction], known: set[str]) -> Iterator[ast.stmt]:
    last = next((one for one in reversed(group) if one.kind in {"open", "act", "check"}), None)
    if last is None or last.kind == "check" or not any(_is_answered(one, ()) for one in group):
        return
    first = next((one for one in following if one.kind in {"open", "act", "check"}), None)
    visible = first is not None and first.kind == "act" and first.method in NEEDS_SIGHT and first.page in known
    if visible and first is not None and first.target is not None and not wording.same(first.target, last.target):
        yield _statement(f"{ast.unparse(first.target)}.wait_for()")
    elif last.kind == "act":
        page = last.makes[-1] if last.makes and _pops_up(last) else last.page
        yield _statement(f"{page}.wait_for_load_state()")


def _pops_up(action: ScriptAction) -> bool:
    return "expect_popup" in ast.unparse(action.statements[0])


def _statement(text: str) -> ast.stmt:
    return ast.parse(text).body[0]
