"""Saving results that came from elsewhere, beside those of runs that were made here."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from msgspec.structs import replace

from runner.archive.archive import Archive, run_folder_name
from runner.archive.run_files import RESULT
from runner.errors import ConfigError
from runner.result import RunResult

AT_ONCE = 8
"""Results that are written at the same time: each waits for the disk twice, and a disk takes several in the time of one."""


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


class ResultSaver:
    """Saves the results that came together at the same time."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._threads = ThreadPoolExecutor(AT_ONCE, "dispatch-save")

    def save(self, results: Sequence[RunResult]) -> list[tuple[RunResult, Path | None]]:
        """As `save_result` for each, in this order."""
        if len(results) == 1:
            return [save_result(self._archive, results[0])]
        # When a journey last passed is read from its newest saved run: its own results are saved one after the other.
        journeys: dict[str, list[RunResult]] = {}
        for one in results:
            journeys.setdefault(one.journey, []).append(one)
        groups = self._threads.map(lambda group: [save_result(self._archive, one) for one in group], journeys.values())
        saved = {result.id: (result, folder) for group in groups for result, folder in group}
        return [saved[one.id] for one in results]

    def stop(self) -> None:
        """Ends the threads."""
        self._threads.shutdown()
