"""From files and folders to journeys, or to one error that names every problem with its file and line."""

import importlib.util
import linecache
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from inspect import isfunction
from pathlib import Path
from types import CodeType, ModuleType
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from runner.dsl.journey import Journey
from runner.errors import DiscoveryError

EXAMPLE = "declare one with `@journey` from `runner`, as `journey init` and docs/journeys.md show"


class Problem(Struct, frozen=True):
    """A path without usable journeys: it does not exist (`missing`), cannot be imported (`broken`) or declares none (`empty`)."""

    path: Path
    kind: Literal["missing", "broken", "empty"]
    message: str


class Discovery:
    """The journeys in files and folders, and what is wrong with these; each file is loaded once."""

    def __init__(self, load: Callable[[Path], tuple[Journey, ...]] | None = None) -> None:
        """`load` replaces `load_journeys`; it raises DiscoveryError for a file that cannot be used."""
        self._load = load or load_journeys
        self._by_file: dict[Path, tuple[Journey, ...]] = {}
        self._problems: dict[Path, Problem] = {}

    @property
    def journeys(self) -> tuple[Journey, ...]:
        """All journeys found so far, in the order of the files, then of the lines."""
        return tuple(journey for journeys in self._by_file.values() for journey in journeys)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the paths searched so far."""
        return tuple(self._problems.values())

    def search(self, path: Path) -> tuple[tuple[Journey, ...], bool]:
        """The journeys in a file or (searched deeply) a folder, and whether they are all: no file is missing or broken.

        Files and folders whose names begin with `_` or `.` are left out.
        """
        if not path.exists():
            message = f"{path}: no such file or folder; name an existing one, or put your journeys there"
            self._problems[path] = Problem(path, "missing", message)
            return (), False
        files = [file.resolve() for file in (files_in(path) if path.is_dir() else [path])]
        for file in files:
            self._load_once(file)
        found = tuple(journey for file in dict.fromkeys(files) for journey in self._by_file.get(file, ()))
        complete = all(file in self._by_file for file in files)
        if complete and not found:
            self._problems[path] = Problem(path, "empty", f"{path}: holds no journeys; {EXAMPLE}")
        return found, complete

    def _load_once(self, file: Path) -> None:
        if file in self._by_file or file in self._problems:
            return
        try:
            self._by_file[file] = self._load(file)
        except DiscoveryError as error:
            self._problems[file] = Problem(file, "broken", str(error))


def discover(paths: Sequence[Path]) -> tuple[Journey, ...]:
    """All journeys in the given files and folders, by file, then line. Raises DiscoveryError with all problems, one a line."""
    discovery = Discovery()
    for path in paths:
        discovery.search(path)
    require_usable(discovery)
    return discovery.journeys


def require_usable(discovery: Discovery) -> None:
    """Raises DiscoveryError when a path has a problem or two journeys share a name; it has all problems, one a line."""
    problems = [*(problem.message for problem in discovery.problems), *same_names(discovery.journeys)]
    if problems:
        raise DiscoveryError("\n".join(problems))


def files_in(folder: Path) -> Iterator[Path]:
    """The files below a folder that may hold journeys, sorted."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(("_", ".")):
            continue
        if path.is_dir():
            yield from files_in(path)
        elif path.suffix == ".py":
            yield path


def same_names(journeys: Sequence[Journey]) -> Iterator[str]:
    """What to say about each journey whose name an earlier one has."""
    first: dict[str, Journey] = {}
    for one in journeys:
        other = first.setdefault(one.name, one)
        if other is not one:
            yield f"{one.where}: a journey named {one.name!r} is declared here and at {other.where}; rename one of them"


class _Text(SourceFileLoader):
    """Imports a file from a text, whatever the file contains by now."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 (the protocol's)
        """The code of the text. No compiled file is used: it would be that of another text."""
        linecache.cache[self.path] = (len(self._text), None, self._text.splitlines(keepends=True), self.path)
        return self.source_to_code(self._text.encode(), self.path)


def load_journeys(file: Path, text: str | None = None) -> tuple[Journey, ...]:
    """The journeys that one file declares itself, by line; `text` is run instead of the file's content.

    Raises DiscoveryError when it cannot be imported.
    """
    return declared_journeys(import_file(file, text))


def import_file(file: Path, text: str | None = None) -> ModuleType:
    """Imports a file again, under a module name of its own. Raises DiscoveryError when it cannot be imported."""
    file = file.resolve()
    name = f"_journeys_{file.stem}_{sha256(str(file).encode()).hexdigest()[:12]}"
    loader = None if text is None else _Text(name, str(file), text)
    spec = importlib.util.spec_from_file_location(name, file, loader=loader)
    if spec is None or spec.loader is None:
        raise DiscoveryError(f"{file}: is not a Python file; name one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _importing_from(file.parent):
            spec.loader.exec_module(module)
    except DiscoveryError:
        raise
    except (Exception, SystemExit) as error:
        raise DiscoveryError(_import_problem(file, error)) from error
    return module


def declared_journeys(module: ModuleType) -> tuple[Journey, ...]:
    """The journeys that a module declares itself, by line. Raises DiscoveryError when the option signed_in_by of one is wrong."""
    functions = dict.fromkeys(
        value for value in vars(module).values() if isfunction(value) and value.__module__ == module.__name__
    )
    own = [one.__journey__ for one in functions if hasattr(one, "__journey__")]
    return _with_sign_in(sorted(own, key=lambda one: one.line))


def _with_sign_in(journeys: list[Journey]) -> tuple[Journey, ...]:
    """The journeys of one file; a journey that is signed in by another needs the secrets of that one too."""
    named = {one.name: one for one in journeys}
    joined = []
    for one in journeys:
        name = one.options.signed_in_by
        setup = named.get(name) if name else None
        if name and (setup is None or setup is one or setup.options.signed_in_by):
            others = [other.name for other in journeys if other is not one and not other.options.signed_in_by]
            raise DiscoveryError(
                f"{one.where}: option signed_in_by: {name!r} is not a journey of this file that signs in by itself; "
                f"{suggest(name, others)}"
            )
        joined.append(replace(one, secret_names=(*setup.secret_names, *one.secret_names)) if setup else one)
    return tuple(joined)


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    # The folder stays on the path while the process lives: a journey may import its neighbour only when it runs.
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    yield


def _import_problem(file: Path, error: BaseException) -> str:
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == str(file) else None
    if line is None:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
        line = lines[-1] if lines else 1
    return f"{file}:{line}: cannot be imported: {type(error).__name__}: {error}"


def suggest(word: str, known: Sequence[str]) -> str:
    """Which of the known names may have been meant; all of them if none is close."""
    close = get_close_matches(word, known, 3)
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    return f"there are: {', '.join(known)}" if known else "there are none"
