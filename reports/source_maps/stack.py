"""The frames of a stack, as the browsers write them: where in a served script it was.

A stack is sent by strangers: everything here takes time that grows with its length only, so no expression that could go back.
"""

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from msgspec import Struct

LINES = 50
"""Lines of a stack that are read: browsers write 10 frames, some pages ask for more."""
LONGEST = 2_000
"""Characters of a line."""
_SCHEMES = ("http:", "https:", "file:", "webpack:", "webpack-internal:", "app:", "capacitor:", "/")
"""Where the code of a page comes from; that of a browser's extension is not the page's."""


class ScriptFrame(Struct, frozen=True):
    """A place in a served script; lines and columns begin with 1. The function's name is as the script has it, empty if it has none."""

    script: str
    line: int
    column: int
    function: str = ""


def parse_stack(stack: str) -> tuple[ScriptFrame, ...]:
    """The frames, the innermost first.

    >>> chrome = "TypeError: x is undefined\\n    at async pay (https://shop.example/app.js:1:230)\\n    at https://shop.example/app.js:1:9"
    >>> [(one.function, one.line, one.column) for one in parse_stack(chrome)]
    [('pay', 1, 230), ('', 1, 9)]
    >>> parse_stack("pay@https://shop.example/app.js:1:230\\n@chrome-extension://abc/x.js:1:1")
    (ScriptFrame(script='https://shop.example/app.js', line=1, column=230, function='pay'),)
    """
    return tuple(_frames(stack))


def _frames(stack: str) -> Iterator[ScriptFrame]:
    for line in stack.split("\n", LINES)[:LINES]:
        text = line.strip()[:LONGEST]
        chrome = text.startswith("at ")
        # Code that was evaluated has the place of the call first, and then one within it: `at eval (eval at f (URL:1:2), <anonymous>:1:3)`.
        if chrome:
            name, _, place = text[3:].rpartition("(") if text.endswith(")") else ("", "", text[3:])
            place = place.removesuffix(")")
        else:
            name, at, place = text.rpartition("@")
            if not at:
                continue
        script, _, numbers = place.partition(" ")[0].rpartition(":")
        script, _, row = script.rpartition(":")
        if not (
            row.isascii() and row.isdecimal() and numbers.isascii() and numbers.isdecimal() and script.startswith(_SCHEMES)
        ):
            continue
        if len(row) > 9 or len(numbers) > 9:
            continue
        yield ScriptFrame(script, max(int(row), 1), max(int(numbers), 1), _plain_name(name))


def _plain_name(name: str) -> str:
    """Without what says how it was called, and without what contains it."""
    plain = name.strip().removeprefix("async ").removeprefix("new ").partition(" [as ")[0]
    plain = plain.removesuffix("<").removesuffix("/").rpartition("/")[2]
    return "" if "<anonymous>" in plain or plain in {"eval", "global code", "anonymous"} else plain[:100]


def script_path(address: str) -> str:
    """The path of a script's address, without what varies: host, query and fragment.

    >>> script_path("https://cdn.example/assets/app.3f2a.js?v=2"), script_path("assets/a%20b.js")
    ('assets/app.3f2a.js', 'assets/a b.js')
    """
    try:
        return unquote(urlsplit(address).path).strip("/")
    except ValueError:
        return ""
