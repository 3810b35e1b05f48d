"""JSON for programs, to a file or to standard output."""

import sys
from pathlib import Path

from runner.archive.json_document import document, replace_file, text

__all__ = ["document", "replace_file", "text", "write"]


def write(content: object, target: str) -> None:
    """Writes JSON to a file, whole or not at all, or to standard output for `-`.

    Raises ConfigError when the file cannot be written.
    """
    if target == "-":
        sys.stdout.write(text(content))
        return
    replace_file(Path(target), text(content), "--json")
