"""Bundles in a bucket, whose server breaks off what it sends."""

import pytest

from runner.archive.object_storage import Storage
from runner.bundles.make_bundle import PLACE, upload_bundle
from runner.bundles.open_bundle import open_bundle
from runner.errors import JourneyError, StorageDown
from tests.runner.bundles.conftest import KEY, Project
from tests.support.services.object_storage import Bucket, Fault

pytestmark = pytest.mark.long


@pytest.fixture
def storage(bucket: Bucket, project: Project) -> Storage:
    return Storage(bucket.settings(project.folder))


def test_a_bundle_goes_through_a_bucket_once(bucket: Bucket, project: Project, storage: Storage) -> None:
    bundle = project.make()
    assert upload_bundle(storage, bundle, KEY)
    assert not upload_bundle(storage, bundle, KEY)
    puts = [path for method, path in bucket.proxy.requests if method == "PUT"]
    assert len([one for one in puts if one.partition("?")[0].endswith((".tar.gz", ".json"))]) == 2
    for fetched in (True, False):
        with open_bundle(storage, bundle.digest, KEY, project.cache) as opened:
            assert opened.fetched == fetched
            assert opened.manifest == bundle.manifest
    assert storage.folders() == [PLACE]


@pytest.mark.parametrize("fault", ["503", "truncated"])
def test_a_bucket_that_breaks_off_leaves_nothing_half(bucket: Bucket, project: Project, storage: Storage, fault: Fault) -> None:
    bundle = project.make()
    upload_bundle(storage, bundle, KEY)
    bucket.proxy.fault = lambda method, path: fault if method == "GET" and ".tar.gz" in path else None
    with pytest.raises(JourneyError) as failed:
        open_bundle(storage, bundle.digest, KEY, project.cache)
    assert isinstance(failed.value, StorageDown), failed.value
    assert [one.name for one in project.cache.folder.iterdir()] == [f"{bundle.digest}.lock"]
    bucket.proxy.fault = lambda _method, _path: None
    open_bundle(storage, bundle.digest, KEY, project.cache).close()


def test_a_bundle_whose_upload_broke_off_is_uploaded_again(bucket: Bucket, project: Project, storage: Storage) -> None:
    bundle = project.make()
    bucket.proxy.fault = lambda method, path: "503" if method == "PUT" and path.partition("?")[0].endswith(".json") else None
    with pytest.raises(StorageDown):
        upload_bundle(storage, bundle, KEY)
    bucket.proxy.fault = lambda _method, _path: None
    assert upload_bundle(storage, bundle, KEY)
    open_bundle(storage, bundle.digest, KEY, project.cache).close()
