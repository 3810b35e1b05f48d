"""JSON for programs, to a file or to standard output."""

import sys
from pathlib import Path

from runner.archive.json_document import build_document, format_json, replace_file

__all__ = ["build_document", "format_json", "replace_file", "write"]


def write(content: object, target: str) -> None:
    """Writes JSON to a file, whole or not at all, or to standard output for `-`.

    Raises ConfigError when the file cannot be written.
    """
    if target == "-":
        sys.stdout.write(format_json(content))
        return
    replace_file(Path(target), format_json(content), "--json")
