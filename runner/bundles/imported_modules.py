"""What the files of journeys import, read from their source: modules of the project, and packages that are installed.

Imports inside functions count too. What a file imports by a name that it computes is not found: `bundle_include` and
`bundle_requires` name that.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct, field

from runner.dsl.project_imports import OWN, find_installed, list_import_folders


class ImportedModules(Struct):
    """The modules that files import, directly or through each other."""

    files: set[Path] = field(default_factory=set)
    """Modules of the project, with the files themselves."""
    folders: set[Path] = field(default_factory=set)
    """Packages of the project, which may read their own files."""
    installed: set[str] = field(default_factory=set)
    """Top-level names of modules that are installed, apart from Python's and this program's."""


def find_imports(files: Iterable[Path], root: Path) -> ImportedModules:
    """What the files import, and what that imports. Modules above `root` are not the project's."""
    found = ImportedModules()
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file in found.files:
            continue
        found.files.add(file)
        for name, base in _list_names(file):
            folders = [base] if base else [one for one in list_import_folders(file.parent) if one.is_relative_to(root)]
            waiting += _find_module(name, folders, found, relative=base is not None)
    return found


def _find_module(name: str, folders: Iterable[Path], found: ImportedModules, relative: bool) -> Iterator[Path]:
    """The files of a module of the project; notes the package that it is in, or that it is installed."""
    top = name.partition(".")[0]
    if not relative:
        if top in sys.stdlib_module_names or top in OWN:
            return
        installed = find_installed(top)
        if installed is not None:
            found.installed.add(top)
            if installed.origin is not None:
                return
    for folder in folders:
        if (folder / top).is_dir():
            found.folders.add(folder / top)
            yield from sorted((folder / top).rglob("*.py"))
        if (folder / f"{top}.py").is_file():
            yield folder / f"{top}.py"


def _list_names(file: Path) -> Iterator[tuple[str, Path | None]]:
    """The dotted names that a file imports, with the folder in which a relative one is looked for."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        # Discovery says what is wrong with a journey's file; another one is not run.
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((one.name, None) for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or "", None
        elif isinstance(node, ast.ImportFrom) and len(file.parents) > node.level:
            base = file.parents[node.level - 1]
            yield from ((node.module or one.name, base) for one in node.names)
