"""One run: its stored data, its files, and how it differs from the last one that passed."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from reports.compare.explanation import explain_difference
from reports.compare.run_diff import StepChange, compare_runs
from reports.text.missing_element import describe_missing, read_tree
from reports.web.view_models.filmstrip import FilmFrame, read_frames
from runner.archive.archive import RESULT, Archive
from runner.result import RunResult
from runner.settings.artifact_kinds import list_shown_as
from runner.store.queries.neighbours import Neighbours, read_neighbours
from runner.store.queries.runs import History, RunRow

LARGEST_ID = 2**31 - 1
LINES = 200
"""Of each log that are shown."""


class Kept(Struct, frozen=True, kw_only=True):
    """A file that the run has produced; it is served by its id, never by its path."""

    id: int
    kind: str
    name: str
    bytes: int
    attempt: int
    step: str | None
    there: bool
    """False once it has been removed from the disk."""


class RunData(Struct, frozen=True, kw_only=True):
    """A run."""

    row: RunRow
    result: RunResult | None
    """All of it; None once its folder has been removed."""
    artifacts: tuple[Kept, ...]
    frames: tuple[FilmFrame, ...]
    """Pictures out of the trace of its last attempt."""
    last_passed: RunRow | None
    """The newest run before it that passed."""
    changes: tuple[StepChange, ...]
    """Against that one; empty when either is no longer on the disk."""
    neighbours: Neighbours
    """The runs of the journey around it."""
    explanation: tuple[str, ...]
    """What is different from the last run that passed, in sentences; empty for a run that passed."""


class ArtifactFile(Struct, frozen=True, kw_only=True):
    """A file of a run on the disk."""

    kind: str
    path: str
    """In the run's folder."""
    file: Path


def read_run(connection: Connection, archive: Archive, identity: str) -> RunData | None:
    """The data of the page; None for a run that is not stored."""
    found = read_run_with_folder(connection, archive, identity)
    return found[0] if found else None


def read_run_with_folder(connection: Connection, archive: Archive, identity: str) -> tuple[RunData, Path | None] | None:
    """The same, with the folder in which the run is saved; None in its place once it has been removed."""
    history = History(connection)
    row = history.run(identity)
    if row is None:
        return None
    folder = find_run_folder(history, archive, row)
    result = load_result(folder)
    around = read_neighbours(connection, row)
    before = around.last_passed
    earlier = load_result(find_run_folder(history, archive, before)) if before else None
    there = _kept(history, folder, identity)
    data = RunData(
        row=row,
        result=result,
        artifacts=there,
        frames=_frames(folder, there, [step.name for step in result.steps]) if folder and result else (),
        last_passed=before,
        changes=tuple(compare_runs(earlier, result)) if earlier and result else (),
        neighbours=around,
        explanation=tuple(_explain(result, folder, there, before, earlier, history, archive)) if result else (),
    )
    return data, folder


def _explain(
    result: RunResult,
    folder: Path | None,
    kept: Sequence[Kept],
    before: RunRow | None,
    earlier: RunResult | None,
    history: History,
    archive: Archive,
) -> list[str]:
    if result.failure is None:
        return []
    earlier_folder = find_run_folder(history, archive, before) if before else None
    earlier_kept = _kept(history, earlier_folder, before.id) if before and earlier else ()
    had_console = any(one.kind == "console" and one.there for one in earlier_kept)
    return explain_difference(
        result,
        earlier,
        before.started_at if before else None,
        missing=describe_missing(result.failure, read_tree(result.failure, result.artifacts, folder)),
        console=_list_console_errors(folder, kept),
        console_before=_list_console_errors(earlier_folder, earlier_kept) if had_console else None,
    )


def _list_console_errors(folder: Path | None, kept: Sequence[Kept]) -> list[str]:
    lines = read_logs(folder, [one for one in kept if one.kind == "console"]).get("console", [])
    return [str(line.get("text", "")) for line in lines if line.get("level") == "error"]


def read_kept_files(connection: Connection, archive: Archive, identity: str) -> tuple[Kept, ...] | None:
    """The files of a run; None if it is not stored."""
    history = History(connection)
    row = history.run(identity)
    return _kept(history, find_run_folder(history, archive, row), row.id) if row else None


def find_artifact_file(connection: Connection, archive: Archive, number: int) -> ArtifactFile | None:
    """An artifact by its id; None when there is none of this id, or its file has been removed."""
    history = History(connection)
    found = history.artifact(number) if number <= LARGEST_ID else None
    if found is None:
        return None
    row, kind, path = found
    folder = find_run_folder(history, archive, row)
    file = file_inside(folder, path) if folder else None
    return ArtifactFile(kind=kind, path=path, file=file) if file else None


def _kept(history: History, folder: Path | None, identity: str) -> tuple[Kept, ...]:
    return tuple(
        Kept(
            id=one["id"],
            kind=one["kind"],
            name=one["path"],
            bytes=one["bytes"],
            attempt=one["attempt"],
            step=one["step"],
            there=folder is not None and file_inside(folder, one["path"]) is not None,
        )
        for one in history.artifacts(identity)
    )


def _frames(folder: Path, kept: Sequence[Kept], steps: Sequence[str]) -> tuple[FilmFrame, ...]:
    trace = next((one for one in reversed(kept) if one.kind == "trace" and one.there), None)
    file = file_inside(folder, trace.name) if trace else None
    return read_frames(file, trace.id, steps) if trace and file else ()


def find_run_folder(history: History, archive: Archive, row: RunRow) -> Path | None:
    """The folder of a stored run: from the store or the archive, never from an address."""
    stored = history.folder(row.id)
    if stored and (Path(stored) / RESULT).is_file():
        return Path(stored)
    return archive.folder_of(row.id, row.journey)


def load_result(folder: Path | None) -> RunResult | None:
    """The result in a run's folder; None when it is not there or cannot be read."""
    if folder is None:
        return None
    try:
        return msgspec.json.decode((folder / RESULT).read_bytes(), type=RunResult)
    except (OSError, msgspec.DecodeError):
        return None


def file_inside(folder: Path, path: str) -> Path | None:
    """The file at a stored path if it is inside the folder; links and `..` cannot lead out of it."""
    file = (folder / path).resolve()
    return file if file.is_relative_to(folder.resolve()) and file.is_file() else None


def read_logs(folder: Path | None, kept: Sequence[Kept]) -> dict[str, list[dict[str, object]]]:
    """The lines of the run's logs, by kind."""
    found: dict[str, list[dict[str, object]]] = {}
    kinds = {kind.name for kind in list_shown_as("lines")}
    for one in kept:
        file = file_inside(folder, one.name) if folder and one.kind in kinds else None
        if file is None:
            continue
        with file.open("rb") as lines:
            for number, line in enumerate(lines):
                if number >= LINES:
                    break
                found.setdefault(one.kind, []).append(msgspec.json.decode(line))
    return found
