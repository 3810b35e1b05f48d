"""Text that GitHub-flavoured Markdown shows as it is: no markup, no HTML, no mention, no link, whatever it says.

What a page or a journey says goes through one of these before it is put into a comment: `inert` in prose, `code` for names and
commands, `fence` for what has several lines.
"""

import re

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MARKUP = re.compile(r"[#$&*<>@\[\\\]^_`{|}~]")
# What would begin a list, a rule or a heading's underline; only at the start of a line.
_LEADING = re.compile(r"^(\d*)([-+=.)])")
# GitHub looks for these in the finished page, where an entity has become the character again.
_LINKED = re.compile(r"@|#|:(?=[\w/+-])|www(?=\.)|GH-(?=\d)", re.IGNORECASE)
_APART = "\u200b"
"""A space of no width."""


def inert(text: str, limit: int = 300) -> str:
    """One line of prose of at most `limit` characters, safe in a paragraph, a heading, a table's cell and in HTML.

    >>> inert("a *b* <c> @d")
    'a &#42;b&#42; &#60;c&#62; &#64;\\u200bd'
    """
    apart = _LINKED.sub(lambda found: found[0] + _APART, _line(text, limit) or "–")
    escaped = _MARKUP.sub(lambda found: f"&#{ord(found[0])};", apart)
    return _LEADING.sub(lambda found: f"{found[1]}&#{ord(found[2])};", escaped)


def code(text: str, limit: int = 300, cell: bool = False) -> str:
    """One line of code; `cell` when it is in a table, where a bar would end the cell."""
    shown = _line(text, limit) or "–"
    if cell:
        # A backslash before a bar would take the bar's own backslash for itself.
        shown = shown.replace("\\|", f"\\{_APART}|").replace("|", "\\|")
    ticks = "`" * (_longest_run(shown) + 1)
    space = " " if "`" in (shown[0], shown[-1]) or ticks != "`" else ""
    return f"{ticks}{space}{shown}{space}{ticks}"


def fence(text: str, limit: int = 3000) -> str:
    """A block of code with the text's lines."""
    shown = _cut("\n".join(_CONTROL.sub("\ufffd", line) for line in re.split("\r\n|\r|\n", text)).replace("\t", "    "), limit)
    ticks = "`" * max(3, _longest_run(shown) + 1)
    return f"{ticks}text\n{shown}\n{ticks}"


def _line(text: str, limit: int) -> str:
    return _cut(" ".join(_CONTROL.sub(" ", text).split()), limit)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
