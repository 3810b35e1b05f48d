"""Several JSON documents of runs and tests, such as those of the shards of one pipeline, as one."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain
from os.path import relpath
from pathlib import Path

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from reports.suite.entries import last_attempt
from reports.suite.records import RecordedAttempt, RecordedTest
from runner.archive.archive import Saved
from runner.archive.json_document import VERSION
from runner.errors import ConfigError
from runner.result import Artifact, RunResult

RUN_VERSION: int = RunResult.__struct_defaults__[-1]
"""The newest version of a run's form."""


class Merged(Struct, frozen=True):
    """What several documents hold together."""

    runs: tuple[Saved, ...]
    tests: tuple[RecordedTest, ...]


class _Head(Struct):
    version: int
    runs: list[msgspec.Raw] | UnsetType = UNSET
    tests: tuple[RecordedTest, ...] = ()


class _Kept(Struct, frozen=True):
    saved: Saved
    document: int


class _RunHead(Struct):
    version: int = 0
    folder: str | None = None


def merge_documents(files: Sequence[Path]) -> Merged:
    """The runs and tests of all files, each once, by the time at which they began.

    A run of the same journey, location, address and browser that began after one in another file had ended without passing is a
    further attempt of that one; so are tests with the same id. Raises ConfigError for a file that cannot be read, is not such a
    document, or has another version.
    """
    read = [_read(file) for file in files]
    runs: dict[str, _Kept] = {}
    for number, (saved_runs, _) in enumerate(read):
        for saved in saved_runs:
            known = runs.get(saved.result.id)
            if known is None or saved.result.attempts > known.saved.result.attempts:
                runs[saved.result.id] = _Kept(saved, number)
    combined, replaced = _combine_runs(list(runs.values()))
    names = _name_shards(files)
    tests = chain.from_iterable(
        (_prefix_workers(one, name) if len(files) > 1 else one for one in found)
        for name, (_, found) in zip(names, read, strict=True)
    )
    return Merged(tuple(combined), tuple(_combine_tests(tests, replaced)))


def _read(file: Path) -> tuple[list[Saved], tuple[RecordedTest, ...]]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    try:
        found = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        version = msgspec.json.decode(found.get("version", b"0"), type=int)
        if version != VERSION and "version" in found:
            raise ConfigError(f"{file}: {_describe_version(version, VERSION)}")
        head = msgspec.json.decode(content, type=_Head)
        if head.runs is UNSET:
            raise msgspec.ValidationError("it has no `runs`")
        return [_read_run(one, file) for one in head.runs], tuple(_place_test(one, file) for one in head.tests)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        hint = "name files that `journey run --json` or `pytest --journey-json` has written"
        raise ConfigError(f"{file}: is not a document of runs: {error}; {hint}") from error


def _read_run(raw: msgspec.Raw, file: Path) -> Saved:
    head = msgspec.json.decode(raw, type=_RunHead)
    if head.version != RUN_VERSION:
        raise ConfigError(f"{file}: a run: {_describe_version(head.version, RUN_VERSION)}")
    return Saved(msgspec.json.decode(raw, type=RunResult), _place(head.folder, file) if head.folder else Path())


def _describe_version(found: int, known: int) -> str:
    return (
        f"it has version {found}, and this journey-runner merges version {known}; "
        "write all shards and merge them with the same version of journey-runner"
    )


def _place(folder: str, file: Path) -> Path:
    """Where the folder is now: as it was written, or, if it came from another machine, below the folder of the document."""
    written = Path(folder)
    if written.is_dir():
        return written
    parts = written.parts
    below = (file.parent.joinpath(*parts[-count:]) for count in range(len(parts) - written.is_absolute(), 0, -1))
    return next((one for one in below if one.is_dir()), written)


def _place_test(test: RecordedTest, file: Path) -> RecordedTest:
    return replace(test, folder=str(_place(test.folder, file))) if test.folder else test


def _name_shards(files: Sequence[Path]) -> list[str]:
    """The names of the files; with their folder where all files have the same name, as downloaded artifacts have."""
    stems = [file.stem for file in files]
    return stems if len(set(stems)) == len(stems) else [f"{file.absolute().parent.name} {file.stem}" for file in files]


def _prefix_workers(test: RecordedTest, shard: str) -> RecordedTest:
    attempts = [one if "/" in one.worker else replace(one, worker=f"{shard}/{one.worker or 'main'}") for one in test.attempts]
    return replace(test, attempts=tuple(attempts))


def _key(result: RunResult) -> tuple[str, ...]:
    return result.journey, result.location, result.environment.base_url or "", result.environment.browser.partition(" ")[0]


def _combine_runs(runs: Sequence[_Kept]) -> tuple[list[Saved], dict[str, str]]:
    """The runs with their further attempts, and for the id of each that became an attempt the id of the run that has it."""
    contained = {(_key(kept.saved.result), one.started_at) for kept in runs for one in kept.saved.result.earlier_attempts}
    found: list[_Kept] = []
    replaced: dict[str, str] = {}
    for kept in sorted(runs, key=lambda one: (one.saved.result.started_at, one.saved.result.id)):
        result = kept.saved.result
        if (_key(result), last_attempt(result).started_at) in contained:
            continue  # an earlier merge has made it an attempt
        before = next((place for place, one in enumerate(found) if _continues(one, kept)), None)
        if before is None:
            found.append(kept)
            continue
        replaced[found[before].saved.result.id] = result.id
        found[before] = _Kept(_append(found[before].saved, kept.saved), kept.document)
    return [one.saved for one in found], replaced


def _continues(before: _Kept, after: _Kept) -> bool:
    first, second = before.saved.result, after.saved.result
    return (
        before.document != after.document
        and _key(first) == _key(second)
        and first.status in {"failed", "error"}
        and second.started_at >= first.ended_at
    )


def _append(before: Saved, after: Saved) -> Saved:
    first, second = before.result, after.result
    earlier = (*first.earlier_attempts, last_attempt(first), *second.earlier_attempts)
    artifacts = [_move(one, before.folder, after.folder) for one in first.artifacts]
    artifacts += [replace(one, attempt=one.attempt + first.attempts) for one in second.artifacts]
    return Saved(
        replace(
            second,
            started_at=first.started_at,
            duration_seconds=round(first.duration_seconds + second.duration_seconds, 6),
            attempts=first.attempts + second.attempts,
            earlier_attempts=tuple(replace(one, number=number) for number, one in enumerate(earlier, 1)),
            artifacts=tuple(artifacts),
            notes=tuple(dict.fromkeys((*first.notes, *second.notes))),
        ),
        after.folder,
    )


def _move(artifact: Artifact, source: Path, target: Path) -> Artifact:
    """The artifact as it is found from another folder."""
    return replace(artifact, path=Path(relpath(source / artifact.path, target)).as_posix())


def _combine_tests(tests: Iterable[RecordedTest], replaced: dict[str, str]) -> list[RecordedTest]:
    found: dict[str, list[RecordedTest]] = {}
    for one in tests:
        found.setdefault(one.id, []).append(one)
    combined = [_combine_test(same, replaced) for same in found.values()]
    return sorted(combined, key=lambda one: one.attempts[0].started_at)


def _combine_test(same: Sequence[RecordedTest], replaced: dict[str, str]) -> RecordedTest:
    newest = max(same, key=lambda one: one.last.started_at)
    attempts: dict[datetime, RecordedAttempt] = {}
    for one in (one for test in same for one in test.attempts):
        attempts.setdefault(one.started_at, one)
    ordered = [attempts[at] for at in sorted(attempts)]
    return replace(
        newest,
        attempts=tuple(replace(one, number=number) for number, one in enumerate(ordered, 1)),
        run=replaced.get(newest.run, newest.run),
    )
