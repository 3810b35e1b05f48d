"""What a scheduler does before it sends runs away: the bundle of its journeys, made and uploaded unless the storage has it."""

from pathlib import Path

from runner.archive.object_storage import Storage, open_storage
from runner.bundles.contents import list_contents
from runner.bundles.make_bundle import PLACE, Bundle, make_bundle, upload_bundle
from runner.errors import ConfigError
from runner.settings.secrets import Secret
from runner.settings.settings import Settings

MADE = "made"
KEPT = 3
"""Bundles that stay on the disk where they are made; the storage has all."""


def publish_bundle(settings: Settings, start: Path) -> Bundle:
    """The bundle of the journeys in the settings, which workers can fetch; `start` is the folder in which the command runs.

    Raises ConfigError when it cannot be created, or the settings lack something, and StorageDown.
    """
    key, storage = require_key(settings), require_storage(settings)
    folder = settings.runs_dir / PLACE / MADE
    bundle = make_bundle(list_contents(settings, start), folder)
    upload_bundle(storage, bundle, key)
    made = sorted(folder.glob("*.tar.gz"), key=lambda one: one.stat().st_mtime, reverse=True)
    for old in made[KEPT:]:
        old.unlink(missing_ok=True)
    return bundle


def require_key(settings: Settings) -> Secret:
    """The key that signs bundles. Raises ConfigError without one."""
    if settings.bundle_key is None:
        raise ConfigError(
            "bundle_key is not set, and bundles are signed with it; write the same key, such as `openssl rand -hex 32` prints, into a "
            "file on the scheduler's machine and on each worker's, and set bundle_key_file"
        )
    return settings.bundle_key


def require_storage(settings: Settings) -> Storage:
    """The storage of bundles, which is that of artifacts. Raises ConfigError without one."""
    storage = open_storage(settings)
    if storage is None:
        raise ConfigError(
            "artifacts is not set, and workers fetch bundles from there; set it to a storage such as s3://monitoring/runs"
        )
    return storage
