"""What a recorded action is called, in plain words."""

import ast
import re
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from runner.authoring.recorder.parse_script import ScriptAction, chain

LONGEST = 50
"""Characters of a name; a step's name is read in tables and typed on the command line."""
NAMED_BY = {"get_by_text", "get_by_label", "get_by_placeholder", "get_by_alt_text", "get_by_title", "get_by_test_id"}
FIELDS = {"textbox", "searchbox", "combobox", "spinbutton", "slider", "checkbox", "radio", "switch", "listbox"}
LINK_VERBS = {
    *("add", "back", "browse", "buy", "check", "close", "continue", "create", "download", "edit", "go", "learn", "log", "look"),
    *("order", "pay", "read", "register", "search", "see", "show", "sign", "start", "try", "view"),
}
"""A link that begins with one of these says what it does; all others say what they lead to."""
PARTICLES = {"In", "Off", "On", "Out", "Over", "To", "Up"}
"""Words that belong to the verb before them."""
VERBS = {"check": "check", "uncheck": "uncheck", "select_option": "choose", "set_input_files": "give", "hover": "point at"}


def role_and_name(locator: ast.expr) -> tuple[str, str]:
    """The role and the words by which a locator finds its element; empty where it says none.

    >>> role_and_name(ast.parse('page.get_by_role("link", name="Tea").first', mode="eval").body)
    ('link', 'Tea')
    >>> role_and_name(ast.parse('page.locator("#apiToken")', mode="eval").body)
    ('', 'api token')
    """
    role = ""
    for link in chain(locator):
        match link:
            case ast.Call(func=ast.Attribute(attr="get_by_role"), args=[ast.Constant(value=str(found)), *_], keywords=keywords):
                role = role or found
                name = next((one.value for one in keywords if one.arg == "name"), None)
                if name is not None:
                    return role, _text(name)
            case ast.Call(func=ast.Attribute(attr="get_by_test_id"), args=[first, *_]):
                return role, in_words(_text(first))
            case ast.Call(func=ast.Attribute(attr=method), args=[first, *_]) if method in NAMED_BY:
                return role, _text(first)
            case ast.Call(func=ast.Attribute(attr="locator"), args=[first, *_]):
                return role, in_words(_text(first))
            case ast.Call(func=ast.Attribute(attr="filter"), keywords=keywords):
                has = next((one.value for one in keywords if one.arg == "has_text"), None)
                if has is not None:
                    return role, _text(has)
    return role, ""


def _text(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Call(func=ast.Attribute(attr="compile"), args=[ast.Constant(value=str(text)), *_]):
            return " ".join(re.findall(r"\w[\w ]*", re.sub(r"\\.", " ", text)))
    return ""


def in_words(text: str) -> str:
    """An identifier or a selector as words.

    >>> in_words("#apiToken"), in_words("save-it"), in_words("div:nth-child(2) > .buy_now")
    ('api token', 'save it', 'div nth child 2 buy now')
    """
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text)
    return " ".join(re.findall(r"[^\W_]+", parted)).lower()


def name(actions: Sequence[ScriptAction]) -> str:
    """What a step is called that consists of these actions: by the one that the page answers, else by what is filled in."""
    deciding = next((one for one in actions if one.kind == "open"), None)
    deciding = deciding or next((one for one in reversed(actions) if one.kind == "act"), None)
    if deciding is None:
        return "look at the page"
    if deciding.kind == "open":
        return _short(_opened(deciding.text))
    role, label = role_and_name(deciding.target) if deciding.target else ("", "")
    label = _once(label)
    if deciding.method == "press":
        return _short(_sent(role, label, deciding, actions))
    if deciding.method in {"fill", "press_sequentially", "type"}:
        return _short(f"fill in {label or 'the form'}")
    if deciding.method in VERBS:
        return _short(f"{VERBS[deciding.method]} {label or 'a ' + (role or 'field')}")
    if role == "button":
        return _short(_lower(label) if re.search(r"\w", label) else f"click {label or 'a button'}")
    if role == "link":
        verb = label.partition(" ")[0].lower() in LINK_VERBS
        return _short(_lower(label) if verb else f"open {label or 'a link'}")
    if role in {"tab", "option", "menuitem", "menuitemradio", "treeitem", "radio"}:
        return _short(f"choose {label or 'one'}")
    return _short(f"click {label or role or 'on the page'}")


def _once(label: str) -> str:
    """A label without what is said twice, by a picture and by the text beside it.

    >>> _once("Status Status"), _once("Tea time")
    ('Status', 'Tea time')
    """
    words = label.split()
    half = len(words) // 2
    return " ".join(words[:half]) if half and words[:half] == words[half:] else label


_WRITTEN_IN = re.compile(r"(?:^index)?\.(?:aspx?|cgi|html?|jsp|php)$", re.IGNORECASE)
"""What an address says of how its page is made."""


def _opened(address: str) -> str:
    parts = urlsplit(address)
    path = [in_words(_WRITTEN_IN.sub("", unquote(one))) for one in parts.path.split("/") if one]
    words = " ".join(one for one in (parts.hostname or "", *path) if one)
    return f"open {words}" if words else "open the home page"


def _sent(role: str, label: str, pressed: ScriptAction, actions: Sequence[ScriptAction]) -> str:
    typed = [one for one in actions if one.method == "fill" and same(one.target, pressed.target)]
    if role == "searchbox" and typed and typed[-1].text:
        return f"search for {typed[-1].text}"
    if role == "searchbox" or label.lower().startswith("search"):
        return "search"
    return f"send {label or 'the form'}" if pressed.text.endswith("Enter") else f"press {pressed.text}"


def same(one: ast.expr | None, other: ast.expr | None) -> bool:
    """Whether two locators are written alike."""
    return one is not None and other is not None and ast.dump(one) == ast.dump(other)


def _lower(label: str) -> str:
    """`Add to cart` and `Log In` as they are written in a sentence; `OK` and `VAT check` stay.

    >>> _lower("Log In"), _lower("Add to cart"), _lower("Search Posts"), _lower("OK")
    ('log in', 'add to cart', 'search Posts', 'OK')
    """
    first, _, rest = label.partition(" ")
    second, _, more = rest.partition(" ")
    rest = f"{second.lower()}{' ' if more else ''}{more}" if second in PARTICLES else rest
    return label if first[1:] != first[1:].lower() or len(first) == 1 else f"{first.lower()}{' ' if rest else ''}{rest}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    if len(text) <= LONGEST:
        return text
    return text[: LONGEST + 1].rpartition(" ")[0] or text[:LONGEST]


def unique(names: Sequence[str]) -> list[str]:
    """The names, each once: the second `add to cart` is `add to cart 2`.

    >>> unique(["next", "next", "next 2"])
    ['next', 'next 2', 'next 2 2']
    """
    taken: list[str] = []
    for one in names:
        number, candidate = 1, one
        while candidate in taken:
            number += 1
            candidate = f"{one} {number}"
        taken.append(candidate)
    return taken
