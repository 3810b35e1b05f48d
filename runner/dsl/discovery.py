"""From files and folders to journeys, or to one error that names every problem with its file and line."""

import importlib.util
import linecache
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from inspect import isfunction
from pathlib import Path
from types import CodeType, ModuleType
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from runner.dsl.journey import Journey, noted_declarations
from runner.dsl.project_imports import FILES, enter_folder, explain_missing, package_of
from runner.errors import DiscoveryError
from runner.installation import journey_command

EXAMPLE = "declare one with `@journey` from `runner`, as `journey init` and docs/journeys.md show"


class NotAllDiscovered(DiscoveryError):
    """Some journeys cannot be loaded; `found` has the others."""

    def __init__(self, problems: Sequence[str], found: Sequence[Journey]) -> None:
        super().__init__("\n".join(problems))
        self.found = tuple(found)


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
            message = f"{path}: no such file or folder; begin a project with `{journey_command('init')}`, or name another"
            self._problems[path] = Problem(path, "missing", message)
            return (), False
        given = list(files_in(path)) if path.is_dir() else [path]
        for one in given:
            problem = _find_unreadable(one)
            if problem:
                self._problems[one.resolve()] = Problem(one, "broken", problem)
        files = [one.resolve() for one in given]
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
    """All journeys in the given files and folders, by file, then line. Raises NotAllDiscovered with all problems, one per line."""
    discovery = Discovery()
    for path in paths:
        discovery.search(path)
    require_usable(discovery)
    return discovery.journeys


def require_usable(discovery: Discovery) -> None:
    """Raises NotAllDiscovered when a path has a problem or two journeys share a name; it has all problems, one per line."""
    problems = [*(problem.message for problem in discovery.problems), *same_names(discovery.journeys)]
    if problems:
        raise NotAllDiscovered(problems, discovery.journeys)


def files_in(folder: Path) -> Iterator[Path]:
    """The files below a folder that may hold journeys, sorted. `conftest.py` is pytest's; a folder is entered once, links included."""
    yield from _files_in(folder, {*folder.resolve().parents})


def _files_in(folder: Path, entered: set[Path]) -> Iterator[Path]:
    entered.add(folder.resolve())
    for path in sorted(folder.iterdir()):
        if path.name.startswith(("_", ".")) or path.name == "conftest.py":
            continue
        if path.is_dir():
            if path.resolve() not in entered:
                yield from _files_in(path, entered)
        elif path.suffix == ".py" and (path.is_file() or path.is_symlink()):
            yield path


def _find_unreadable(path: Path) -> str | None:
    """The message about a path that is not a file, such as a link that leads nowhere; reading a pipe would wait forever."""
    if path.is_file():
        return None
    if path.is_symlink():
        return f"{path}: is a link to {path.readlink()}, which is not a file; remove it, or point it to one"
    return f"{path}: is not a regular file; name a file with journeys, or a folder"


def same_names(journeys: Sequence[Journey]) -> Iterator[str]:
    """What to say about each journey whose name an earlier one has."""
    first: dict[str, Journey] = {}
    for one in journeys:
        other = first.setdefault(one.name, one)
        if other is not one:
            yield f"{one.where}: a journey named {one.name!r} is declared here and at {other.where}; rename one of them"


class _EarlierSource(SourceFileLoader):
    """Imports a file with the text that it had earlier."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 (the protocol's)
        """The code of the text; not from a cached `.pyc`, which belongs to another text."""
        linecache.cache[self.path] = (len(self._text), None, self._text.splitlines(keepends=True), self.path)
        return self.source_to_code(self._text.encode(), self.path)


def load_journeys(file: Path, text: str | None = None) -> tuple[Journey, ...]:
    """The journeys that one file declares itself, by line; `text` is run in place of its content.

    Raises DiscoveryError when it cannot be imported.
    """
    return list_declared(import_file(file, text))


DECLARED = "__journeys_declared__"
"""The attribute of a module with every journey that was declared while it was imported."""


def import_file(file: Path, text: str | None = None) -> ModuleType:
    """The module of a file, imported again under a unique name. Raises DiscoveryError when it cannot be imported."""
    file = file.resolve()
    name = f"{FILES}{file.stem}_{sha256(str(file).encode()).hexdigest()[:12]}"
    package = package_of(file.parent)
    name = f"{package}.{name}" if package else name
    loader = None if text is None else _EarlierSource(name, str(file), text)
    spec = importlib.util.spec_from_file_location(name, file, loader=loader)
    if spec is None or spec.loader is None:
        raise DiscoveryError(f"{file}: is not a Python file; name one that ends in .py")
    module = importlib.util.module_from_spec(spec)
    enter_folder(file.parent)
    sys.modules[name] = module
    with noted_declarations() as found:
        try:
            spec.loader.exec_module(module)
        except DiscoveryError as error:
            found.problems.append(str(error))
        except (Exception, SystemExit) as error:
            found.problems.append(_import_problem(file, error))
            raise DiscoveryError("\n".join(found.problems)) from error
    if found.problems:
        raise DiscoveryError("\n".join(found.problems))
    setattr(module, DECLARED, tuple(found.journeys))
    return module


def list_declared(module: ModuleType) -> tuple[Journey, ...]:
    """The journeys that a module declares itself, by line.

    Raises DiscoveryError for a `signed_in_by` that is not valid, and for a journey that no name of the module refers to: it would
    never run, without a message.
    """
    own: dict[int, Journey] = {}
    for value in vars(module).values():
        journey = journey_of(value, module)
        if journey is not None:
            own.setdefault(id(value), journey)
    kept = {id(one.__journey__) for one in vars(module).values() if isfunction(one) and hasattr(one, "__journey__")}
    problems = [
        _lost(lost, list(own.values()), module)
        for lost in getattr(module, DECLARED, ())
        if id(lost) not in kept and lost.function.__module__ == module.__name__
    ]
    if problems:
        raise DiscoveryError("\n".join(problems))
    return _with_sign_in(sorted(own.values(), key=lambda one: (one.line, one.name)))


def journey_of(value: object, module: ModuleType) -> Journey | None:
    """The journey that a name of a module refers to; None for one that another file declares.

    A decorator above `@journey` that uses `functools.wraps` is part of the journey. A decorator that a factory in a helper module made
    belongs to the file that called the factory.
    """
    if not isfunction(value):
        return None
    journey: Journey | None = getattr(value, "__journey__", None)
    if journey is None:
        return None
    if value.__module__ != module.__name__:
        if "<locals>" not in journey.function.__qualname__:
            return None
        journey = replace(journey, file=Path(str(module.__file__)), line=1, step_lines=(1,) * len(journey.step_names))
    return journey if journey.function is value else replace(journey, function=value, unused=())


def _lost(lost: Journey, kept: Sequence[Journey], module: ModuleType) -> str:
    """The message about a declared journey that no name of its module refers to."""
    name = lost.function.__name__
    again = [one for one in kept if one.function.__name__ == name and one.line > lost.line]
    if again:
        return f"{lost.where}: the function {name!r} is defined again in line {again[0].line}, which replaces this one; rename one of them"
    if callable(vars(module).get(name)):
        return (
            f"{lost.where}: the decorator above @journey hides the journey {lost.name!r}; "
            "put @journey on top, or use functools.wraps in that decorator"
        )
    return (
        f"{lost.where}: no name in the file refers to the journey {lost.name!r}; declare it at the top level of the file, "
        f"or assign it there, such as `{lost.name if lost.name.isidentifier() else 'buy'} = make(…)`"
    )


def _with_sign_in(journeys: list[Journey]) -> tuple[Journey, ...]:
    """The journeys of one file; a journey that is signed in by another also needs the secrets of that one."""
    named = {one.name: one for one in journeys}
    joined = []
    problems = []
    for one in journeys:
        name = one.options.signed_in_by
        setup = named.get(name) if name else None
        if name and (setup is None or setup is one or setup.options.signed_in_by):
            others = [other.name for other in journeys if other is not one and not other.options.signed_in_by]
            problems.append(
                f"{one.where}: option signed_in_by: {name!r} is not a journey of this file that signs in by itself; "
                f"{suggest(name, others)}"
            )
        joined.append(replace(one, secret_names=(*setup.secret_names, *one.secret_names)) if setup else one)
    if problems:
        raise DiscoveryError("\n".join(problems))
    return tuple(joined)


def _import_problem(file: Path, error: BaseException) -> str:
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == str(file) else None
    if line is None:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
        line = lines[-1] if lines else 1
    hint = ""
    if isinstance(error, ImportError) and "relative import" in str(error):
        hint = (
            "; write the import without dots: `import pages` finds pages.py beside the journey or in a folder above it"
            if package_of(file.parent)
            else f"; the folder {file.parent.name!r} cannot be a package, as its name is not a Python name: "
            "write `import pages` without the dot"
        )
    elif isinstance(error, ImportError):
        hint = explain_missing(error)
    return f"{file}:{line}: cannot be imported: {type(error).__name__}: {error}{hint}"


def suggest(word: str, known: Sequence[str]) -> str:
    """Which of the known names may have been meant; all of them if none is close."""
    close = get_close_matches(word, known, 3)
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    return f"there are: {', '.join(known)}" if known else "there are none"
