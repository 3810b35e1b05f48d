"""An element that was not found, or not as it was wanted, in one sentence: what was sought, and what is there, the most similar first."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import takewhile
from pathlib import Path

from runner.result import Artifact, Failure

NAMED = 6
"""Elements that are named, at most."""
LONGEST = 40
"""Characters of a name."""
LONGEST_LOCATOR = 80
"""Characters of a locator or of an element's tag."""
READ = 200_000
"""Characters of an accessibility tree that are read."""
_TEXT = r'"((?:[^"\\]|\\.)*)"'
_SOUGHT = re.compile(rf'get_by_role\("(\w+)", name={_TEXT}|get_by_(text|label|placeholder|alt_text|title|test_id)\({_TEXT}')
_ELEMENT = re.compile(rf"^\s*- '?(\w+) {_TEXT}", re.MULTILINE)
_ALERT = re.compile(rf"^(\s*)- '?alert\b(?: {_TEXT})?'?:?[ \t]*(.*)$", re.MULTILINE)
_MARK = re.compile(r"^\s*- (?:/url: .*|'?\w+(?: \[[^\]]*\])*'?:?)")
_COVERS = re.compile(r"^\s*- (<.*>) (?:from <.*> subtree )?intercepts pointer events", re.MULTILINE)
_SEVERAL = re.compile(r"strict mode violation: (.+) resolved to (\d+) elements")
_DISABLED = "element is not enabled"
_STATE = re.compile(rf'unexpected value "hidden"|element is not visible|{_DISABLED}')
_RESOLVED = re.compile(r"locator resolved to (?:visible |hidden )?(<.+>)")
_FIELDS = ("textbox", "searchbox", "combobox", "spinbutton", "checkbox", "radio", "switch", "slider", "listbox")
_PLURALS = {
    "textbox": "text boxes",
    "checkbox": "check boxes",
    "switch": "switches",
    "searchbox": "search boxes",
    "combobox": "combo boxes",
}
_SECONDS = re.compile(r"Timeout (\d+)ms exceeded|with timeout (\d+)ms")


def describe_missing(failure: Failure, tree: str = "") -> str:
    """The sentence; empty if the failure is not about an element that is covered, hidden, disabled or one of several, nor about one
    that was sought by its name and not found. An alert that the page shows follows.

    `tree` is the accessibility tree of the page at that moment, if it was saved.
    """
    if failure.kind == "http":  # the status explains why nothing is there
        return ""
    sentence = _describe_element(failure.message, tree)
    alert = _find_alert((tree or failure.message)[:READ])
    return f"{sentence}; the page shows an alert: “{_short(alert, LONGEST_LOCATOR)}”" if sentence and alert else sentence


def _find_alert(tree: str) -> str:
    """The text of the first alert in a tree: beside it, or in the lines below that are indented further."""
    for found in _ALERT.finditer(tree):
        text = found[2] or found[3] or ""
        if not text:
            below = _list_below(tree[found.end() :].splitlines()[1:], len(found[1]))
            text = " ".join(filter(None, (_MARK.sub("", line).strip() for line in below)))
        text = _plain(text.strip().strip("'\""))
        if text:
            return text
    return ""


def _list_below(lines: Sequence[str], indent: int) -> list[str]:
    """The first lines that are indented further."""
    return list(takewhile(lambda line: len(line) - len(line.lstrip()) > indent, lines))


def _describe_element(message: str, tree: str) -> str:
    covers = _COVERS.findall(message)
    if covers:
        return f"it is covered by {_short(covers[-1])}"
    several = _SEVERAL.search(message)
    if several:
        return f"{several[2]} elements match {_short(several[1], LONGEST_LOCATOR)}; name one of them, as its suggestions do"
    state = _STATE.search(message)
    if state:
        seen = _RESOLVED.findall(message)
        what = _short(seen[-1], LONGEST_LOCATOR) if seen else "the element"
        return f"{what} is in the page, but {'hidden' if state[0] != _DISABLED else 'disabled'}"
    found = [*_SOUGHT.finditer(message)]
    if not found or "resolved to" in message or "strict mode violation" in message or not _SECONDS.search(message):
        return ""
    last = found[-1]
    role, name = (last[1], last[2]) if last[1] else ("", last[4])
    name = _plain(name)
    what, plural, roles = _kind(role, last[3] or "")
    known = [(one[1], _plain(one[2])) for one in _ELEMENT.finditer((tree or message)[:READ])]
    there = [one for own_role, one in known if not roles or own_role in roles]
    if name in there:
        return ""  # It came too late, or it is hidden.
    sentence = f"no {what} “{_short(name)}”"
    namesake = next((own_role for own_role, one in known if one == name), "") if roles else ""
    if namesake:
        return f"{sentence}, but there is a {namesake} of this name"
    return f"{sentence}; {_list_others(name, there, plural, whole=bool(tree))}" if roles and (there or tree) else sentence


def read_tree(failure: Failure, artifacts: Sequence[Artifact], folder: Path | None) -> str:
    """The saved accessibility tree of the page on which a step failed; empty if there is none."""
    wanted = [one for one in artifacts if one.kind == "aria" and one.step == failure.step]
    if folder is None or not wanted:
        return ""
    try:
        with (folder / wanted[-1].path).open(encoding="utf-8", errors="replace") as file:
            return file.read(READ)
    except OSError:
        return ""


def _kind(role: str, method: str) -> tuple[str, str, Sequence[str]]:
    """What was sought, in the singular and in the plural, and the roles of what is similar to it."""
    if role:
        return role, _PLURALS.get(role, f"{role}s"), (role,)
    if method in {"label", "placeholder"}:
        return f"field with the {method}", "fields", _FIELDS
    return (
        {"alt_text": "image with the text", "title": "element with the title", "test_id": "element with the test id"}.get(
            method, "text"
        ),
        "",
        (),
    )


def _list_others(name: str, there: Sequence[str], plural: str, whole: bool) -> str:
    others = [one for one in dict.fromkeys(there) if one.strip()]
    if not others:
        return f"there are no {plural} on the page" if whole else f"no other {plural} are known"
    near = sorted(others, key=lambda one: -SequenceMatcher(None, name.lower()[:200], one.lower()[:200]).ratio())
    close = [one for one in near if SequenceMatcher(None, name.lower()[:200], one.lower()[:200]).ratio() >= 0.5]
    shown = [*close, *(one for one in others if one not in close)][:NAMED]
    more = f" and {len(others) - len(shown)} more" if len(others) > len(shown) else ""
    return f"the {plural} there: {', '.join(f'“{_short(one)}”' for one in shown)}{more}"


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _short(text: str, longest: int = LONGEST) -> str:
    text = " ".join(text.replace("↵", " ").split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
