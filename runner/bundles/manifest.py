"""What a bundle says about itself, and which paths it may hold.

The manifest is the first member of the archive. The digest of a bundle is that of its archive before compression, so it covers the
manifest, and through it every file, whatever version of a compression library a machine has.
"""

import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

import msgspec
from msgspec import Struct

FORMAT = 1
"""Of bundles and their signatures; it changes when an earlier version could not read them."""
MANIFEST = "journey-bundle.json"
SEAL = ".journey-bundle-seal.json"
"""In an unpacked bundle: the signature with which it came."""
MOST_FILES = 10_000
LONGEST_PATH = 500
"""Bytes, so that a path has room below the cache of any machine."""
LARGEST_MANIFEST = 10_000_000
"""Bytes."""


class BundledFile(Struct, frozen=True):
    """A file of a bundle; `path` is relative and uses `/`."""

    path: str
    bytes: int
    sha256: str
    executable: bool = False


class Manifest(Struct, frozen=True, kw_only=True):
    """The content of a bundle."""

    version: int = FORMAT
    runner: str
    """The major version of this program that made it."""
    packages: dict[str, str]
    """The extra packages that its journeys use, with the versions that are installed where it was made."""
    files: tuple[BundledFile, ...]
    left_out: tuple[str, ...] = ()
    """Files that a journey may need and that do not travel, as they hold secrets."""

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(one.bytes for one in self.files)

    def find(self, path: str) -> BundledFile | None:
        """The file of a path; None when it is not in the bundle."""
        return next((one for one in self.files if one.path == path), None)


def encode_manifest(manifest: Manifest) -> bytes:
    """The manifest as JSON, the same for the same content."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=1)


def find_path_problem(paths: Iterable[str]) -> str | None:
    """Why files of these paths cannot be in one bundle; None when they can."""
    known: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in paths:
        problem = _find_unsafe(path)
        if problem:
            return f"{path[:LONGEST_PATH]!r} {problem}"
        other = known.setdefault(_fold(path), path)
        if other != path:
            return f"{other!r} and {path!r} are one file where names do not differ by case or accents; rename one of them"
        for folder in map(str, PurePosixPath(path).parents):
            if folders.setdefault(_fold(folder), folder) != folder:
                return (
                    f"the folders {folders[_fold(folder)]!r} and {folder!r} differ by case or accents only; rename one of them"
                )
    both = next((path for folded, path in known.items() if folded in folders), None)
    return f"{both!r} is a file and a folder" if both else None


def _fold(path: str) -> str:
    """The path as file systems compare it that ignore case and how accents are written."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _find_unsafe(path: str) -> str:
    """What is wrong with a path; empty when nothing is."""
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        return "has a name that is not UTF-8; rename it"
    parts = path.split("/")
    if not path or path.startswith("/") or any(part in {"", ".", ".."} for part in parts):
        return "is not a path inside the bundle"
    if "\\" in path or any(unicodedata.category(letter) == "Cc" for letter in path):
        return "has a backslash or a control character in its name; rename it"
    if len(encoded) > LONGEST_PATH or any(len(part.encode()) > 255 for part in parts):
        return f"is longer than {LONGEST_PATH} bytes, or has a name longer than 255; shorten it"
    return "is a name that bundles use themselves; rename it" if path in {MANIFEST, SEAL} else ""
