"""`journey prune`: remove old runs."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from runner.archive import Archive
from runner.cli import given
from runner.errors import ConfigError
from runner.retention import choose


def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be removed.")] = False,
    env: given.EnvironmentName = None,
    json: given.Json = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """Remove runs by age, count and size, as keep_passed, keep_failed, keep_runs and keep_size say.

    The newest run of each journey that passed, and the newest that did not, are never removed.

    Example: journey prune --dry-run
    """
    from reports.wording import size

    settings = given.settings(env, runs_dir=runs_dir)
    archive = Archive(settings.runs_dir)
    doomed = choose(archive.runs(), settings, datetime.now(UTC))
    given.warn_of_problems(archive)
    for one in doomed:
        if not dry_run:
            try:
                archive.delete(one.saved)
            except OSError as error:
                raise ConfigError(f"{one.saved.folder} cannot be removed: {error.strerror}; see who owns it") from error
        if json != "-":
            verb = "would remove" if dry_run else "removed"
            typer.echo(f"{verb} {one.saved.folder} ({one.saved.result.status}, {size(one.bytes)}): {one.reason}")
    if json is not None:
        from reports import json_report

        removed = [
            {"id": one.saved.result.id, "folder": str(one.saved.folder), "bytes": one.bytes, "reason": one.reason}
            for one in doomed
        ]
        json_report.write({"version": 1, "dry_run": dry_run, "removed": removed}, json)
    if json != "-":
        runs = f"{len(doomed)} {'run' if len(doomed) == 1 else 'runs'}"
        typer.echo(f"{runs} {'to remove' if dry_run else 'removed'}, {size(sum(one.bytes for one in doomed))}")
