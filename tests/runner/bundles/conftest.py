"""A project with journeys, and a storage in a folder, through which its bundles travel."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runner.archive.object_storage import Storage
from runner.bundles.bundle_cache import BundleCache
from runner.bundles.contents import list_contents
from runner.bundles.make_bundle import Bundle, archive_key, make_bundle, seal_key, upload_bundle
from runner.bundles.open_bundle import OpenBundle, open_bundle
from runner.settings.load_settings import load_settings
from runner.settings.secrets import Secret
from runner.settings.settings import Settings

KEY = Secret("0123456789abcdef0123456789abcdef")
OTHER_KEY = Secret("fedcba9876543210fedcba9876543210")
BUY = """
import pages
from runner import journey

@journey
def buy(page, step):
    with step("open"):
        page.goto(pages.HOME)
"""


class Project:
    """A project in a folder, the storage of its bundles, and the cache of one worker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.store = folder / "store"
        self.cache = BundleCache(folder / "cache", limit=10_000_000, largest=1_000_000)
        self.write("journey.toml", "")
        self.write("pages.py", 'HOME = "/"\n')
        self.write("journeys/buy.py", BUY)

    def write(self, path: str, content: str | bytes) -> Path:
        """Writes a file of the project."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def settings(self, environ: Mapping[str, str] | None = None, **options: object) -> Settings:
        """The settings of a command in the project."""
        return load_settings(self.folder, {"artifacts": f"file://{self.store}", **options}, environ or {})

    @property
    def storage(self) -> Storage:
        return Storage(self.settings())

    def make(self, **options: Any) -> Bundle:
        """The bundle of the project as it is now."""
        return make_bundle(list_contents(self.settings(**options), self.folder), self.folder.parent / "made")

    def publish(self, **options: Any) -> Bundle:
        """The same, in the storage."""
        bundle = self.make(**options)
        upload_bundle(self.storage, bundle, KEY)
        return bundle

    def open(self, digest: str, cache: BundleCache | None = None, key: Secret = KEY) -> OpenBundle:
        """A bundle as a worker opens it."""
        return open_bundle(self.storage, digest, key, cache or self.cache)

    def stored_archive(self, digest: str) -> Path:
        """The file of a bundle in the storage."""
        return self.store / archive_key(digest)

    def stored_seal(self, digest: str, key: Secret = KEY) -> Path:
        """The file of its signature."""
        return self.store / seal_key(digest, key)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)
