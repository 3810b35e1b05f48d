"""One run: its stored data, its files, and how it differs from the last one that passed."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from reports.compare.explanation import explain_difference
from reports.compare.run_diff import StepChange, compare_runs
from reports.text.missing_element import describe_missing, read_tree
from reports.web.view_models.filmstrip import FilmFrame, find_trace, read_frames
from runner.archive.archive import Archive
from runner.archive.run_files import RunFiles
from runner.result import Failure, RunResult
from runner.settings.artifact_kinds import list_shown_as
from runner.store.queries.elsewhere import Elsewhere, read_elsewhere
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
    elsewhere: Elsewhere
    """What is known of it from other places."""
    explanation: tuple[str, ...]
    """What is different from the last run that passed, in sentences; empty for a run that passed."""


class ArtifactFile(Struct, frozen=True, kw_only=True):
    """A file of a run, on the disk or perhaps in object storage."""

    kind: str
    path: str
    """In the run's folder."""
    files: RunFiles


def read_run(connection: Connection, archive: Archive, identity: str) -> RunData | None:
    """The data of the page; None for a run that is not stored."""
    found = read_run_with_files(connection, archive, identity)
    return found[0] if found else None


def read_run_with_files(connection: Connection, archive: Archive, identity: str) -> tuple[RunData, RunFiles] | None:
    """The same, with the files of the run."""
    history = History(connection)
    row = history.run(identity)
    if row is None:
        return None
    files = find_run_files(history, archive, row)
    result = files.result()
    around = read_neighbours(connection, row)
    before = around.last_passed
    earlier_files = find_run_files(history, archive, before) if before else RunFiles(None)
    earlier = earlier_files.result()
    there = _kept(history, files, identity)
    data = RunData(
        row=row,
        result=result,
        artifacts=there,
        frames=_frames(files, there, [step.name for step in result.steps]) if result else (),
        last_passed=before,
        changes=tuple(compare_runs(earlier, result)) if earlier and result else (),
        neighbours=around,
        elsewhere=read_elsewhere(connection, row.id),
        explanation=tuple(_explain(result, files, there, before, earlier, earlier_files, history)) if result else (),
    )
    return data, files


def _explain(
    result: RunResult,
    files: RunFiles,
    kept: Sequence[Kept],
    before: RunRow | None,
    earlier: RunResult | None,
    earlier_files: RunFiles,
    history: History,
) -> list[str]:
    if result.failure is None:
        return []
    earlier_kept = _kept(history, earlier_files, before.id) if before and earlier else ()
    had_console = any(one.kind == "console" and one.there for one in earlier_kept)
    return explain_difference(
        result,
        earlier,
        before.started_at if before else None,
        missing=describe_missing(result.failure, _read_tree(result.failure, result, files)),
        console=_list_console_errors(files, kept),
        console_before=_list_console_errors(earlier_files, earlier_kept) if had_console else None,
    )


def _read_tree(failure: Failure, result: RunResult, files: RunFiles) -> str:
    trees = [one for one in result.artifacts if one.kind == "aria" and one.step == failure.step]
    return read_tree(failure, result.artifacts, files.folder_holding(trees[-1].path)) if trees else ""


def _list_console_errors(files: RunFiles, kept: Sequence[Kept]) -> list[str]:
    lines = read_logs(files, [one for one in kept if one.kind == "console"]).get("console", [])
    return [str(line.get("text", "")) for line in lines if line.get("level") == "error"]


def read_kept_files(connection: Connection, archive: Archive, identity: str) -> tuple[Kept, ...] | None:
    """The files of a run; None if it is not stored."""
    history = History(connection)
    row = history.run(identity)
    return _kept(history, find_run_files(history, archive, row), row.id) if row else None


def find_artifact_file(connection: Connection, archive: Archive, number: int) -> ArtifactFile | None:
    """An artifact by its id; None when there is none of this id, or its file has been removed from the disk."""
    history = History(connection)
    found = history.artifact(number) if number <= LARGEST_ID else None
    if found is None:
        return None
    row, kind, path = found
    files = find_run_files(history, archive, row)
    # Whether a storage has it shows when it is read: asking before would double the time until its first byte.
    return ArtifactFile(kind=kind, path=path, files=files) if files.remote(path) or files.local(path) else None


def _kept(history: History, files: RunFiles, identity: str) -> tuple[Kept, ...]:
    return tuple(
        Kept(
            id=one["id"],
            kind=one["kind"],
            name=one["path"],
            bytes=one["bytes"],
            attempt=one["attempt"],
            step=one["step"],
            there=files.there(one["path"]),
        )
        for one in history.artifacts(identity)
    )


def _frames(files: RunFiles, kept: Sequence[Kept], steps: Sequence[str]) -> tuple[FilmFrame, ...]:
    trace = next((one for one in reversed(kept) if one.kind == "trace" and one.there), None)
    source = find_trace(files, trace.name) if trace else None
    return read_frames(source, trace.id, steps) if trace and source else ()


def find_run_files(history: History, archive: Archive, row: RunRow) -> RunFiles:
    """The files of a stored run: their place is from the store or the archive, never from an address."""
    return archive.files(row.id, row.journey, row.started_at, history.folder(row.id))


def read_logs(files: RunFiles, kept: Sequence[Kept]) -> dict[str, list[dict[str, object]]]:
    """The lines of the run's logs, by kind."""
    found: dict[str, list[dict[str, object]]] = {}
    kinds = {kind.name for kind in list_shown_as("lines")}
    for one in kept:
        file = files.local(one.name) if one.kind in kinds and one.there else None
        if file is None:
            continue
        with file.open("rb") as lines:
            for number, line in enumerate(lines):
                if number >= LINES:
                    break
                found.setdefault(one.kind, []).append(msgspec.json.decode(line))
    return found
