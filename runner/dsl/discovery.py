"""From files and folders to journeys, or to one error that names every problem with its file and line."""

import importlib.util
import linecache
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from inspect import isfunction
from pathlib import Path
from types import CodeType, ModuleType

from msgspec.structs import replace

from runner.dsl.journey import Journey, noted_declarations
from runner.dsl.project_imports import enter_folder, package_of
from runner.errors import DiscoveryError
from runner.installation import journey_command

EXAMPLE = "declare one with `@journey` from `runner`, as `journey init` and docs/journeys.md show"


class NotAllDiscovered(DiscoveryError):
    """Some journeys cannot be loaded; `found` has the others."""

    def __init__(self, problems: Sequence[str], found: Sequence[Journey]) -> None:
        super().__init__("\n".join(problems))
        self.found = tuple(found)


def discover(paths: Sequence[Path]) -> tuple[Journey, ...]:
    """All journeys in the given files and folders (searched deeply), by file, then line.

    Files and folders whose names begin with `_` or `.` are left out. Raises NotAllDiscovered with all problems, one per line.
    """
    problems: list[str] = []
    found: list[Journey] = []
    for path in paths:
        files = list(files_in(path)) if path.is_dir() else [path]
        if not path.exists():
            problems.append(
                f"{path}: no such file or folder; begin a project with `{journey_command('init')}`, or name another"
            )
            continue
        before = len(found), len(problems)
        for file in dict.fromkeys(files):
            try:
                known = {one.key for one in found}
                found.extend(one for one in load(file) if one.key not in known)
            except DiscoveryError as error:
                problems.append(str(error))
        if (len(found), len(problems)) == before:
            problems.append(f"{path}: holds no journeys; {EXAMPLE}")
    problems.extend(_same_names(found))
    if problems:
        raise NotAllDiscovered(problems, found)
    return tuple(found)


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
        elif path.suffix == ".py":
            yield path


def _same_names(journeys: Sequence[Journey]) -> Iterator[str]:
    first: dict[str, Journey] = {}
    for one in journeys:
        other = first.setdefault(one.name, one)
        if other is not one:
            yield f"{one.where}: a journey named {one.name!r} is declared here and at {other.where}; rename one of them"


class _Text(SourceFileLoader):
    """Imports a file as it was, whatever stands there by now."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 (the protocol's)
        """The code of the text; without a file of compiled code, which would be the one of another text."""
        linecache.cache[self.path] = (len(self._text), None, self._text.splitlines(keepends=True), self.path)
        return self.source_to_code(self._text.encode(), self.path)


def load(file: Path, text: str | None = None) -> tuple[Journey, ...]:
    """The journeys that one file declares itself, by line; `text` is run in place of what stands there.

    Raises DiscoveryError when it cannot be imported.
    """
    return declared(imported(file, text))


DECLARED = "__journeys_declared__"
"""The attribute of a module with every journey that was declared while it was imported."""


def imported(file: Path, text: str | None = None) -> ModuleType:
    """The module of a file, imported anew under a name of its own. Raises DiscoveryError when it cannot be imported."""
    file = file.resolve()
    name = f"_journeys_{file.stem}_{sha256(str(file).encode()).hexdigest()[:12]}"
    package = package_of(file.parent)
    name = f"{package}.{name}" if package else name
    loader = None if text is None else _Text(name, str(file), text)
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


def declared(module: ModuleType) -> tuple[Journey, ...]:
    """The journeys that a module declares itself, by line.

    Raises DiscoveryError for one that names no way to sign in, and for one that was declared but cannot be reached by a name of the
    module: it would never run, and nobody would know.
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
    """The journey that a name of a module stands for; None for one that another file declares.

    A decorator above `@journey` that uses `functools.wraps` is part of the journey. One that a factory of a helper module made
    belongs to the file that asked for it.
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
    return journey if journey.function is value else replace(journey, function=value)


def _lost(lost: Journey, kept: Sequence[Journey], module: ModuleType) -> str:
    """What to say of a journey that was declared but that no name of its module stands for."""
    name = lost.function.__name__
    again = [one for one in kept if one.function.__name__ == name and one.line > lost.line]
    if again:
        return f"{lost.where}: the function {name!r} is defined again in line {again[0].line}, which replaces this one; rename one of them"
    if callable(vars(module).get(name)):
        return (
            f"{lost.where}: what stands above @journey hides the journey {lost.name!r}; "
            "put @journey on top, or use functools.wraps in that decorator"
        )
    return (
        f"{lost.where}: no name of the file stands for the journey {lost.name!r}; declare it at the top level of the file, "
        f"or assign it there, such as `{lost.name if lost.name.isidentifier() else 'buy'} = make(…)`"
    )


def _with_sign_in(journeys: list[Journey]) -> tuple[Journey, ...]:
    """The journeys of one file, each that is signed in by another with that one's secrets among its own."""
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
                f"{_close(name, others)}"
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
        hint = f"; the folder {file.parent.name!r} cannot be a package, as its name is no Python name: write `import pages` without the dot"
    elif isinstance(error, ModuleNotFoundError) and error.name:
        hint = f"; install it, or put {error.name.partition('.')[0]}.py beside the journey or in a folder above it"
    return f"{file}:{line}: cannot be imported: {type(error).__name__}: {error}{hint}"


def select(journeys: Sequence[Journey], wanted: Sequence[str], tags: Sequence[str] = ()) -> tuple[Journey, ...]:
    """Those of the wanted names (`*` and `?` match), in their order, and, if tags are given, of any of these tags.

    Raises DiscoveryError for a name or a tag that no journey has.
    """
    names = [one.name for one in journeys]
    for pattern in wanted:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise DiscoveryError(unknown_name(pattern, names))
    chosen = [one for pattern in wanted or ["*"] for one in journeys if fnmatchcase(one.name, pattern)]
    chosen = list({one.key: one for one in chosen}.values())
    known_tags = {tag for one in journeys for tag in one.options.tags}
    for tag in tags:
        if tag not in known_tags:
            raise DiscoveryError(unknown_tag(tag, known_tags))
    return tuple(one for one in chosen if not tags or set(tags) & set(one.options.tags))


def _close(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word, known, 3)
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    return f"there are: {', '.join(known)}" if known else "there are none"


def selectors(wanted: Sequence[str], folders: Sequence[Path]) -> tuple[tuple[Path, str], ...]:
    """The words of a command line, each as files or folders to look in and the pattern of the names wanted there.

    A word is a path, a path with a name (`journeys/buy.py::buy`, as in pytest), or a name among the journeys in `folders`; no word
    at all means every journey in `folders`.
    """
    found: list[tuple[Path, str]] = []
    for word in wanted:
        path, separator, name = word.partition("::")
        if separator:
            found.append((Path(path), name))
        elif is_path(word):
            found.append((Path(word), "*"))
        else:
            found += [(folder, word) for folder in folders]
    return tuple(found) if wanted else tuple((folder, "*") for folder in folders)


def unknown_name(word: str, known: Sequence[str]) -> str:
    """What to say of a name that no journey has."""
    return f"no journey is named {word!r}; {_close(word, known)}"


def unknown_tag(tag: str, known: Iterable[str]) -> str:
    """What to say of a tag that no journey has."""
    return f"no journey has the tag {tag!r}; {_close(tag, sorted(known))}"


def find(wanted: Sequence[str], tags: Sequence[str], folders: Sequence[Path]) -> tuple[Journey, ...]:
    """The journeys for the words of a command line, each once.

    A word is a path, a path with a name (`journeys/buy.py::buy`, as in pytest), or a name among the journeys in `folders`.
    Raises DiscoveryError as `discover` and `select` do.
    """
    paths = [Path(word) for word in wanted if is_path(word)]
    names = [word for word in wanted if not is_path(word) and "::" not in word]
    found: list[Journey] = list(discover(paths)) if paths else []
    for path, _, name in (word.partition("::") for word in wanted if "::" in word):
        found.extend(select(discover([Path(path)]), [name]))
    if names or not wanted:
        found.extend(select(discover(folders), names))
    chosen = list({one.key: one for one in found}.values())
    problems = list(_same_names(chosen))
    if problems:
        raise DiscoveryError("\n".join(problems))
    return select(chosen, (), tags)


def is_path(word: str) -> bool:
    """Whether a word of the command line names a file or folder, not a journey."""
    return "::" not in word and ("/" in word or word.endswith(".py") or Path(word).is_dir())
