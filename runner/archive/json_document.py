"""Runs as one JSON document: `{"version": 1, "runs": […]}`; its fields are described in docs/result.md."""

from collections.abc import Iterable
from contextlib import suppress
from os.path import realpath
from pathlib import Path
from typing import Any

import msgspec

from runner.errors import ConfigError
from runner.private_files import write_private_file
from runner.result import RunResult
from runner.untrusted_text import encode_json

VERSION = 1


def build_document(runs: Iterable[tuple[RunResult, Path | None]]) -> dict[str, Any]:
    """The runs, each with the folder it was saved in."""
    return {
        "version": VERSION,
        "runs": [{**msgspec.to_builtins(result), "folder": str(folder) if folder else None} for result, folder in runs],
    }


def format_json(content: object) -> str:
    """JSON for a file: indented, with a newline at the end."""
    return msgspec.json.format(encode_json(content), indent=2).decode() + "\n"


def replace_file(file: Path, content: str | bytes, option: str, private: bool = False) -> None:
    """Replaces `file` by `content` in one rename; if `private`, only its owner can read it.

    A link stays, and what it points to is replaced. A device, a pipe or a descriptor such as /dev/stdout is written to.
    Raises ConfigError that names the option and the file when that fails.
    """
    written = content if isinstance(content, bytes) else content.encode()
    write = write_private_file if private else Path.write_bytes
    target = Path(realpath(file))
    temporary = target.parent / f".{target.name}.partial"
    try:
        if _is_special(file):
            file.write_bytes(written)
            return
        write(temporary, written)
        temporary.replace(target)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise ConfigError(
            f"{option} {file}: cannot be written: {error.strerror}; name a file in a folder that exists"
        ) from error


def _is_special(file: Path) -> bool:
    """Whether it cannot be replaced, as a device or a pipe. A file in /dev may be a descriptor of a file that others write to as well."""
    return (file.exists() and not file.is_file()) or file.absolute().parts[1:2] in {("dev",), ("proc",)}
