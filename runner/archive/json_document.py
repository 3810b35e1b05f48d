"""Runs as one JSON document: `{"version": 1, "runs": […]}`; its fields are described in docs/result.md."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from runner.errors import ConfigError
from runner.private_files import write_private_file
from runner.result import RunResult

VERSION = 1


def build_document(runs: Iterable[tuple[RunResult, Path | None]]) -> dict[str, Any]:
    """The runs, each with the folder it was saved in."""
    return {
        "version": VERSION,
        "runs": [{**msgspec.to_builtins(result), "folder": str(folder) if folder else None} for result, folder in runs],
    }


def format_json(content: object) -> str:
    """JSON for a file: indented, with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n"


def replace_file(file: Path, content: str | bytes, option: str, private: bool = False) -> None:
    """Replaces `file` by `content` in one rename; if `private`, only its owner can read it.

    Raises ConfigError that names the option and the file when that fails.
    """
    temporary = file.parent / f".{file.name}.partial"
    write = write_private_file if private else Path.write_bytes
    try:
        write(temporary, content if isinstance(content, bytes) else content.encode())
        temporary.replace(file)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise ConfigError(
            f"{option} {file}: cannot be written: {error.strerror}; name a file in a folder that exists"
        ) from error
