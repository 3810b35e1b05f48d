"""`journey sourcemaps`: the source maps by which errors of real users are shown in the original code."""

from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from getpass import getuser
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runner.cli import given, manual
from runner.errors import ConfigError
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from reports.source_maps.map_store import MapAbout, MapStore
    from reports.source_maps.remote import RemoteMaps

app = typer.Typer(cls=manual.Group, help="Source maps for the errors of real users.", no_args_is_help=True)
Release = Annotated[str | None, typer.Option(help="The release, as the site's pages report it (default: the setting release).")]
OfApp = Annotated[str | None, typer.Option("--app", help="Only those of this app.")]
OfRelease = Annotated[str | None, typer.Option("--release", help="Only those of this release.")]
To = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="The dashboard that keeps them; its token is the setting serve_token (default: this machine)."
    ),
]


@app.command("upload")
def upload(
    paths: Annotated[list[Path], typer.Argument(metavar="DIR|FILE…", help="Folders of the build, or .map files.")],
    release: Release = None,
    app_name: Annotated[str, typer.Option("--app", help="Only for errors of this app (default: of any).")] = "",
    to: To = None,
    env: given.EnvironmentName = None,
    database: given.Database = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """Keep the source maps of a release, privately: never serve them with the site.

    Each map is found by what its script says of it, or beside the script. Errors that were stored before are explained too.

    Examples: journey sourcemaps upload dist/ --release 2026.11.30
    journey sourcemaps upload dist/ --release 2026.11.30 --app shop --to https://monitor.example
    """
    from reports.source_maps.build_files import find_maps
    from reports.source_maps.map_store import MapAbout, MapRejected

    settings = given.settings(env, database=database, runs_dir=runs_dir, release=release)
    if not settings.release:
        raise ConfigError("--release is missing: name the release as the site's pages report it")
    with ExitStack() as stack:
        put = _remote(to, settings).put if to else partial(_put, _open(settings, stack))
        count = new = 0
        for one in find_maps(paths):
            about = MapAbout(release=settings.release, app=app_name, script=one.script, debug_id=one.debug_id)
            try:
                stored = put(about, one.content)
            except MapRejected as error:
                raise ConfigError(f"{one.script}: {error}") from error
            count, new = count + 1, new + stored
            typer.echo(f"{one.script}: {'uploaded' if stored else 'was there already'}")
    if not count:
        raise ConfigError(
            f"no source map is in {', '.join(map(str, paths))}; have the bundler write them (esbuild: --sourcemap)"
        )
    typer.echo(f"{count} source {'map' if count == 1 else 'maps'} of release {settings.release}, {new} new")


@app.command("list")
def list_maps(
    release: OfRelease = None,
    app_name: OfApp = None,
    to: To = None,
    env: given.EnvironmentName = None,
    json: given.Json = None,
    database: given.Database = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """List the releases that have source maps, and with --release their scripts.

    Example: journey sourcemaps list --release 2026.11.30
    """
    settings = given.settings(env, database=database, runs_dir=runs_dir)
    with ExitStack() as stack:
        found = _remote(to, settings).list(release, app_name) if to else _list_local(settings, stack, release, app_name)
    if json is not None:
        from reports.formats.json import write_json

        write_json({"version": 1, "maps": found}, json)
    if json == "-":
        return
    _show(found, release)


@app.command("remove")
def remove(
    release: Annotated[str, typer.Option("--release", help="The release of which the maps are removed.")],
    app_name: OfApp = None,
    to: To = None,
    env: given.EnvironmentName = None,
    database: given.Database = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """Remove the source maps of a release. Errors that they have explained stay explained.

    Example: journey sourcemaps remove --release 2026.11.30
    """
    settings = given.settings(env, database=database, runs_dir=runs_dir)
    with ExitStack() as stack:
        count = _remote(to, settings).remove(release, app_name) if to else _open(settings, stack).remove(release, app_name)
    if not count:
        raise ConfigError(f"no source map of release {release} is kept; `journey sourcemaps list` lists the releases")
    typer.echo(f"removed {count} source {'map' if count == 1 else 'maps'} of release {release}")


def _show(found: list[dict[str, Any]], release: str | None) -> None:
    from reports.text.formatting import format_size

    if not found:
        typer.echo("no source maps are kept")
    elif release is not None:
        for one in found:
            typer.echo(f"{one['script']}  {format_size(one['bytes'])}{'  app ' + one['app'] if one['app'] else ''}")
    else:
        of_release: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for one in found:
            of_release.setdefault((one["release"], one["app"]), []).append(one)
        for (name, of_app), maps in of_release.items():
            size = format_size(sum(one["bytes"] for one in maps))
            newest = max(one["uploaded_at"] for one in maps)[:16].replace("T", " ")
            typer.echo(f"{name}{'  app ' + of_app if of_app else ''}  {len(maps)} maps, {size}, uploaded {newest}Z")


def _remote(to: str, settings: Settings) -> "RemoteMaps":
    from reports.source_maps.remote import RemoteMaps

    return RemoteMaps(to, settings.serve_token)


def _open(settings: Settings, stack: ExitStack) -> "MapStore":
    from reports.source_maps.map_store import MapStore, maps_folder
    from runner.store import Store

    return MapStore(stack.enter_context(Store(settings.database_url)), maps_folder(settings), settings.keep_source_maps_size)


def _put(maps: "MapStore", about: "MapAbout", content: bytes) -> bool:
    try:
        who = getuser()
    except (KeyError, OSError):
        who = ""
    return maps.put(about, content, who, time())


def _list_local(settings: Settings, stack: ExitStack, release: str | None, of_app: str | None) -> list[dict[str, Any]]:
    import msgspec

    if not given.has_store(settings):
        return []
    found = [msgspec.structs.asdict(one) for one in _open(settings, stack).list(release, of_app)]
    return [{**one, "uploaded_at": datetime.fromtimestamp(one["uploaded_at"], UTC).isoformat()} for one in found]
