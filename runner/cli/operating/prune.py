"""`journey prune`: remove old runs."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from runner.archive.remote_archive import open_archive
from runner.archive.retention import select_expired_checks, select_expired_runs, select_unused_states
from runner.cli import given
from runner.errors import ConfigError


def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")] = False,
    env: given.EnvironmentName = None,
    json: given.Json = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """Remove runs by age, number and size, as set by keep_passed, keep_failed, keep_runs and keep_size, and smoke checks by age.

    Signed-in states that no run has used for 30 days are removed too.

    The newest run of each journey that passed, the newest that did not, and the newest smoke check are never removed.

    Example: journey prune --dry-run
    """
    from reports.text.formatting import format_size

    settings = given.settings(env, runs_dir=runs_dir)
    archive = open_archive(settings)
    now = datetime.now(UTC)
    doomed, checks = (
        select_expired_runs(archive.runs(), settings, now, archive.measure),
        select_expired_checks(archive, settings, now),
    )
    states = select_unused_states(archive, now)
    given.warn_of_problems(archive)

    def remove(place: Path, what: str, reason: str, by: Callable[[], object]) -> None:
        if not dry_run:
            try:
                by()
            except OSError as error:
                raise ConfigError(f"{place} cannot be removed: {error.strerror}; check its owner and permissions") from error
        if json != "-":
            typer.echo(f"{'would remove' if dry_run else 'removed'} {place} ({what}): {reason}")

    for run in doomed:
        what = f"{run.saved.result.status}, {format_size(run.bytes)}"
        remove(run.saved.folder, what, run.reason, partial(archive.delete, run.saved))
    for check in checks:
        remove(check.file, f"{check.verdict}, {format_size(check.bytes)}", check.reason, check.remove)
    for state in states:
        remove(state.file, "signed-in state", state.reason, state.remove)
    if json is not None:
        from reports.formats.json import write_json

        removed = [
            {"id": one.saved.result.id, "folder": str(one.saved.folder), "bytes": one.bytes, "reason": one.reason}
            for one in doomed
        ]
        old = [{"file": str(one.file), "bytes": one.bytes, "reason": one.reason} for one in checks]
        unused = [{"file": str(one.file), "bytes": one.bytes, "reason": one.reason} for one in states]
        write_json({"version": 1, "dry_run": dry_run, "removed": removed, "checks": old, "states": unused}, json)
    if json != "-":
        runs = f"{len(doomed)} {'run' if len(doomed) == 1 else 'runs'}"
        runs += f" and {len(checks)} smoke {'check' if len(checks) == 1 else 'checks'}" if checks else ""
        runs += f" and {len(states)} signed-in {'state' if len(states) == 1 else 'states'}" if states else ""
        total = sum(one.bytes for one in doomed) + sum(one.bytes for one in checks) + sum(one.bytes for one in states)
        typer.echo(f"{runs} {'to remove' if dry_run else 'removed'}, {format_size(total)}")
