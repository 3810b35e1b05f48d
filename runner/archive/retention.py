"""Which saved runs to remove: by age, by count per journey, by total size; the newest of each kind always stays.

Results of smoke checks are removed by age, signed-in states when no run has used them for long.
"""

import stat
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from runner.archive.archive import PICTURES, SMOKE, Archive, Saved, measure_folder
from runner.dsl.plan import STATES
from runner.settings.duration import show_duration
from runner.settings.settings import Settings

KEEP_STATES = timedelta(days=30)
"""After how long without a run that uses it a state is removed: it signs somebody in, and is made again when it is needed."""


class ExpiredRun(Struct, frozen=True):
    """A run to remove, and why."""

    saved: Saved
    bytes: int
    reason: str


class ExpiredCheck(Struct, frozen=True):
    """The result of a smoke check to remove, and why."""

    file: Path
    verdict: str
    bytes: int
    reason: str

    @property
    def pictures(self) -> Path:
        """The file of its pictures, which need not exist."""
        return self.file.with_suffix(PICTURES)

    def remove(self) -> None:
        """Removes it from the disk. Raises OSError."""
        self.pictures.unlink(missing_ok=True)
        self.file.unlink()


class ExpiredState(Struct, frozen=True):
    """A signed-in state to remove, and why."""

    file: Path
    bytes: int
    reason: str

    def remove(self) -> None:
        """Removes it from the disk. Raises OSError."""
        self.file.unlink(missing_ok=True)


class _Check(Struct):
    """The part of a smoke check's result that decides how long it is kept."""

    verdict: str
    ended_at: datetime


_checks = msgspec.json.Decoder(_Check)


def select_expired_runs(
    runs: Iterable[Saved], settings: Settings, now: datetime, measure: Callable[[Saved], int] | None = None
) -> list[ExpiredRun]:
    """The runs to remove, oldest first; `measure` gives the bytes of one, by default those of its folder.

    A passed run is removed after `keep_passed` seconds, another one after `keep_failed`; then runs in excess of `keep_runs` per
    journey, then of `keep_size` bytes in total: passed runs before others, the oldest first. The newest passed run of each
    journey, and its newest run that did not pass, always stay.
    """
    newest_first = sorted(runs, key=lambda one: one.result.id, reverse=True)
    spared: dict[tuple[str, bool], Saved] = {}
    for saved in newest_first:
        spared.setdefault((saved.result.journey, _passed(saved)), saved)
    kept = {saved.folder for saved in spared.values()}
    open_to_removal = sorted(
        (one for one in newest_first if one.folder not in kept), key=lambda one: (not _passed(one), one.result.id)
    )
    sizes = {one.folder: measure(one) if measure else measure_folder(one.folder) for one in newest_first}
    count: dict[str, int] = defaultdict(int)
    for one in newest_first:
        count[one.result.journey] += 1
    total = sum(sizes.values())
    doomed: list[ExpiredRun] = []

    def too_old(saved: Saved) -> str:
        return _too_old(_passed(saved), saved.result.ended_at, settings, now)

    def too_many(saved: Saved) -> str:
        return f"over keep_runs = {settings.keep_runs}" if count[saved.result.journey] > settings.keep_runs else ""

    def too_large(_: Saved) -> str:
        return f"over keep_size = {settings.keep_size} bytes" if total > settings.keep_size else ""

    for rule in (too_old, too_many, too_large):
        for saved in list(open_to_removal):
            reason = rule(saved)
            if reason:
                open_to_removal.remove(saved)
                doomed.append(ExpiredRun(saved, sizes[saved.folder], reason))
                count[saved.result.journey] -= 1
                total -= sizes[saved.folder]
    return sorted(doomed, key=lambda one: one.saved.result.id)


def select_expired_checks(archive: Archive, settings: Settings, now: datetime) -> list[ExpiredCheck]:
    """The results of smoke checks to remove, oldest first, by the same ages as runs; the newest one always stays."""
    doomed = []
    for file in sorted((archive.folder / SMOKE).glob("*Z-*.json"))[:-1]:
        try:
            check = _checks.decode(file.read_bytes())
        except (OSError, msgspec.DecodeError) as error:
            archive.problems.append(f"{file}: cannot be read: {error}")
            continue
        reason = _too_old(check.verdict == "passed", check.ended_at, settings, now)
        if reason:
            pictures = file.with_suffix(PICTURES)
            size = sum(one.lstat().st_size for one in (file, pictures) if one.exists())
            doomed.append(ExpiredCheck(file, check.verdict, size, reason))
    return doomed


def select_unused_states(archive: Archive, now: datetime) -> list[ExpiredState]:
    """The signed-in states that no run has used for long, and what was left of one that was not written to its end."""
    doomed = []
    folder = archive.folder / STATES
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        state = file.lstat()
        if stat.S_ISREG(state.st_mode) and now - datetime.fromtimestamp(state.st_mtime, UTC) > KEEP_STATES:
            doomed.append(ExpiredState(file, state.st_size, f"not used for {show_duration(KEEP_STATES.total_seconds())}"))
    return doomed


def prune_archive(archive: Archive, settings: Settings, now: datetime) -> Iterator[ExpiredRun | ExpiredCheck | ExpiredState]:
    """Removes all expired runs of this folder, checks and signed-in states, and yields each after it is removed.

    Raises OSError or StorageDown when one cannot be removed.
    """
    for one in select_expired_runs(archive.own_runs(), settings, now, archive.measure):
        archive.delete(one.saved)
        yield one
    for check in select_expired_checks(archive, settings, now):
        check.remove()
        yield check
    for state in select_unused_states(archive, now):
        state.remove()
        yield state


def _too_old(passed: bool, ended_at: datetime, settings: Settings, now: datetime) -> str:
    name, limit = ("keep_passed", settings.keep_passed) if passed else ("keep_failed", settings.keep_failed)
    return f"older than {name} = {show_duration(limit)}" if (now - ended_at).total_seconds() > limit else ""


def _passed(saved: Saved) -> bool:
    return saved.result.status == "passed"
