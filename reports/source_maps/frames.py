"""Frames of errors in the original code, and what makes two errors one: their type and the top frames of the site's own code."""

import re
from collections.abc import Sequence
from hashlib import blake2b

import msgspec
from msgspec import Struct

TOP = 2
"""Frames of own code that errors of a group share: more would keep apart what browsers name differently further down."""
THIRD_PARTY = re.compile(
    r"(^|/)(node_modules|bower_components|\.pnpm|vendor)/|^\(?webpack\)?/|^webpack-internal:|^\0|^vite/|^turbopack/"
)
"""Paths of code that others wrote, and of what bundlers add; a map's own `ignoreList` says more (ECMA-426)."""
_BUNDLERS = re.compile(r"^(webpack|turbopack|rollup|vite|parcel|ng|app)://+[^/]*/")
_UPWARDS = re.compile(r"^(\.{0,2}/)+")


class OriginalFrame(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A frame of a stack: where in the served script, and, if a source map says so, where in the original code."""

    script: str
    script_line: int
    script_column: int
    path: str = ""
    """Of the original code; empty if no map has the place."""
    line: int = 0
    column: int = 0
    function: str = ""
    own: bool = True
    """Whether it is the site's own code."""
    code: tuple[str, ...] = ()
    """Lines of the original code around it."""
    first_line: int = 0
    """The number of the first of them."""

    @property
    def code_line(self) -> str:
        """The line itself; empty if the map does not contain the code."""
        place = self.line - self.first_line
        return self.code[place] if self.code and 0 <= place < len(self.code) else ""


_frames = msgspec.json.Decoder(tuple[OriginalFrame, ...])


def read_frames(stored: str | None) -> tuple[OriginalFrame, ...]:
    """The frames of `reasons.original`."""
    return _frames.decode(stored) if stored else ()


def top_frame(frames: Sequence[OriginalFrame]) -> OriginalFrame | None:
    """The innermost frame of the site's own code; if it is not known, the innermost that is; None if no map explains any."""
    known = [one for one in frames if one.path]
    return next((one for one in known if one.own), known[0] if known else None)


def describe_place(frames: Sequence[OriginalFrame]) -> str:
    """Its file and line; empty if no map explains any frame.

    >>> describe_place([OriginalFrame(script="app.js", script_line=1, script_column=9, path="src/pay.ts", line=4)])
    'src/pay.ts:4'
    """
    top = top_frame(frames)
    return f"{top.path}:{top.line}" if top else ""


def clean_path(source: str) -> str:
    """A source of a map without what differs between builds: the bundler's scheme, steps upwards, and queries.

    >>> clean_path("webpack://shop/./src/pay.ts?1a2b"), clean_path("../../src/pay.ts"), clean_path("/home/ci/src/pay.ts")
    ('src/pay.ts', 'src/pay.ts', 'home/ci/src/pay.ts')
    """
    return _UPWARDS.sub("", _BUNDLERS.sub("", source).partition("?")[0])[:500]


def is_third_party(path: str) -> bool:
    """Whether a path is of code that others wrote.

    >>> is_third_party("node_modules/react-dom/index.js"), is_third_party("webpack/bootstrap"), is_third_party("src/vendors.ts")
    (True, True, False)
    """
    return THIRD_PARTY.search(path) is not None


def group_by_frames(app: str, kind: str, frames: Sequence[OriginalFrame]) -> str | None:
    """The group of an error of this type (or kind, if it has none) by its top frames of own code; None if no map explains any frame.

    A frame is its file and its line of code without spaces, not the number of the line: code above it may change.
    """
    known = [one for one in frames if one.path]
    top = [one for one in known if one.own][:TOP] or known[:TOP]
    if not top:
        return None
    places = [f"{one.path}:{''.join(one.code_line.split()) or one.line}" for one in top]
    return blake2b("\n".join((app, "frames", kind, *places)).encode("utf-8", "replace"), digest_size=8).hexdigest()
