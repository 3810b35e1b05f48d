"""What a journey file may import beside itself: the modules of its folder, and of the folders up to the project's root.

Each journey file is imported with the project's modules that *it* sees, as pytest would with one process a folder: `shop/helpers.py`
and `blog/helpers.py` never meet, and a helper that was changed since is read again. Modules of the standard library and of what is
installed always win over the project's, since the runner imports them too: a `types.py` or `psutil.py` in a folder of journeys
harms nothing.
"""

import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

ROOT_FILES = ("journey.toml", "pyproject.toml", ".git")
"""A folder with one of these is the root of a project."""

_SOURCE = Path(__file__).resolve().parents[2]
"""Where `runner` and `reports` lie; in a clone beside folders that have nothing to do with the user's project."""


class ProjectFinder(MetaPathFinder):
    """Finds top-level modules in the folders that the current journey file sees; the parts of a package are found by Python's own."""

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
        if path is not None or not self.folders or fullname in sys.stdlib_module_names or fullname in {"runner", "reports"}:
            return None
        spec = PathFinder.find_spec(fullname, [str(folder) for folder in self.folders])
        if spec is None or PathFinder.find_spec(fullname, _installed()) is not None:
            return None
        self._found.add(fullname)
        return spec

    def enter(self, folder: Path) -> None:
        """From now on `folder` is where imports look; what was imported for another file is forgotten."""
        self.folders = (folder, *_up_to_root(folder))
        for name in list(sys.modules):
            if name.partition(".")[0] in self._found:
                del sys.modules[name]
        self._found.clear()
        # A file that was written within the same second as the folder was last read would not be seen.
        for path in self.folders:
            sys.path_importer_cache.pop(str(path), None)


_finder = ProjectFinder()


def enter_folder(folder: Path) -> None:
    """Imports of the project's modules look in `folder` and above it, from now on; a journey may import when it runs, too."""
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    _finder.enter(folder)


def package_of(folder: Path) -> str:
    """The dotted package that a file of `folder` belongs to, for `from .pages import …`; empty where there can be none."""
    names = [folder.name]
    above = folder.parent
    while (above / "__init__.py").is_file() and (above / names[0] / "__init__.py").is_file():
        names.insert(0, above.name)
        above = above.parent
    return ".".join(names) if all(name.isidentifier() for name in names) else ""


def _installed() -> list[str]:
    working = Path.cwd() if _exists_cwd() else None
    return [
        one for one in sys.path if one and Path(one) != _SOURCE and Path(one) != working and Path(one) not in _finder.folders
    ]


def _exists_cwd() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def _up_to_root(folder: Path) -> Iterator[Path]:
    """The folders above, up to the root of the project: the working directory, or the first with one of ROOT_FILES."""
    working = Path.cwd() if _exists_cwd() else None
    above = list(folder.parents)
    root = next((one for one in (folder, *above) if one == working or any((one / name).exists() for name in ROOT_FILES)), None)
    if root is None:
        yield folder.parent
    elif root != folder:
        yield from above[: above.index(root) + 1]
