"""What a journey file may import beside itself: the modules of its folder, and of the folders up to the project's root.

Each journey file is imported with the project's modules that *it* sees, as pytest would with one process a folder: `shop/helpers.py`
and `blog/helpers.py` never meet, and a helper that was changed since is read again. Modules of the standard library and of what is
installed always win over the project's, since the runner imports them too: a `types.py` or `psutil.py` in a folder of journeys
harms nothing. What is installed under one name by several distributions (a namespace package, such as `google`) has room for the
project's part too: `google/mine.py` is found beside `google.protobuf`, and where both have a module, the installed one is.
"""

import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType

ROOT_FILES = ("journey.toml", "pyproject.toml", ".git", "journey-bundle.json")
"""A folder with one of these is the root of a project."""

FILES = "_journeys_"
"""How the names begin under which journey files are imported."""
OWN = ("runner", "reports")
"""The packages of this tool."""
_SOURCE = Path(__file__).resolve().parents[2]
"""Where `runner` and `reports` lie; in a clone beside folders that have nothing to do with the user's project."""


class ProjectFinder(MetaPathFinder):
    """Finds top-level modules in the folders that the current journey file sees, and the project's parts of namespace packages."""

    def __init__(self) -> None:
        self.folders: tuple[Path, ...] = ()
        self._found: set[str] = set()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002 (the protocol's)
    ) -> ModuleSpec | None:
        """The spec of a module of the project that nothing installed is called like; None for all others."""
        top = fullname.partition(".")[0]
        if not self.folders or top in sys.stdlib_module_names or top in OWN:
            return None
        return self._find_top(fullname) if path is None else self._find_part(fullname, path)

    def has_found(self, name: str) -> bool:
        """Whether a module was found in the current folders."""
        return name in self._found or any(name.startswith(f"{one}.") for one in self._found)

    def _find_top(self, name: str) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, [str(folder) for folder in self.folders])
        known = any(one.startswith(f"{name}.") for one in sys.modules)
        installed = find_installed(name) if spec is not None or known else None
        if installed is not None:
            if installed.origin is not None or (spec is not None and spec.submodule_search_locations is None):
                return None
            spec = _join_parts(installed, spec)
            if spec.origin is None:
                return spec
        if spec is not None:
            self._found.add(name)
        return spec

    def _find_part(self, fullname: str, path: Sequence[str]) -> ModuleSpec | None:
        """A module of the project in a package that is installed in parts and has no such module."""
        parent = fullname.rpartition(".")[0]
        if not is_in_parts(sys.modules.get(parent)) or PathFinder.find_spec(fullname, path) is not None:
            return None
        spec = PathFinder.find_spec(fullname, [str(folder.joinpath(*parent.split("."))) for folder in self.folders])
        if spec is not None:
            self._found.add(fullname)
        return spec

    def enter(self, folder: Path) -> None:
        """From now on `folder` is where imports look; what was imported for another file is forgotten."""
        before, self.folders = self.folders, list_import_folders(folder)
        known = list(sys.modules.copy().items())
        found = [name for name, _ in known if self.has_found(name)] if self._found else []
        for name in [name for name in found if _is_of(sys.modules[name], before)]:
            _forget(name)
        for name, module in known:
            if "." not in name and is_in_parts(module) and any((one / name / "__init__.py").is_file() for one in self.folders):
                sys.modules.pop(name, None)  # the project's package takes its place, with its parts
        self._found.clear()
        # A file that was written within the same second as the folder was last read would not be seen.
        for path in self.folders:
            sys.path_importer_cache.pop(str(path), None)


class _PackageInParts(SourceFileLoader):
    """Imports a package to which several folders contribute; its `__init__.py` (`path`) can be the project's, or there is none."""

    def exec_module(self, module: ModuleType) -> None:
        """Runs the project's `__init__.py`, after what was imported of the package for another file has been put in it."""
        for name, part in list(sys.modules.copy().items()):
            parent, _, last = name.rpartition(".")
            if parent == self.name:
                setattr(module, last, part)
        if self.path:
            super().exec_module(module)


def _join_parts(installed: ModuleSpec, own: ModuleSpec | None) -> ModuleSpec:
    """The spec of a package of which several distributions have installed parts, with the project's `__init__.py` if it has one."""
    path = (own.origin if own else None) or ""
    spec = ModuleSpec(installed.name, _PackageInParts(installed.name, path), origin=path or None, is_package=True)
    spec.has_location = bool(path)
    folders = own.submodule_search_locations if own and path else None
    spec.submodule_search_locations = [*(installed.submodule_search_locations or ()), *(folders or ())]
    return spec


def is_in_parts(module: ModuleType | None) -> bool:
    """Whether it is a namespace package, to which several folders contribute."""
    facts = getattr(module, "__dict__", {})  # not by attribute: a module may make its attributes when they are asked for
    return "__path__" in facts and facts.get("__file__") is None


def _is_of(module: ModuleType, folders: Sequence[Path]) -> bool:
    """Whether it was imported from one of these folders."""
    places = [getattr(module, "__file__", None) or "", *getattr(module, "__path__", ())]
    return any(Path(place).is_relative_to(folder) for place in places if place for folder in folders)


def _forget(name: str) -> None:
    module = sys.modules.pop(name)
    parent, _, last = name.rpartition(".")
    if vars(sys.modules.get(parent, module)).get(last) is module:
        delattr(sys.modules[parent], last)


_finder = ProjectFinder()


def is_of_project(name: str) -> bool:
    """Whether a module of this name is a journey file, or was imported from the project for it."""
    return name.rpartition(".")[2].startswith(FILES) or _finder.has_found(name)


def explain_missing(error: ImportError) -> str:
    """What to do about a module that was not found, or that lacks a name."""
    top, _, part = (error.name or "").partition(".")
    files = any((one / f"{top}.py").is_file() for one in _finder.folders)
    folders = any((one / top).is_dir() for one in _finder.folders)
    spec = find_installed(top) if top else None
    if top in sys.stdlib_module_names:
        place = "a module of Python"
    elif top in OWN:
        place = "a package of this tool"
    elif spec is None:
        place = ""
    elif spec.origin is not None:
        place = "an installed package"
    else:
        place, folders = "an installed package in several parts", False
        if not files:
            what = part or getattr(error, "name_from", "")
            return f"; {top!r} is {place}, none of which has {what!r}, nor has the project"
    if place and (files or folders or top in sys.stdlib_module_names):
        return f"; {top!r} is {place}, which takes precedence: rename the one of the project"
    if place or not isinstance(error, ModuleNotFoundError):
        return ""
    return f"; install it, or put {top}.py beside the journey or in a folder above it"


def enter_folder(folder: Path) -> None:
    """Imports of the project's modules look in `folder` and above it, from now on; a journey may import when it runs, too."""
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    _finder.enter(folder)


def list_import_folders(folder: Path) -> tuple[Path, ...]:
    """Where the imports of a file in `folder` look for modules of the project."""
    return (folder, *_list_up_to_root(folder))


def package_of(folder: Path) -> str:
    """The dotted package that a file of `folder` belongs to, for `from .pages import …`; empty where there can be none."""
    names = [folder.name]
    above = folder.parent
    while (above / "__init__.py").is_file() and (above / names[0] / "__init__.py").is_file():
        names.insert(0, above.name)
        above = above.parent
    return ".".join(names) if all(name.isidentifier() for name in names) else ""


def find_installed(name: str) -> ModuleSpec | None:
    """The spec of an installed top-level module. None where nothing of that name is installed."""
    working = Path.cwd() if _exists_cwd() else None
    folders = [
        one for one in sys.path if one and Path(one) != _SOURCE and Path(one) != working and Path(one) not in _finder.folders
    ]
    return PathFinder.find_spec(name, folders)


def _exists_cwd() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def _list_up_to_root(folder: Path) -> Iterator[Path]:
    """The folders above, up to the root of the project: the working directory, or the first with one of ROOT_FILES."""
    working = Path.cwd() if _exists_cwd() else None
    above = list(folder.parents)
    root = next((one for one in (folder, *above) if one == working or any((one / name).exists() for name in ROOT_FILES)), None)
    if root is None:
        yield folder.parent
    elif root != folder:
        yield from above[: above.index(root) + 1]
