"""The journeys in files, found without running the files: for what must be quick and harmless.

Names and tags that are built at run time are not found, nor are journeys in a file that is not valid Python.
"""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from runner.dsl.discovery import files_in


class DeclaredJourney(Struct, frozen=True):
    """A function with `@journey` or `@check` above it."""

    name: str
    file: Path
    line: int
    description: str = ""
    tags: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """File and line, as editors open them."""
        return f"{self.file}:{self.line}"


def find_declared_journeys(paths: Sequence[Path]) -> tuple[DeclaredJourney, ...]:
    """The journeys in files and folders (searched recursively), by file, then line."""
    files = [file for path in paths for file in (files_in(path) if path.is_dir() else [path])]
    return tuple(one for file in dict.fromkeys(files) for one in _in_file(file))


def _in_file(file: Path) -> Iterator[DeclaredJourney]:
    if not file.is_file():
        return
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                options = _options(decorator)
                if options is not None:
                    name, tags = options.get("name", node.name), options.get("tags", ())
                    yield DeclaredJourney(
                        name=name if isinstance(name, str) else node.name,
                        file=file,
                        line=node.lineno,
                        description=(ast.get_docstring(node) or "").partition("\n")[0],
                        tags=tuple(one for one in tags if isinstance(one, str)) if isinstance(tags, list | tuple) else (),
                    )


def _options(decorator: ast.expr) -> dict[str, object] | None:
    """The literal options of `@journey(…)` or `@check(…)`; None for another decorator."""
    match decorator:
        case ast.Name(id="journey" | "check") | ast.Attribute(attr="journey" | "check"):
            return {}
        case ast.Call(func=ast.Name(id="journey" | "check") | ast.Attribute(attr="journey" | "check"), keywords=keywords):
            return {one.arg: _literal(one.value) for one in keywords if one.arg}
    return None


def _literal(node: ast.expr) -> object:
    try:
        value: object = ast.literal_eval(node)
    except ValueError:
        return None
    return value
