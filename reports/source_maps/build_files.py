"""The source maps of a build: which files of a folder are maps, and of which script each is."""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from os import walk
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from reports.source_maps.map_store import LARGEST, MapRejected, check_map, normalize_debug_id
from runner.errors import ConfigError

SCRIPTS = (".js", ".mjs", ".cjs")
MOST_FILES = 20_000
"""Files of a folder that are looked at."""
TAIL = 65_536
"""Bytes at the end of a script in which it names its map."""
_COMMENT = re.compile(rb"^//[#@] (sourceMappingURL|debugId)=(\S+)\s*$", re.MULTILINE)


class BuildMap(Struct, frozen=True, kw_only=True):
    """A source map of a build."""

    script: str
    """The path of its script in the folder."""
    debug_id: str
    content: bytes


def find_maps(paths: Sequence[Path]) -> Iterator[BuildMap]:
    """The maps in these files and folders. Raises ConfigError for one that cannot be used."""
    for given in paths:
        if given.is_dir():
            yield from _in_folder(given)
        elif given.is_file():
            yield _one(given, given.parent)
        else:
            raise ConfigError(f"{given} is neither a file nor a folder; name the folder of the build, or its .map files")


def _in_folder(folder: Path) -> Iterator[BuildMap]:
    files = sorted(_files(folder))
    scripts = [one for one in files if one.suffix in SCRIPTS]
    maps = {one for one in files if one.suffix == ".map" and not one.name.endswith(".css.map")}
    for script in scripts:
        comments = _read_comments(script)
        name = script.relative_to(folder).as_posix()
        address = comments.get("sourceMappingURL", "")
        if address.startswith("data:"):
            yield _checked(name, comments, _decode_data(script, address), script)
            continue
        # Without a word about it, as builds with hidden source maps have it, the map is beside the script.
        file = _beside(script, address, maps) or _beside(script, f"{script.name}.map", maps)
        if file is not None:
            maps.discard(file)
            yield _checked(name, comments, _read(file), file)
    for file in sorted(maps):
        yield _one(file, folder)


def _one(file: Path, folder: Path) -> BuildMap:
    """A map without its script, which has the same name without `.map`."""
    name = file.relative_to(folder).as_posix().removesuffix(".map")
    script = file.with_suffix("")
    return _checked(name, _read_comments(script) if script.is_file() else {}, _read(file), file)


def _files(folder: Path) -> Iterator[Path]:
    count = 0
    for top, folders, names in walk(folder):
        folders[:] = [one for one in folders if one != "node_modules"]
        for name in names:
            count += 1
            if count > MOST_FILES:
                raise ConfigError(f"{folder} has more than {MOST_FILES:,} files; name the folder of the build")
            yield Path(top) / name


def _read_comments(script: Path) -> dict[str, str]:
    """What the end of a script says of its map. Of several the last holds."""
    size = script.stat().st_size
    with script.open("rb") as read:
        read.seek(max(size - TAIL, 0))
        end = read.read()
        if b"//# sourceMappingURL=" not in end and size <= 2 * LARGEST:
            # A map inside of the script is one long line, which begins before the end.
            read.seek(0)
            end = read.read()
    return {found[1].decode(): found[2].decode("utf-8", "replace") for found in _COMMENT.finditer(end)}


def _beside(script: Path, address: str, maps: set[Path]) -> Path | None:
    """The map that a script names by a path from its own folder, among those of the folder: no other file is read."""
    path = unquote(urlsplit(address).path)
    if not path or urlsplit(address).scheme:
        return None
    wanted = Path(*_normal(script.parent.parts, path.split("/")))
    return next((one for one in maps if one == wanted), None)


def _normal(start: Sequence[str], parts: Sequence[str]) -> list[str]:
    made = list(start)
    for part in parts:
        if part == ".." and made:
            made.pop()
        elif part not in {"", ".", ".."}:
            made.append(part)
    return made


def _decode_data(script: Path, address: str) -> bytes:
    head, _, data = address.partition(",")
    try:
        return base64.b64decode(data, validate=True) if head.endswith(";base64") else unquote(data).encode()
    except binascii.Error as error:
        raise ConfigError(f"{script}: the source map in it is not Base64: {error}") from error


def _read(file: Path) -> bytes:
    if file.stat().st_size > LARGEST:
        raise ConfigError(f"{file} has more than {LARGEST:,} bytes")
    return file.read_bytes()


def _checked(script: str, comments: dict[str, str], content: bytes, file: Path) -> BuildMap:
    try:
        in_map, in_script = check_map(content), normalize_debug_id(comments.get("debugId", ""))
    except MapRejected as error:
        raise ConfigError(f"{file}: {error}") from error
    if in_map and in_script and in_map != in_script:
        raise ConfigError(f"{file}: its debug id is {in_map}, that of {script} is {in_script}; they are of different builds")
    return BuildMap(script=script, debug_id=in_map or in_script, content=content)
