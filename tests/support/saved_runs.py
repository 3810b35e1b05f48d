"""Runs with artifacts, saved without a browser."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from runner.archive.archive import Archive
from runner.archive.object_storage import open_storage
from runner.archive.run_id import run_id
from runner.archive.upload import upload_run
from runner.result import Artifact, RunResult, Status
from runner.settings.settings import Settings

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CONTENT = {
    "trace.zip": b"a trace" * 1000,
    "screenshots/öffnen.png": b"a picture" * 100,
    "console.jsonl": b'{"text": "hello"}\n',
}
KINDS = {"trace.zip": "trace", "screenshots/öffnen.png": "screenshot", "console.jsonl": "console"}


def save_run(
    archive: Archive,
    journey: str = "buy",
    minute: int = 0,
    status: Status = "failed",
    content: dict[str, bytes] = CONTENT,
) -> tuple[RunResult, Path]:
    """A run with files, and the folder in which it is saved."""
    started = START + timedelta(minutes=minute)
    identity = run_id(started)
    scratch = archive.scratch(identity)
    for name, data in content.items():
        (scratch / name).parent.mkdir(exist_ok=True)
        (scratch / name).write_bytes(data)
    result = RunResult(
        id=identity,
        journey=journey,
        status=status,
        started_at=started,
        ended_at=started,
        duration_seconds=1.0,
        location="local",
        artifacts=tuple(
            Artifact(kind=KINDS.get(name, "trace"), path=name, bytes=len(data), sha256=sha256(data).hexdigest())
            for name, data in content.items()
        ),
    )
    return result, archive.save(result, scratch)


def upload(settings: Settings, folder: Path) -> None:
    """Uploads a saved run at once."""
    storage = open_storage(settings)
    assert storage is not None
    upload_run(storage, folder, lambda: None)
