"""Uploads the files of a saved run to object storage, and removes them here some time later.

A run has the same place there as here: `<journey>/<UTC time>-<run id>/`. `result.json` is written last, when the storage lists
everything else with its size, so a run that has a result there is there as a whole.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from runner.archive.archive import Archive
from runner.archive.object_storage import Storage
from runner.archive.run_files import RESULT
from runner.archive.waiting_uploads import WaitingUpload
from runner.errors import StorageDown
from runner.result import RunResult
from runner.settings.artifact_kinds import find_kind

_decoder = msgspec.json.Decoder(RunResult)


def key_of(folder: Path) -> str:
    """The place in the storage of a run that is saved in a folder."""
    return f"{folder.parent.name}/{folder.name}"


def upload_run(storage: Storage, folder: Path, between: Callable[[], None]) -> int:
    """Uploads what the storage does not have yet; returns how many bytes that were. `between` is called after each file.

    Raises StorageDown, and what `between` raises: what is uploaded by then stays. Raises OSError when a file cannot be read.
    """
    content = (folder / RESULT).read_bytes()
    result = _decoder.decode(content)
    place = key_of(folder)
    there = storage.sizes(place)
    if f"{place}/{RESULT}" in there:
        return 0
    sent = 0
    # What was removed here by hand is not missed: the result of the run is worth more than all of it.
    wanted = [one for one in result.artifacts if (folder / one.path).is_file()]
    for one in wanted:
        if there.get(f"{place}/{one.path}") != one.bytes:
            kind = find_kind(one.kind)
            storage.put(f"{place}/{one.path}", folder / one.path, one.sha256, kind.media_type if kind else "")
            sent += one.bytes
            between()
    there = storage.sizes(place) if wanted else {}
    partial = [one.path for one in wanted if there.get(f"{place}/{one.path}") != one.bytes]
    if partial:
        raise StorageDown(f"artifacts: {storage.shown}: {place}/{partial[0]} was not written as a whole; it is uploaded again")
    storage.put(f"{place}/{RESULT}", content, media_type="application/json")
    return sent + len(content)


def drop_oldest(archive: Archive, limit: int) -> list[WaitingUpload]:
    """Removes the artifacts of the runs that have waited longest, until those of the others take at most `limit` bytes.

    Their results stay, and are not uploaded. Raises OSError.
    """
    waiting = archive.waiting.pending()
    total = sum(one.bytes for one in waiting)
    dropped = []
    for one in waiting:
        if total <= limit:
            break
        with archive.waiting.locked(one.run) as waits:
            if waits:
                _remove_artifacts(one.folder)
                archive.waiting.remove(one.run)
                dropped.append(one)
        total -= one.bytes
    return dropped


def remove_copies(archive: Archive, older_than: float) -> None:
    """Removes here the artifacts of runs that were uploaded so many seconds ago; result and report stay. Raises OSError."""
    for one in archive.waiting.copies(older_than):
        _remove_artifacts(one.folder)
        archive.waiting.remove(one.run)


def _remove_artifacts(folder: Path) -> None:
    """Removes the files that a run's result lists, and folders that are empty then. The run may be gone."""
    try:
        result = _decoder.decode((folder / RESULT).read_bytes())
    except FileNotFoundError:
        return
    for one in result.artifacts:
        file = folder / one.path
        file.unlink(missing_ok=True)
        if file.parent != folder and file.parent.is_dir() and not any(file.parent.iterdir()):
            file.parent.rmdir()
