"""Which files a bundle holds: the folders of the journeys, what their files import from the project, and what settings add."""

import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct

from runner.bundles.imported_modules import find_imports
from runner.bundles.manifest import MOST_FILES, find_path_problem
from runner.bundles.packages import REQUIREMENTS, lock_packages
from runner.bundles.secret_files import SecretFiles
from runner.dsl.discovery import files_in
from runner.dsl.project_imports import ROOT_FILES
from runner.errors import ConfigError
from runner.settings.settings import Settings

SKIPPED = ("__pycache__", "node_modules")
_ENVIRONMENT = "pyvenv.cfg"
"""A folder with this file holds an environment of Python."""


class BundleContents(Struct, frozen=True, kw_only=True):
    """The files of a bundle, by their paths in it, and where each is."""

    folder: Path
    """The root of the project."""
    files: dict[str, Path]
    left_out: dict[str, str]
    """Files that hold secrets, and why each is left out."""
    packages: dict[str, str]


def list_contents(settings: Settings, start: Path) -> BundleContents:
    """What the bundle of the journeys in the settings holds; `start` is the folder in which the command runs.

    Raises ConfigError when there is nothing to pack, too much, or what cannot be packed.
    """
    for one in settings.journeys:
        if not one.exists():
            raise ConfigError(f"journeys: {one} does not exist; name the folders and files of the journeys")
    root = find_root(settings.journeys, start)
    walk = _Walk(root, settings)
    for one in settings.journeys:
        walk.add(one)
    declared = [file.resolve() for one in settings.journeys for file in (files_in(one) if one.is_dir() else [one])]
    imports = find_imports(declared, root)
    for file in sorted(imports.files):
        walk.add(file)
    for folder in sorted(imports.folders):
        walk.add(folder)
    _add_included(walk, root, settings.bundle_include)
    listed = {one for folder in (root, *settings.journeys) if (one := folder / REQUIREMENTS).is_file()}
    packages = lock_packages(imports.installed, settings.bundle_requires, sorted(listed))
    return _check(BundleContents(folder=root, files=walk.files, left_out=walk.left_out, packages=packages))


def find_root(journeys: Iterable[Path], start: Path) -> Path:
    """The folder that a bundle is made of: the nearest one above all journeys that is the root of a project, or `start`.

    Raises ConfigError when the journeys are in several projects.
    """
    folders = [(one if one.is_dir() else one.parent).resolve() for one in journeys]
    common = Path(os.path.commonpath(folders))
    start = start.resolve()
    for one in (common, *common.parents):
        if one == start or any((one / name).exists() for name in ROOT_FILES):
            return one
    if common == Path(common.anchor):
        raise ConfigError(
            f"journeys: {', '.join(map(str, folders))} have no folder in common, and a bundle is made of one project; "
            "put them in one folder, or use a scheduler for each"
        )
    return common


class _Walk:
    """Collects files, each with the reason to leave it out, and follows links as discovery does."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.files: dict[str, Path] = {}
        self.left_out: dict[str, str] = {}
        self._root = root
        self._skipped = {settings.runs_dir.resolve(), (settings.source_maps_dir or settings.runs_dir).resolve()}
        self._exclude = settings.bundle_exclude
        self._limit = settings.bundle_size
        self._sizes: dict[str, int] = {}
        self._bytes = 0
        self._secret_files = SecretFiles(settings)

    def add(self, path: Path, deliberate: bool = False) -> None:
        """Adds a file, or everything below a folder. What is named deliberately may look like a secret, or be hidden."""
        for file in _files_below(path, self._skipped, set()) if path.is_dir() else [path]:
            self._add_file(file, deliberate)

    def _add_file(self, file: Path, deliberate: bool) -> None:
        for name in self._names(file):
            if name in self.files or any(fnmatchcase(name, pattern) for pattern in self._exclude):
                continue
            self._sizes[name] = file.stat().st_size
            self._bytes += self._sizes[name]
            self._check_size()
            try:
                content = file.read_bytes()
            except OSError as error:
                raise ConfigError(f"{file}: cannot be packed: {error.strerror}; make it readable, or exclude it") from error
            why = "" if deliberate else self._secret_files.explain(file, content)
            if why:
                self.left_out[name] = why
                continue
            self.left_out.pop(name, None)
            self.files[name] = file

    def _check_size(self) -> None:
        """Before a file is read: it may be of any size."""
        if len(self._sizes) > MOST_FILES:
            raise ConfigError(
                f"{self._root}: more than {MOST_FILES} files would be in the bundle; keep the journeys in a folder of their own, "
                "or name what they do not need with bundle_exclude"
            )
        if self._bytes > self._limit:
            largest = sorted(self._sizes, key=lambda name: self._sizes[name], reverse=True)[:3]
            raise ConfigError(
                f"{self._root}: the files of the bundle have more than bundle_size = {self._limit} bytes; the largest are "
                f"{', '.join(f'{name} ({self._sizes[name]})' for name in largest)}: name what journeys do not need with "
                "bundle_exclude, or raise bundle_size"
            )

    def _names(self, file: Path) -> Iterator[str]:
        """The paths of a file in the bundle: as it was found, and where a link leads, since journeys are run from there."""
        places = (Path(os.path.abspath(file)), file.resolve())  # noqa: PTH100 (`absolute` keeps `..`)
        found = dict.fromkeys(one.relative_to(self._root).as_posix() for one in places if one.is_relative_to(self._root))
        if not found:
            raise ConfigError(f"{file}: is outside of {self._root}, of which the bundle is made; move it there")
        yield from found


def _files_below(folder: Path, skipped: set[Path], entered: set[Path]) -> Iterator[Path]:
    """The files in a folder, sorted; hidden ones, caches, runs and environments of Python are left out."""
    real = folder.resolve()
    if real in skipped or real in entered or (folder / _ENVIRONMENT).exists():
        return
    entered.add(real)
    for path in sorted(folder.iterdir()):
        if path.name in SKIPPED or (path.name.startswith(".") and not path.name.startswith(".env")):
            continue
        if path.is_dir():
            yield from _files_below(path, skipped, entered)
        elif path.is_file() and path.suffix != ".pyc":
            yield path


def _add_included(walk: _Walk, root: Path, patterns: Iterable[str]) -> None:
    for pattern in patterns:
        try:
            found = sorted(root.glob(pattern))
        except (ValueError, OSError) as error:
            raise ConfigError(
                f"bundle_include: {pattern[:200]!r} is not a pattern: {error}; write one such as 'data/**/*.csv'"
            ) from error
        if not found:
            raise ConfigError(
                f"bundle_include: {pattern!r} matches no file below {root}; write a path or a pattern relative to it"
            )
        for path in found:
            walk.add(path, deliberate=True)


def _check(contents: BundleContents) -> BundleContents:
    if not contents.files:
        raise ConfigError(f"{contents.folder}: there is no file to pack; name the folders of the journeys with journeys")
    problem = find_path_problem(contents.files)
    if problem:
        raise ConfigError(f"{contents.folder}: {problem}")
    return contents
