"""Locators as Python code from Playwright or the visitor's browser, accepted only if they consist of known calls."""

import ast
import re
from typing import Any

from msgspec import Struct

from reports.codegen.action import Said
from reports.codegen.rrweb.events import MASKS
from runner.authoring.recorder.code_format import flat, quoted

METHODS = {
    *("get_by_role", "get_by_text", "get_by_label", "get_by_placeholder", "get_by_alt_text", "get_by_title", "get_by_test_id"),
    *("locator", "filter", "nth", "frame_locator", "and_", "or_"),
}
PROPERTIES = {"first", "last", "content_frame"}
MOST = 3
"""Candidates that are kept."""


class Candidate(Struct, frozen=True):
    """A locator that starts from `page`, and where it comes from."""

    code: str
    source: str
    """`playwright`, `test id`, `noted` (by the visitor's browser), `label`, `placeholder`, `attribute`."""
    checked: bool = True
    """Whether it finds the element, and it alone, in the page as it was rebuilt."""


def parse_locator(code: str) -> ast.expr | None:
    """A locator as an expression; None for code with anything except a locator's methods and plain values.

    A recording was sent by an untrusted browser: this is the only way in which its text becomes code.

    >>> parse_locator('page.get_by_role("link", name="Tea")') is not None
    True
    >>> parse_locator('page.evaluate("1")'), parse_locator("page.locator(open('x'))")
    (None, None)
    """
    try:
        tree = ast.parse(code, mode="eval").body
    except (SyntaxError, ValueError):
        return None
    return tree if _is_locator(tree) else None


def _is_locator(node: ast.expr) -> bool:
    match node:
        case ast.Name(id="page"):
            return True
        case ast.Attribute(value=value, attr=name):
            return name in PROPERTIES and _is_locator(value)
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=given, keywords=named):
            plain = all(_is_plain(one) for one in (*given, *(one.value for one in named)))
            return name in METHODS and plain and all(one.arg for one in named) and _is_locator(value)
    return False


def _is_plain(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr="compile"), args=given, keywords=[]):
            return all(isinstance(one, ast.Constant) or ast.unparse(one) == "re.IGNORECASE" for one in given)
    return _is_locator(node)


def apply_locator(tree: ast.expr, page: Any) -> Any:
    """The locator that a known expression stands for, when `page` does for the page."""
    match tree:
        case ast.Name(id="page"):
            return page
        case ast.Attribute(value=value, attr=name):
            return getattr(apply_locator(value, page), name)
        case ast.Call(func=ast.Attribute(attr="compile"), args=[ast.Constant(value=text), *flags]):
            return re.compile(str(text), re.IGNORECASE if flags else 0)
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=given, keywords=named):
            keywords = {str(one.arg): apply_locator(one.value, page) for one in named}
            return getattr(apply_locator(value, page), name)(*(apply_locator(one, page) for one in given), **keywords)
        case ast.Constant(value=value):
            return value
    raise ValueError(f"{ast.unparse(tree)} is not a locator")


def locator_from_page(normalized: str, frames: str) -> str | None:
    """What Playwright wrote for an element in the frame of the rebuilt page, as a locator that starts from the page itself."""
    if not normalized.startswith(frames):
        return None
    tree = parse_locator(f"page{normalized.removeprefix(frames)}")
    return flat(tree) if tree is not None and isinstance(tree, ast.Call | ast.Attribute) else None


def is_masked(code: str) -> bool:
    """Whether it contains a masked text.

    >>> is_masked('page.get_by_role("button", name="*** ****")'), is_masked('page.get_by_label("Name *")')
    (True, False)
    """
    texts = [one.value for one in ast.walk(ast.parse(code)) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return any(re.search(rf"[{re.escape(MASKS)}]{{2,}}", text) or (text and not text.strip(MASKS)) for text in texts)


def list_candidates(said: Said) -> list[Candidate]:
    """What the visitor's browser has noted of an element, as locators, the best first."""
    found = []
    if said.test_id:
        found.append(Candidate(f"page.get_by_test_id({quoted(said.test_id)})", "test id"))
        found += [
            Candidate(f"page.locator({quoted(f'[{name}={quoted(said.test_id)}]')})", "test id")
            for name in ("data-test-id", "data-test", "data-qa", "data-cy")
        ]
    if said.role and said.name and re.fullmatch(r"[a-z]+", said.role):
        found.append(Candidate(f"page.get_by_role({quoted(said.role)}, name={quoted(said.name)}, exact=True)", "noted"))
    return [one for one in found if not is_masked(one.code)]
