"""Saving a result that came from elsewhere, beside those of runs that were made here."""

from pathlib import Path

import msgspec
from msgspec.structs import replace

from runner.archive.archive import Archive, run_folder_name
from runner.archive.run_files import RESULT
from runner.errors import ConfigError
from runner.result import RunResult


def save_result(archive: Archive, result: RunResult) -> tuple[RunResult, Path | None]:
    """The result with what only its scheduler knows, and its folder; None where it could not be saved, as its notes say then.

    `archive` must not be one that uploads: the worker has uploaded the run's files.
    """
    success = result.ended_at if result.status == "passed" else archive.last_success(result.journey, result.location)
    result = replace(result, last_success_at=success)
    folder = archive.folder / result.journey / run_folder_name(result.started_at, result.id)
    try:
        if not folder.is_dir():
            return result, archive.save(result, archive.scratch(result.id))
        # A worker that shares this folder has saved it, or it was saved before this scheduler was started again.
        archive.add(folder, RESULT, msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")
    except (OSError, ConfigError) as error:
        return replace(result, notes=(*result.notes, f"not saved: {error}")), None
    return result, folder
