"""A worker opens a bundle: only what was signed, whole, and as it was made."""

import errno
import gzip
import io
import os
import resource
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from threading import Barrier, Thread

import pytest

from runner.archive.object_storage import Storage
from runner.bundles import archive_file, bundle_metrics, manifest, open_bundle, packages
from runner.bundles.bundle_cache import BundleCache
from runner.bundles.contents import list_contents
from runner.bundles.make_bundle import make_bundle, upload_bundle
from runner.bundles.manifest import MANIFEST, BundledFile, Manifest, encode_manifest
from runner.bundles.open_bundle import fetch_manifest, read_bundle_file
from runner.bundles.signature import check_seal, is_signed, seal_bundle, sign
from runner.dsl.discovery import load_journeys
from runner.errors import BundleError, ConfigError, StorageDown
from runner.settings.secrets import Secret
from tests.runner.bundles.conftest import KEY, OTHER_KEY, Project


def test_a_bundle_arrives_as_it_was_made(project: Project) -> None:
    project.write("journeys/grün.txt", "ä" * 100_000)
    project.write("journeys/" + "tief/" * 40 + "lang.txt", "x")
    project.write("journeys/tool", "#!/bin/sh\n").chmod(0o755)
    bundle = project.publish()
    with project.open(bundle.digest) as opened:
        for one in bundle.manifest.files:
            assert (opened.folder / one.path).read_bytes() == (project.folder / one.path).read_bytes(), one.path
            assert (opened.folder / one.path).stat().st_mode & 0o777 == (0o500 if one.path == "journeys/tool" else 0o400)
        assert [one.name for one in load_journeys(opened.folder / "journeys" / "buy.py")] == ["buy"]
        assert opened.notes == ()


def test_the_same_files_give_the_same_digest(project: Project) -> None:
    first = project.make()
    for file in project.folder.rglob("*"):
        os.utime(file, (1_000_000_000, 1_000_000_000))
    os.utime(project.folder / "pages.py", (1, 1))
    other = Project(project.folder.parent / "elsewhere")
    other.write("runs/left.txt", "not of the journeys")
    assert other.make().digest == first.digest
    # The same on every machine and with every version of Python: a change here needs another FORMAT.
    assert first.digest == "d577d1feb06ac6fd96622d94596d1775eb7a5da26d88a668dac1e078033cbb08"
    project.write("pages.py", 'HOME = "/other"\n')
    changed = project.make()
    assert changed.digest != first.digest
    assert Path(first.path).exists()


def test_a_bundle_is_uploaded_once(project: Project) -> None:
    bundle = project.publish()
    assert not upload_bundle(project.storage, bundle, KEY)
    assert upload_bundle(project.storage, bundle, OTHER_KEY), "another key has a signature of its own"
    project.open(bundle.digest, key=OTHER_KEY).close()
    project.stored_seal(bundle.digest).write_text(
        project.stored_seal(bundle.digest).read_text().replace('"version":1', '"version":2')
    )
    assert upload_bundle(project.storage, bundle, KEY), "a signature that was changed is written again"
    project.stored_archive(bundle.digest).unlink()
    assert upload_bundle(project.storage, bundle, KEY), "an archive that was removed is uploaded again"
    project.open(bundle.digest).close()


def test_a_file_that_changes_meanwhile_is_not_packed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = list_contents(project.settings(), project.folder)

    def change(about: Manifest) -> bytes:
        project.write("pages.py", "changed")
        return encode_manifest(about)

    monkeypatch.setattr(archive_file, "encode_manifest", change)
    with pytest.raises(ConfigError, match=r"pages\.py: was changed while the bundle was made"):
        make_bundle(contents, project.folder.parent / "made")
    assert list((project.folder.parent / "made").iterdir()) == []


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def other_content(file: Path) -> None:
    """A well-formed archive with another content, as somebody without the key can make it."""
    content = gzip.decompress(file.read_bytes()).replace(b"def buy", b"def bad")
    file.write_bytes(gzip.compress(content))


@pytest.mark.parametrize(
    ("where", "tamper", "said"),
    [
        ("archive", lambda file: flip(file), r"damaged|not what was signed|more than"),
        ("archive", lambda file: other_content(file), "not what was signed"),
        ("archive", lambda file: file.write_bytes(file.read_bytes()[:-30]), "damaged"),
        ("archive", lambda file: file.write_bytes(b""), r"not what was signed|damaged"),
        ("archive", lambda file: file.write_bytes(file.read_bytes() + gzip.compress(b"more")), "more than"),
        ("archive", lambda file: file.write_bytes(file.read_bytes() + os.urandom(10)), "damaged"),
        ("archive", lambda file: file.write_bytes(gzip.compress(b"\0" * 20_000_000)), "more than"),
        ("archive", lambda file: file.write_bytes(os.urandom(3_000_000)), "larger than what was signed"),
        ("archive", lambda file: file.unlink(), "no longer has its archive"),
        ("seal", lambda file: file.unlink(), "no bundle of this digest that is signed"),
        ("seal", lambda file: file.write_bytes(b"{"), "signature cannot be read"),
        ("seal", lambda file: file.write_bytes(file.read_bytes().replace(b'"bytes":1', b'"bytes":2')), "signature is not valid"),
        ("seal", lambda file: file.write_bytes(file.read_bytes().replace(b'"version":1', b'"version":2')), "has format 2"),
        ("seal", lambda file: file.write_bytes(file.read_bytes()[:-3] + b'0"}'), r"signature is not valid|cannot be read"),
        ("seal", lambda file: file.write_bytes(b'{"x":"' + b"y" * 1_000_000), "signature cannot be read"),
    ],
)  # fmt: skip
def test_what_was_changed_in_the_storage_is_refused(
    project: Project, where: str, tamper: Callable[[Path], object], said: str
) -> None:
    bundle = project.publish()
    tamper(project.stored_archive(bundle.digest) if where == "archive" else project.stored_seal(bundle.digest))
    with pytest.raises(BundleError, match=said):
        project.open(bundle.digest)
    assert [one for one in project.cache.folder.rglob("*") if one.suffix != ".lock"] == []


def test_a_signature_is_of_one_bundle_key_and_purpose(project: Project) -> None:
    bundle = project.publish()
    seal = project.stored_seal(bundle.digest).read_bytes()
    with pytest.raises(BundleError, match="signature is not valid"):
        check_seal(seal, "0" * 64, KEY)
    with pytest.raises(BundleError, match="signature is not valid"):
        check_seal(seal, bundle.digest, OTHER_KEY)
    with pytest.raises(BundleError, match="signed with this bundle_key"):
        project.open(bundle.digest, key=OTHER_KEY)
    project.write("pages.py", "HOME = '/2'\n")
    later = project.publish()
    project.stored_archive(bundle.digest).write_bytes(project.stored_archive(later.digest).read_bytes())
    with pytest.raises(BundleError, match=r"not what was signed|more than"):
        project.open(bundle.digest)
    signature = sign("run", b"message", KEY)
    assert is_signed("run", b"message", signature, KEY)
    for purpose, content, text, key in [
        ("result", b"message", signature, KEY),
        ("run", b"other", signature, KEY),
        ("run", b"message", "ä", KEY),
        ("run", b"message", signature, OTHER_KEY),
    ]:
        assert not is_signed(purpose, content, text, key)


@pytest.mark.parametrize("digest", ["", "../../etc", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_what_is_not_a_digest_becomes_no_path(project: Project, digest: str) -> None:
    with pytest.raises(BundleError, match="not the digest of a bundle"):
        project.open(digest)


Member = tuple[tarfile.TarInfo, bytes]


def member(path: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> Member:
    info = tarfile.TarInfo(path)
    info.size, info.type, info.linkname = len(content), kind, link
    return info, content


def listed(*files: tuple[str, bytes], left_out: tuple[str, ...] = (), version: int = 1, size: int | None = None) -> Member:
    """The manifest of an archive."""
    about = tuple(
        BundledFile(path=path, bytes=len(content) if size is None else size, sha256=sha256(content).hexdigest())
        for path, content in files
    )
    return member(MANIFEST, encode_manifest(Manifest(runner="0", packages={}, files=about, left_out=left_out, version=version)))


def publish_archive(project: Project, content: bytes) -> str:
    """Puts any archive into the storage, signed with the right key: as somebody would who has it."""
    digest = sha256(content).hexdigest()
    project.stored_archive(digest).parent.mkdir(parents=True, exist_ok=True)
    project.stored_archive(digest).write_bytes(gzip.compress(content))
    project.stored_seal(digest).write_bytes(seal_bundle(digest, len(content), KEY))
    return digest


def tar(*members: Member) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return written.getvalue()


A = ("a.py", b"a")
LONG = "x" * 300
HOSTILE = {
    "no manifest": ((member("a.py", b"a"),), "does not begin with a manifest"),
    "nothing": ((), "does not begin with a manifest"),
    "manifest is a link": ((member(MANIFEST, kind=tarfile.SYMTYPE, link="/etc/passwd"),), "does not begin with a manifest"),
    "manifest is not one": ((member(MANIFEST, b'{"version":1}'),), "manifest cannot be read"),
    "other format": ((listed(version=2),), "has format 2"),
    "absolute": ((listed(("/etc/cron.d/x", b"a")), member("/etc/cron.d/x", b"a")), "not a path inside"),
    "above": ((listed(("../x.py", b"a")), member("../x.py", b"a")), "not a path inside"),
    "above, deep": ((listed(("a/../../x.py", b"a")), member("a/../../x.py", b"a")), "not a path inside"),
    "dot": ((listed(("./x.py", b"a")), member("./x.py", b"a")), "not a path inside"),
    "empty": ((listed(("", b"a")), member("", b"a")), "not a path inside"),
    "own name": ((listed((MANIFEST, b"a")), member(MANIFEST, b"a")), "bundles use themselves"),
    "backslash": ((listed(("..\\x", b"a")), member("..\\x", b"a")), "backslash"),
    "NUL": ((listed(("a\0b", b"a")), member("a", b"a")), "control character"),
    "long name": ((listed((LONG, b"a")), member(LONG, b"a")), "longer than"),
    "two of a case": ((listed(A, ("A.py", b"b")), member("a.py", b"a"), member("A.py", b"b")), "differ by case"),
    "file and folder": ((listed(("a", b"a"), ("a/b", b"b")), member("a", b"a"), member("a/b", b"b")), "a file and a folder"),
    "twice": ((listed(A, A), member("a.py", b"a"), member("a.py", b"a")), "lists a file twice"),
    "left out above": ((listed(A, left_out=("../.ssh/id_rsa",)), member("a.py", b"a")), "not a path inside"),
    "link": ((listed(A), member("a.py", kind=tarfile.SYMTYPE, link="/etc/passwd")), "not a regular file"),
    "hard link": ((listed(A), member("a.py", kind=tarfile.LNKTYPE, link=MANIFEST)), "not a regular file"),
    "device": ((listed(A), member("a.py", kind=tarfile.CHRTYPE)), "not a regular file"),
    "pipe": ((listed(A), member("a.py", kind=tarfile.FIFOTYPE)), "not a regular file"),
    "folder": ((listed(A), member("a.py", kind=tarfile.DIRTYPE)), "not a regular file"),
    "further member": ((listed(A), member("a.py", b"a"), member("b.py", b"b")), "does not list"),
    "further link": ((listed(A), member("a.py", b"a"), member("b", kind=tarfile.SYMTYPE, link="/")), "does not list"),
    "missing member": ((listed(A, ("b.py", b"b")), member("a.py", b"a")), "'b.py' is listed"),
    "other order": ((listed(A, ("b.py", b"b")), member("b.py", b"b"), member("a.py", b"a")), "'a.py' is listed"),
    "other content": ((listed(A), member("a.py", b"b")), "not what the manifest says"),
    "other size": ((listed(A), member("a.py", b"aa")), "not a regular file of 1 bytes"),
    "negative size": ((listed(A, size=-1), member("a.py", b"a")), "bytes"),
    "too large": ((listed(A, size=10**12), member("a.py", b"a")), "more than bundle_size"),
    "nested manifest": ((member(MANIFEST, b'{"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),), "nested too deeply"),
    "a row of headers": (tuple(member("././@LongLink", b"a\0", kind=tarfile.GNUTYPE_LONGNAME) for _ in range(2_000)), "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("form", HOSTILE)
def test_a_hostile_archive_is_refused_though_it_is_signed(project: Project, form: str) -> None:
    members, said = HOSTILE[form]
    before = {one for one in project.folder.parent.rglob("*") if not one.is_relative_to(project.store)}
    digest = publish_archive(project, tar(*members))
    with pytest.raises(BundleError, match=said):
        project.open(digest)
    after = {one for one in project.folder.parent.rglob("*") if not one.is_relative_to(project.store)}
    assert {one for one in after - before if one != project.cache.folder and one.suffix != ".lock"} == set()


@pytest.mark.parametrize("content", [b"not an archive" * 100, b"", tar(listed(A), member("a.py", b"a"))[:1000]])
def test_what_is_not_an_archive_is_refused_though_it_is_signed(project: Project, content: bytes) -> None:
    with pytest.raises(BundleError, match="is refused"):
        project.open(publish_archive(project, content))


def test_a_sparse_member_is_refused(project: Project) -> None:
    info, content = member("a.py", b"a")
    info.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.map": "0,1",
        "GNU.sparse.size": "1000000000",
        "GNU.sparse.numblocks": "1",
    }
    digest = publish_archive(project, tar(listed(A, size=10**5), (info, content)))
    with pytest.raises(BundleError, match=r"not a regular file|more than|refused"):
        project.open(digest)


def test_size_and_manifest_are_bounded(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = project.publish()
    small = BundleCache(project.folder.parent / "small", limit=1000, largest=10)
    with pytest.raises(BundleError, match="more than bundle_size = 10; raise bundle_size"):
        project.open(bundle.digest, small)
    monkeypatch.setattr(open_bundle, "OVERHEAD", 0)
    with pytest.raises(BundleError, match=r"has \d+ bytes, more than bundle_size = 10"):
        project.open(bundle.digest, small)
    monkeypatch.setattr(archive_file, "LARGEST_MANIFEST", 100)
    with pytest.raises(BundleError, match="does not begin with a manifest"):
        project.open(bundle.digest)
    assert manifest.MOST_FILES == 10_000


def test_a_worker_that_lacks_what_journeys_need_refuses(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("pages.py", "import lxml\nHOME = '/'\n")
    bundle = project.publish()
    installed = bundle.manifest.packages["lxml"]
    find = packages._find_version
    monkeypatch.setattr(packages, "_find_version", lambda name: "0.1" if name == "lxml" else find(name))
    with project.open(bundle.digest) as opened:
        assert opened.notes == (f"the package lxml has version 0.1 here, and {installed} where the bundle was made",)
    monkeypatch.setattr(packages, "_find_version", lambda name: None if name == "lxml" else find(name))
    with pytest.raises(BundleError, match=rf"not installed here: lxml=={installed}; install them .*: pip install lxml"):
        project.open(bundle.digest)
    monkeypatch.setattr("runner.bundles.make_bundle.__version__", "7.2.0")
    with pytest.raises(BundleError, match=r"made by version 0 of this program, and this is 7\.2\.0"):
        project.open(bundle.digest)
    with project.cache.alone(bundle.digest):
        """A refused bundle is not held."""


def test_files_that_do_not_travel_are_taken_from_the_worker(project: Project, tmp_path: Path) -> None:
    project.write("journeys/certificates/client.key", "of the scheduler")
    project.write("journeys/other.key", "of the scheduler")
    bundle = project.publish()
    own = tmp_path / "own"
    (own / "journeys" / "certificates").mkdir(parents=True)
    (own / "journeys" / "certificates" / "client.key").write_text("of the worker")
    (own / "journeys" / "not-named.key").write_text("of the worker")
    cache = BundleCache(tmp_path / "cache", 10_000_000, 1_000_000, own)
    for _ in range(2):
        with project.open(bundle.digest, cache) as opened:
            assert (opened.folder / "journeys/certificates/client.key").read_text() == "of the worker"
            assert not (opened.folder / "journeys/other.key").exists()
            assert not (opened.folder / "journeys/not-named.key").exists()


def test_the_cache_needs_no_storage(project: Project) -> None:
    bundle = project.publish()
    project.open(bundle.digest).close()
    project.stored_archive(bundle.digest).unlink()
    project.stored_seal(bundle.digest).unlink()
    project.open(bundle.digest).close()
    with pytest.raises(BundleError, match="signed with this bundle_key"):
        project.open(bundle.digest, key=OTHER_KEY)


def test_a_storage_that_is_away_is_said(project: Project) -> None:
    digest = project.make().digest
    away = Storage(
        project.settings(
            {"JOURNEY_ARTIFACTS_CREDENTIALS": "AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b"},
            artifacts="s3://away/runs",
            artifacts_endpoint="http://127.0.0.1:9",
            artifacts_timeout="1s",
        )
    )
    with pytest.raises(StorageDown, match="artifacts: s3://away/runs"):
        open_bundle.open_bundle(away, digest, KEY, project.cache)


def test_a_bundle_that_was_changed_in_the_cache_is_fetched_again(project: Project) -> None:
    bundle = project.publish()
    harms: tuple[Callable[[Path], object], ...] = (
        lambda folder: (folder / "pages.py").unlink(),
        lambda folder: (folder / "pages.py").write_text("HOME = 1  "),
        lambda folder: (folder / MANIFEST).write_text("{"),
    )
    for harm in harms:
        with project.open(bundle.digest) as opened:
            (opened.folder / "pages.py").chmod(0o600)
            harm(opened.folder)
        with project.open(bundle.digest) as opened:
            assert (opened.folder / "pages.py").read_text() == 'HOME = "/"\n'


def test_the_oldest_go_first_and_none_that_is_in_use(project: Project) -> None:
    digests = []
    for number in range(4):
        project.write("journeys/data.bin", bytes([number]) * 100_000)
        digests.append(project.publish().digest)
    cache = BundleCache(project.folder.parent / "bounded", limit=260_000, largest=1_000_000)
    used = project.open(digests[0], cache)
    project.open(digests[1], cache).close()
    os.utime(cache.folder / f"{digests[0]}.lock", (1, 1))
    os.utime(cache.folder / f"{digests[1]}.lock", (2, 2))
    project.open(digests[2], cache).close()
    assert [one.digest for one in cache.list_cached()] == [digests[0], digests[2]]
    assert (used.folder / "journeys/data.bin").read_bytes()[:1] == b"\0"
    used.close()
    used.close()
    (cache.folder / f".{digests[1]}.partial").mkdir()
    os.utime(cache.folder / f"{digests[2]}.lock", (2, 2))
    project.open(digests[3], cache).close()
    assert {one.name for one in cache.folder.iterdir()} == {digests[3], f"{digests[3]}.lock", digests[2], f"{digests[2]}.lock"}


def test_two_workers_that_unpack_at_once_get_one_bundle(project: Project) -> None:
    project.write("journeys/data.bin", os.urandom(900_000))
    digest = project.publish().digest
    together, results = Barrier(4), []

    def work() -> None:
        together.wait(60)
        with project.open(digest) as opened:
            results.append((opened.folder, (opened.folder / "journeys/data.bin").stat().st_ino))

    threads = [Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert len(results) == 4
    assert len(set(results)) == 1, "it was unpacked more than once"


def test_a_full_disk_is_said_and_leaves_nothing(project: Project) -> None:
    """A limit on the size of files stands for a disk without room."""
    project.write("journeys/data.bin", os.urandom(500_000))
    digest = project.publish().digest
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        with pytest.raises(BundleError) as refused:
            project.open(digest)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert f"cannot be unpacked into {project.cache.folder}: {os.strerror(errno.EFBIG)}" in str(refused.value)
    assert [one.name for one in project.cache.folder.iterdir()] == [f"{digest}.lock"]
    project.open(digest).close()


def test_a_worker_that_was_killed_while_it_unpacked_holds_nobody_up(project: Project) -> None:
    digest = project.publish().digest
    partial = project.cache.partial(digest)
    (partial / "files" / "journeys").mkdir(parents=True)
    (partial / "archive.tar").write_bytes(b"half")
    project.open(digest).close()
    assert not partial.exists()


def test_a_bundle_can_be_read_without_a_cache(project: Project) -> None:
    bundle = project.publish()
    assert fetch_manifest(project.storage, bundle.digest, KEY, 1_000_000) == bundle.manifest
    assert read_bundle_file(bundle.path, 1_000_000) == (bundle.digest, bundle.manifest)
    with pytest.raises(BundleError, match="cannot be read"):
        read_bundle_file(project.folder / "nothing.tar.gz", 1_000_000)


def test_a_short_key_is_rejected(project: Project) -> None:
    with pytest.raises(ConfigError, match="JOURNEY_BUNDLE_KEY: is not a token that is hard to guess"):
        project.settings({"JOURNEY_BUNDLE_KEY": "tea"})
    project.write("journey.toml", f'bundle_key = "{KEY.reveal()}"')
    with pytest.raises(ConfigError, match="must not be in a file that others can read"):
        project.settings()
    project.write("journey.toml", 'bundle_key_file = "../key"')
    (project.folder.parent / "key").write_text(KEY.reveal() + "\n")
    assert project.settings().bundle_key == Secret(KEY.reveal())


def count_opens() -> dict[str, float]:
    (family,) = bundle_metrics.opened.collect()
    return {one.labels["outcome"]: one.value for one in family.samples if one.name.endswith("_total")}


def test_metrics_say_what_is_cached_and_what_was_opened(project: Project) -> None:
    before = count_opens()
    assert set(before) == set(bundle_metrics.OUTCOMES)
    bundle = project.publish()
    for _ in range(3):
        project.open(bundle.digest).close()
    with pytest.raises(BundleError):
        project.open(bundle.digest, key=OTHER_KEY)
    after = count_opens()
    assert {name: after[name] - before[name] for name in after} == {"fetched": 1, "cached": 2, "refused": 1, "storage": 0}
    families = {one.name: one.samples[0].value for one in bundle_metrics.BundleMetrics(project.cache).collect()}
    assert families["synthetic_cached_bundles"] == 1
    assert families["synthetic_cached_bundles_bytes"] > bundle.manifest.bytes
