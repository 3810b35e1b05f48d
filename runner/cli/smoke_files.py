"""The saved smoke checks, `runs/.smoke/<UTC time>-<id>.json`, read."""

from pathlib import Path

import msgspec

from reports.smoke.result import SmokeResult
from runner.errors import RunNotFound

FOLDER = ".smoke"


def matching(runs_dir: Path, wanted: str) -> list[Path]:
    """The files of the checks whose ids begin with `wanted`, or of the newest for `last-smoke`, the newest first."""
    files = sorted((runs_dir / FOLDER).glob("*Z-*.json"), reverse=True)
    return files[:1] if wanted == "last-smoke" else [one for one in files if one.stem.partition("Z-")[2].startswith(wanted)]


def read(file: Path) -> SmokeResult:
    """The check in a file. Raises RunNotFound when it cannot be read."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=SmokeResult)
    except (OSError, msgspec.DecodeError) as error:
        raise RunNotFound(f"{file}: cannot be read: {error}; `journey smoke` makes another") from error
