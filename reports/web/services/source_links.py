"""Links to the source of journeys: to a file and a line at the address of the setting `source_url`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

SourceLink = Callable[[str, int | None], str | None]
"""The address of a line of a file, None if there is none."""


def make_source_link(template: str | None, root: Path, folders: Sequence[Path]) -> SourceLink:
    """Files are relative to `root`, the project's folder. A run of another machine has other folders: there, the path is taken from the
    name of one of the journeys' `folders` on.

    >>> link = make_source_link("https://git.example/{file}#L{line}", Path("/srv/shop"), [Path("/srv/shop/journeys")])
    >>> link("/srv/shop/journeys/buy.py", 7), link("/home/ann/shop/journeys/a b.py", None), link("/usr/lib/x.py", 1)
    ('https://git.example/journeys/buy.py#L7', 'https://git.example/journeys/a%20b.py#L1', None)
    """

    def link(file: str, line: int | None) -> str | None:
        path = _find_relative(Path(file), root, folders)
        if template is None or path is None:
            return None
        return template.replace("{file}", quote(path.as_posix())).replace("{line}", str(line or 1))

    return link


def _find_relative(file: Path, root: Path, folders: Sequence[Path]) -> Path | None:
    if ".." in file.parts:
        return None
    if not file.is_absolute():
        return file
    if file.is_relative_to(root):
        return file.relative_to(root)
    for folder in folders:
        # Of several, the last is nearest to the file.
        places = [place for place, part in enumerate(file.parts[:-1]) if part == folder.name]
        if places and folder.is_relative_to(root):
            return folder.relative_to(root) / Path(*file.parts[places[-1] + 1 :])
    return None
