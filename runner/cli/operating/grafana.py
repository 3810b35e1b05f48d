"""`journey grafana annotate`: failures and releases on the time axis of Grafana's dashboards."""

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli import given, manual
from runner.errors import ConfigError, PushError
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from reports.grafana.annotations import Annotation
    from reports.grafana.api import Grafana
    from runner.store import Store

app = typer.Typer(cls=manual.Group)


@app.callback()
def grafana() -> None:
    """Write to a Grafana what its dashboards show beside the metrics.

    Example: journey grafana annotate
    """


@app.command("annotate")
def annotate(
    span: Annotated[str, typer.Option("--since", metavar="DURATION", help="How far back to look, such as 1d.")] = "1d",
    every: Annotated[
        str | None, typer.Option("--every", metavar="DURATION", help="Do it again and again, such as every 1m, until stopped.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be written; Grafana is not asked.")] = False,
    env: given.EnvironmentName = None,
    database: given.Database = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """Annotate failures that led to an alert, and the first run of each release, at grafana_url with grafana_token.

    It reads the store and is a process of its own, so no run waits for Grafana. What Grafana has already is not written again.

    Examples: journey grafana annotate
    journey grafana annotate --every 1m
    """
    from reports.grafana.api import Grafana
    from runner.store import Store

    settings = given.settings(env, database=database, runs_dir=runs_dir)
    back = timedelta(seconds=given.seconds(span, "--since"))
    pause = given.seconds(every, "--every") if every is not None else None
    with Store(settings.database_url) as store:
        if dry_run:
            for one in _find(store, settings, back):
                typer.echo(f"would write {_describe(one)}")
            return
        there = _connect(Grafana, settings)
        if pause is None:
            if not _write(there, _find(store, settings, back)):
                typer.echo("nothing new to annotate")
            return
        while True:
            _write_or_warn(there, store, settings, back)
            time.sleep(pause)


def _connect(kind: "type[Grafana]", settings: Settings) -> "Grafana":
    try:
        return kind(settings)
    except OSError as error:
        raise ConfigError(f"grafana_ca_file: {settings.grafana_ca_file} cannot be used: {error}") from error


def _find(store: "Store", settings: Settings, back: timedelta) -> "list[Annotation]":
    from reports.grafana.annotations import find_annotations

    with store.snapshot() as connection:
        return find_annotations(connection, datetime.now(UTC) - back, settings.public_url)


def _write(there: "Grafana", wanted: "list[Annotation]") -> int:
    """Writes what Grafana lacks; returns the number of annotations."""
    changes = there.find_changes(wanted, datetime.now(UTC))
    for one in changes:
        there.write(one)
        typer.echo(f"{'annotated' if one.number is None else 'ended'} {_describe(one.annotation)}")
    return len(changes)


def _write_or_warn(there: "Grafana", store: "Store", settings: Settings, back: timedelta) -> None:
    """What goes wrong is tried again at the next time."""
    from runner.store import StoreDown

    try:
        _write(there, _find(store, settings, back))
    except (PushError, StoreDown) as error:
        typer.echo(f"warning: {error}", err=True)


def _describe(one: "Annotation") -> str:
    what = " ".join(tag for tag in one.tags[1:-1])
    end = f" to {one.ends_at:%Y-%m-%d %H:%M:%S}Z" if one.ends_at else ""
    return f"{what}, {one.begins_at:%Y-%m-%d %H:%M:%S}Z{end}"
