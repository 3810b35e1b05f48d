"""Commands on runs that are only in object storage, and what is said when it cannot be used."""

from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree

import msgspec
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from runner.archive.archive import Archive
from runner.archive.object_storage import open_storage
from runner.archive.remote_archive import FETCHED, open_archive
from runner.archive.retention import prune_archive
from runner.cli.all_commands import app
from runner.errors import ConfigError, StorageDown
from runner.result import RunResult
from runner.settings.load_settings import load_settings
from tests.support.saved_runs import CONTENT, save_run, upload
from tests.support.services.object_storage import Bucket
from tests.support.thorough import thorough_but

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def folder(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that uses the bucket."""
    monkeypatch.chdir(tmp_path)
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def journey(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def uploaded(bucket: Bucket, folder: Path, *, kept: bool = False, **fields: object) -> tuple[RunResult, Path]:
    """A run that was made on another machine; `kept`: on this one, which has its result still."""
    settings = bucket.settings(folder if kept else folder / "elsewhere")
    result, saved = save_run(Archive(settings.runs_dir), **fields)  # type: ignore[arg-type]
    upload(settings, saved)
    if kept:
        for name in CONTENT:
            (saved / name).unlink()
    else:
        rmtree(settings.runs_dir)
    return result, saved


@pytest.mark.parametrize("kept", thorough_but(1, [False, True]))
def test_a_run_is_found_and_read(bucket: Bucket, folder: Path, kept: bool) -> None:
    result, saved = uploaded(bucket, folder, kept=kept)
    shown = journey("show", result.id[:13]).output
    assert result.id in shown
    assert f"files that are not here: {bucket.address}/buy/{saved.name}" in shown
    assert "buy" in journey("runs").output
    assert journey("report", "last", "--output", "report.html").exit_code == 0
    assert b64encode(CONTENT["screenshots/öffnen.png"]).decode() in (folder / "report.html").read_text()
    opened = Path(journey("open", "buy@last").output.strip())
    assert opened == folder / "runs" / FETCHED / "buy" / saved.name
    assert {name: (opened / name).read_bytes() for name in CONTENT} == CONTENT


def test_what_was_changed_in_the_bucket_is_not_read(bucket: Bucket, folder: Path) -> None:
    _, saved = uploaded(bucket, folder)
    bucket.ask("PUT", f"/{bucket.name}/monitoring/buy/{saved.name}/trace.zip", b"x" * 7000)
    ended = journey("open", "last")
    assert isinstance(ended.exception, StorageDown)
    assert "SHA-256" in str(ended.exception)
    assert not (folder / "runs" / FETCHED / "buy" / saved.name / "trace.zip").exists()


def test_a_result_that_names_a_file_outside_writes_nothing_there(bucket: Bucket, folder: Path) -> None:
    settings = bucket.settings(folder / "elsewhere")
    result, saved = save_run(Archive(settings.runs_dir))
    evil = replace(result, artifacts=(replace(result.artifacts[0], path="../../../../outside"),))

    (saved / "result.json").write_bytes(msgspec.json.encode(evil))
    upload(settings, saved)
    ended = journey("open", result.id)
    assert isinstance(ended.exception, StorageDown)
    assert not (folder / "outside").exists()


def test_old_runs_are_removed_in_both_places(bucket: Bucket, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_here, _ = uploaded(bucket, folder, kept=True)
    old_there, _ = uploaded(bucket, folder, minute=1)
    newest, saved = uploaded(bucket, folder, minute=2, kept=True)
    monkeypatch.setenv("JOURNEY_KEEP_FAILED", "1d")
    shown = journey("prune", "--dry-run").output
    assert "2 runs to remove" in shown
    assert len(bucket.objects()) == 12
    # Once while the storage refuses: nothing is removed here that is still there.
    bucket.proxy.fault = lambda method, _path: "403" if method in {"DELETE", "POST"} else None
    assert isinstance(journey("prune").exception, StorageDown)
    assert Archive(folder / "runs").folder_of(old_here.id) is not None
    bucket.proxy.fault = lambda _method, _path: None
    assert "2 runs removed" in journey("prune").output
    assert {key.split("/")[1] for key in bucket.objects()} == {saved.name}
    archive = open_archive(bucket.settings(folder))
    assert [one.result.id for one in archive.runs()] == [newest.id]
    assert old_there.id not in archive.ids()


def test_a_scheduler_removes_the_runs_of_its_own_folder_only(bucket: Bucket, folder: Path) -> None:
    uploaded(bucket, folder, kept=True)
    uploaded(bucket, folder, minute=1, kept=True)
    _, of_another = uploaded(bucket, folder, minute=-1)
    settings = bucket.settings(folder, keep_failed="1d")
    removed = list(prune_archive(open_archive(settings), settings, datetime.now(UTC)))
    assert len(removed) == 1
    assert len(bucket.objects()) == 8
    assert of_another.name in {key.split("/")[1] for key in bucket.objects()}


def test_a_journey_is_forgotten_in_both_places(bucket: Bucket, folder: Path) -> None:
    uploaded(bucket, folder, kept=True)
    uploaded(bucket, folder, minute=1)
    uploaded(bucket, folder, journey="look", minute=2)
    ended = journey("forget", "buy")
    assert (ended.exit_code, "2 runs" in ended.output) == (0, True)
    assert {key.split("/")[0] for key in bucket.objects()} == {"look"}


def test_an_upload_that_has_not_ended_is_not_a_run(bucket: Bucket, folder: Path) -> None:
    _, saved = uploaded(bucket, folder)
    bucket.ask("DELETE", f"/{bucket.name}/monitoring/buy/{saved.name}/result.json")
    assert list(open_archive(bucket.settings(folder)).runs()) == []


def test_a_folder_can_be_the_storage(folder: Path) -> None:
    settings = load_settings(folder, {"runs_dir": folder / "runs", "artifacts": f"file://{folder}/share"}, {})
    _, saved = save_run(Archive(settings.runs_dir))
    upload(settings, saved)
    rmtree(settings.runs_dir)
    archive = open_archive(settings)
    found = archive.fetch(archive.find("last"))
    assert {name: (found.folder / name).read_bytes() for name in CONTENT} == CONTENT


@pytest.mark.parametrize(
    ("settings", "said"),
    thorough_but(
        3,
        [
            ({"artifacts": "s3://key:word@bucket"}, "it contains credentials"),
            ({"artifacts": "s3://bucket?token=word"}, "it contains credentials"),
            ({"artifacts": "ftp://bucket"}, "write s3://, gs:// or az://"),
            ({"artifacts": "file://folder"}, "write an absolute path"),
            ({"artifacts": "s3://bucket/a/../b"}, "without them"),
            ({"artifacts": "s3://bucket", "artifacts_credentials": "word"}, "part 1 is not NAME=value"),
            ({"artifacts": "s3://bucket", "artifacts_credentials": "AWS_NONSENSE=word"}, "AWS_NONSENSE is not a name of s3://"),
            ({"artifacts": "s3://bucket", "artifacts_ca_file": "/none.pem"}, "artifacts_ca_file: /none.pem cannot be used"),
        ],
    ),
)
def test_what_is_wrong_with_a_setting_is_said_without_the_secret(
    settings: dict[str, object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as wrong:
        open_storage(load_settings(tmp_path, settings, {}))
    assert said in str(wrong.value)
    assert "word" not in str(wrong.value)


def test_credentials_are_not_taken_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "journey.toml").write_text('artifacts_credentials = "AWS_ACCESS_KEY_ID=word"')
    with pytest.raises(ConfigError, match="artifacts_credentials_file"):
        load_settings(tmp_path, {}, {})


def test_a_bucket_that_does_not_exist_is_named(bucket: Bucket, folder: Path) -> None:
    storage = open_storage(bucket.settings(folder, artifacts="s3://nowhere-at-all"))
    assert storage is not None
    for ask in (storage.sizes, lambda: storage.put("a", b"b"), lambda: storage.read("a")):
        with pytest.raises(StorageDown, match=r"artifacts: s3://nowhere-at-all: .* the bucket does not exist; create it"):
            ask()
