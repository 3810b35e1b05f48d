"""JSON for programs, to a file or to standard output."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from runner.archive.json_document import build_document, format_json, replace_file

if TYPE_CHECKING:
    from reports.formats.registry import Runs
    from reports.smoke.result import SmokeResult
    from reports.suite.merge import Merged


def render_runs(runs: "Runs", _beside: Path) -> str:
    """Runs as one document."""
    return format_json(build_document(runs))


def render_suite(merged: "Merged", _beside: Path) -> str:
    """Merged documents as one, which can be merged again."""
    runs = [(saved.result, saved.folder if saved.folder != Path() else None) for saved in merged.runs]
    return format_json(build_document(runs) | {"tests": merged.tests})


def render_smoke(result: "SmokeResult", _beside: Path) -> str:
    """A smoke check."""
    return format_json(result)


def write_json(content: object, target: str) -> None:
    """Writes JSON to a file, whole or not at all, or to standard output for `-`.

    Raises ConfigError when the file cannot be written.
    """
    if target == "-":
        # JSON is UTF-8 (RFC 8259, 8.1), whatever the terminal shows.
        sys.stdout.flush()
        sys.stdout.buffer.write(format_json(content).encode())
        sys.stdout.buffer.flush()
        return
    replace_file(Path(target), format_json(content), "--json")
