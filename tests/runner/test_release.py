"""The release of the site that a run has walked: said once, known everywhere."""

import json
from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.settings.load_settings import load_settings
from tests.conftest import Monitor
from tests.support.services.daemon import Daemon, look
from tests.support.wait import wait_until


@pytest.mark.thorough
def test_a_run_knows_the_release_and_tells_it(daemon: Daemon) -> None:
    daemon.write(look())
    ran = daemon.command("run", "look", "--json", "out.json", JOURNEY_BASE_URL=daemon.shop, JOURNEY_RELEASE=" 2026.11.2 ")
    assert ran.returncode == 0, ran.stderr
    (run,) = json.loads((daemon.folder / "out.json").read_text())["runs"]
    assert run["release"] == "2026.11.2"
    assert daemon.query("SELECT release FROM runs") == [("2026.11.2",)]
    assert "release 2026.11.2" in daemon.here("show", "last").stdout
    assert "2026.11.2" in daemon.here("report", "last", "--format", "markdown").stdout
    assert 'name="release" value="2026.11.2"' in daemon.here("report", "last", "--format", "junit").stdout


@pytest.mark.thorough
def test_a_scheduler_takes_a_new_release_out_of_the_file_without_a_restart(daemon: Daemon) -> None:
    file = daemon.folder / "journey.toml"
    file.write_text('release = "1.0"\n')
    daemon.write(look("1s"))
    daemon.start()
    wait_until(lambda: daemon.query("SELECT 1 FROM runs WHERE release = '1.0'"))
    file.write_text('release = "1.1"\n')
    wait_until(lambda: daemon.query("SELECT 1 FROM runs WHERE release = '1.1'"))
    assert daemon.stop() == 0


def test_where_nothing_says_it_no_release_is_known(monitor: Monitor) -> None:
    run = monitor.run("@journey\ndef walk(page, step):\n    page.goto('/')\n")
    assert run.release == ""


@pytest.mark.parametrize(("written", "release"), [("", ""), ("  ", ""), ("1.0", "1.0"), (" main@4f3a9b2 ", "main@4f3a9b2")])
def test_a_pipeline_may_set_it_to_nothing(tmp_path: Path, written: str, release: str) -> None:
    assert load_settings(tmp_path, {}, {"JOURNEY_RELEASE": written}).release == release


@pytest.mark.parametrize("written", ["x" * 101, "two\nlines", "a\0b"])
def test_what_is_no_name_is_refused_with_the_key_and_the_fix(tmp_path: Path, written: str) -> None:
    with pytest.raises(
        ConfigError, match=r"JOURNEY_RELEASE: .* is not the name of a release; write a text of at most 100 characters"
    ):
        load_settings(tmp_path, {}, {"JOURNEY_RELEASE": written})
    (tmp_path / "journey.toml").write_text("release = 1.0\n")
    with pytest.raises(ConfigError, match=r"journey\.toml: release: 1\.0 is not the name of a release"):
        load_settings(tmp_path, {}, {})
