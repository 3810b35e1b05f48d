"""From the words of a command line to journeys: names, patterns, paths, tags; the same for every command and the scheduler."""

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct

from runner.dsl.discovery import Discovery, Problem, require_usable, suggest
from runner.dsl.journey import Journey
from runner.errors import DiscoveryError


class Selection(Struct, frozen=True):
    """What the words of a command line select."""

    journeys: tuple[Journey, ...]
    problems: tuple[Problem, ...]
    """What is wrong with the paths that were searched."""
    unknown: tuple[str, ...]
    """A message for each name and tag that no journey has; none where a file is broken, as it may declare what is missed."""


def find(wanted: Sequence[str], tags: Sequence[str], folders: Sequence[Path]) -> tuple[Journey, ...]:
    """The journeys that the words select, as `select` does.

    Raises DiscoveryError with all problems, one per line: also for a file that is broken, two journeys of one name, a name or a tag
    that no journey has.
    """
    discovery = Discovery()
    selection = _select(discovery, wanted, tags, folders)
    require_usable(discovery)
    if selection.unknown:
        raise DiscoveryError("\n".join(selection.unknown))
    return selection.journeys


def select(
    wanted: Sequence[str], tags: Sequence[str], folders: Sequence[Path], load: Callable[[Path], tuple[Journey, ...]]
) -> Selection:
    """The journeys that the words select, in the order of the words, each once; if tags are given, only those with one of them.

    A word is a path, a path with a name (`journeys/buy.py::buy`, as in pytest), or the name of a journey in `folders`, in which `*`
    and `?` match; no word selects every journey in `folders`. `load` loads a file, see Discovery.
    """
    return _select(Discovery(load), wanted, tags, folders)


def _select(discovery: Discovery, wanted: Sequence[str], tags: Sequence[str], folders: Sequence[Path]) -> Selection:
    chosen: list[Journey] = []
    unknown: list[str] = []
    for paths, pattern in [_parse(word, folders) for word in wanted] or [(tuple(folders), "*")]:
        searched = [discovery.search(path) for path in paths]
        known = [journey for journeys, _ in searched for journey in journeys]
        fitting = [journey for journey in known if fnmatchcase(journey.name, pattern)]
        if known and not fitting and all(complete for _, complete in searched):
            unknown.append(unknown_name(pattern, [journey.name for journey in known]))
        chosen += fitting
    known_tags = {tag for journey in discovery.journeys for tag in journey.options.tags}
    if not discovery.problems:
        unknown += [unknown_tag(tag, known_tags) for tag in tags if tag not in known_tags]
    distinct = {id(journey): journey for journey in chosen}.values()
    return Selection(
        tuple(journey for journey in distinct if not tags or set(tags) & set(journey.options.tags)),
        discovery.problems,
        tuple(dict.fromkeys(unknown)),
    )


def searched_paths(wanted: Sequence[str], folders: Sequence[Path]) -> tuple[Path, ...]:
    """The files and folders that `select` searches for these words, each once."""
    return tuple(dict.fromkeys(path for word in wanted for path in _parse(word, folders)[0])) if wanted else tuple(folders)


def _parse(word: str, folders: Sequence[Path]) -> tuple[tuple[Path, ...], str]:
    """The paths to search for a word, and the pattern of the names that it selects there."""
    path, separator, name = word.partition("::")
    if separator:
        return (Path(path),), name
    return ((Path(word),), "*") if is_path(word) else (tuple(folders), word)


def is_path(word: str) -> bool:
    """Whether a word of the command line is the path of a file or folder, and not the name of a journey."""
    return "::" not in word and ("/" in word or word.endswith(".py") or Path(word).is_dir())


def unknown_name(word: str, known: Sequence[str]) -> str:
    """The message for a name that no journey has."""
    return f"no journey is named {word!r}; {suggest(word, known)}"


def unknown_tag(tag: str, known: Iterable[str]) -> str:
    """The message for a tag that no journey has."""
    return f"no journey has the tag {tag!r}; {suggest(tag, sorted(known))}"
