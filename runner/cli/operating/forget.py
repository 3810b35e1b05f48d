"""`journey forget`: remove everything that is known of a journey."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from runner.archive.archive import Archive
from runner.archive.remote_archive import open_archive
from runner.cli import completion, given
from runner.dsl.plan import find_state_files
from runner.dsl.static_discovery import find_declared_journeys
from runner.errors import ConfigError, DiscoveryError
from runner.settings.settings import Settings


def forget(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The journey's name.", autocompletion=completion.saved_journeys)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")] = False,
    env: given.EnvironmentName = None,
    pushgateway: Annotated[str | None, typer.Option(metavar="URL", help="Delete the journey's group there too.")] = None,
    database: given.Database = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """Remove a journey's saved runs, its rows in the database, and its groups of metrics in the Pushgateway.

    For a journey that was renamed or is no longer declared; otherwise it stays on the dashboard, and in the gateway with its last state.

    Exit codes: 0 removed, 2 no journey of this name is known, 3 the gateway or the database failed.

    Example: journey forget old-checkout --dry-run
    """
    from runner.metrics.pushgateway import delete_group
    from runner.store import Store
    from runner.store.journey_rows import count_rows, delete_rows, find_groups, stored_names

    settings = given.settings(env, pushgateway=pushgateway, database=database, runs_dir=runs_dir)
    archive = open_archive(settings)
    with ExitStack() as stack:
        store = stack.enter_context(Store(settings.database_url)) if given.has_store(settings) else None
        stored: set[str] = set()
        counts: dict[str, int] = {}
        pushed: set[tuple[str, str]] = set()
        if store is not None:
            with store.snapshot() as connection:
                stored = stored_names(connection)
                counts = count_rows(connection, name)
                pushed.update((place, gateway) for place, gateway in find_groups(connection, name) if gateway)
        known = stored | set(archive.journeys())
        if name not in known:
            raise DiscoveryError(
                f"nothing is known of a journey named {name!r}; there are: {', '.join(sorted(known)) or 'none'}"
            )
        if settings.pushgateway is not None:
            pushed.add((settings.location, settings.pushgateway))
        # The gateway first: if it does not answer, everything is still there for another try.
        for location, gateway in sorted(pushed):
            if not dry_run:
                delete_group(name, location, replace(settings, pushgateway=gateway))
            _report(dry_run, f"the group of {name} at {location} in {gateway}")
        folder, count = settings.runs_dir / name, archive.count(name)
        if count:
            if not dry_run:
                _delete_folder(archive, name, folder)
            _report(dry_run, f"{folder} ({count} {'run' if count == 1 else 'runs'})")
        for state in find_state_files(settings.runs_dir, name):
            if not dry_run:
                state.unlink()
            _report(dry_run, f"the signed-in state {state}")
        if store is not None and counts:
            if not dry_run:
                with store.connected() as connection:
                    delete_rows(connection, name)
            _report(
                dry_run, f"rows of {name} in {store.shown}: {', '.join(f'{count} {table}' for table, count in counts.items())}"
            )
    _warn_if_declared(name, settings)


def _report(dry_run: bool, what: str) -> None:
    typer.echo(f"{'would remove' if dry_run else 'removed'} {what}")


def _delete_folder(archive: Archive, name: str, folder: Path) -> None:
    try:
        archive.forget(name)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be removed: {error.strerror}; check its owner and permissions") from error


def _warn_if_declared(name: str, settings: Settings) -> None:
    for one in find_declared_journeys([one for one in settings.journeys if one.exists()]):
        if one.name == name:
            typer.echo(f"note: {name} is still declared at {one.where}; its next run is stored again", err=True)
