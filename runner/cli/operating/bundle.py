"""`journey bundle`: the bundle in which the files of journeys travel to other machines."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from runner.bundles.contents import list_contents
from runner.bundles.make_bundle import PLACE, check_version, major, make_bundle, upload_bundle
from runner.bundles.manifest import Manifest
from runner.bundles.packages import check_packages
from runner.bundles.publish_bundle import MADE, require_key, require_storage
from runner.cli import given, manual
from runner.errors import BundleError
from runner.settings.settings import Settings
from runner.version import __version__

app = typer.Typer(cls=manual.Group, help="The journeys' files as one signed archive, for other machines.", no_args_is_help=True)
Named = Annotated[str, typer.Argument(metavar="DIGEST|FILE", help="The beginning of a digest in the storage, or a file.")]


@app.command("make")
def make(
    upload: Annotated[bool, typer.Option("--upload", help="Upload it to the storage, signed, unless it is there.")] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write it (default: in runs/.bundles/made).")
    ] = None,
    env: given.EnvironmentName = None,
    json: given.Json = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """Make the bundle of the journeys here, and say what it holds and what does not travel.

    Examples: journey bundle make
    journey bundle make --upload
    """
    settings = given.settings(env, runs_dir=runs_dir)
    contents = list_contents(settings, Path.cwd())
    bundle = make_bundle(contents, output or settings.runs_dir / PLACE / MADE)
    uploaded = upload_bundle(require_storage(settings), bundle, require_key(settings)) if upload else None
    if json is not None:
        document = _describe(bundle.digest, bundle.manifest) | {"path": str(bundle.path), "uploaded": uploaded}
        _write(json, document | {"left_out": contents.left_out})
    if json == "-":
        return
    for line in _lines(bundle.digest, bundle.manifest):
        typer.echo(line)
    for path, why in contents.left_out.items():
        typer.echo(f"does not travel: {path}: {why}")
    typer.echo(f"written to {bundle.path}")
    if uploaded is not None:
        typer.echo("uploaded" if uploaded else "the storage has it already")


@app.command("show")
def show(
    named: Named,
    files: Annotated[bool, typer.Option("--files", help="List its files.")] = False,
    env: given.EnvironmentName = None,
    json: given.Json = None,
) -> None:
    """Show what a bundle holds, such as the one that a run names; it is checked first.

    Example: journey bundle show 31c64073ed39 --files
    """
    settings = given.settings(env)
    digest, manifest = _read(named, settings)
    if json is not None:
        _write(json, _describe(digest, manifest))
    if json == "-":
        return
    for line in _lines(digest, manifest):
        typer.echo(line)
    for path in manifest.left_out:
        typer.echo(f"does not travel: {path}")
    for one in manifest.files if files else ():
        typer.echo(f"{one.sha256[:12]} {one.bytes:>10} {one.path}")


@app.command("verify")
def verify(named: Named, env: given.EnvironmentName = None) -> None:
    """Check that a bundle can be used on this machine: signature, digest, every file, version and packages.

    A file has no signature beside it; of it everything else is checked. Exit codes: 0 it can be used, 2 usage, 3 it is refused.

    Example: journey bundle verify 31c64073ed39
    """
    digest, manifest = _read(named, given.settings(env))
    check_version(digest, manifest)
    for note in check_packages(digest, manifest.packages):
        typer.echo(f"warning: {note}", err=True)
    typer.echo(f"{digest}: {_count(manifest)}, unchanged since the bundle was made; this machine can use it")


def _read(named: str, settings: Settings) -> tuple[str, Manifest]:
    """The bundle of a file, or in the storage. Raises BundleError, ConfigError, StorageDown."""
    from runner.bundles.open_bundle import fetch_manifest, read_bundle_file

    if "/" in named or named.endswith(".tar.gz") or Path(named).is_file():
        return read_bundle_file(Path(named), settings.bundle_size)
    key, storage = require_key(settings), require_storage(settings)
    digests = {Path(one).name.removesuffix(".tar.gz") for one in storage.sizes(PLACE) if one.endswith(".tar.gz")}
    found = [one for one in digests if one.startswith(named.lower())]
    if len(found) != 1:
        what = "no bundle" if not found else f"{len(found)} bundles"
        raise BundleError(f"{storage.shown} has {what} whose digest begins with {named[:80]!r}; name more of it, or another")
    return found[0], fetch_manifest(storage, found[0], key, settings.bundle_size)


def _lines(digest: str, manifest: Manifest) -> Iterator[str]:
    yield f"bundle {digest}"
    yield f"{_count(manifest)}, {manifest.bytes} bytes; made by version {manifest.runner}, this is {major(__version__)}"
    for name, version in manifest.packages.items():
        yield f"needs {name} {version}"


def _count(manifest: Manifest) -> str:
    return f"{len(manifest.files)} {'file' if len(manifest.files) == 1 else 'files'}"


def _describe(digest: str, manifest: Manifest) -> dict[str, object]:
    return {
        "version": 1,
        "digest": digest,
        "bytes": manifest.bytes,
        "runner": manifest.runner,
        "packages": manifest.packages,
        "left_out": list(manifest.left_out),
        "files": [{"path": one.path, "bytes": one.bytes, "sha256": one.sha256} for one in manifest.files],
    }


def _write(target: str, document: dict[str, object]) -> None:
    from reports.formats.json import write_json

    write_json(document, target)
