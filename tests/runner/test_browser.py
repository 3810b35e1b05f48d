"""Finding a Chromium, or saying what to do without one."""

from pathlib import Path

import pytest

from runner.browser.chromium import find, install
from runner.errors import BrowserNotFound
from tests.support.needs import needs


def program(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text("#!/bin/sh\necho Chromium 1.2.3\n")
    file.chmod(0o755)
    return file


@needs("browser")
def test_the_browser_of_this_machine_says_its_version() -> None:
    assert find().version().startswith(("Chromium ", "Google Chrome ", "HeadlessChrome "))


@needs("real_time")
def test_a_program_that_is_named_is_used(tmp_path: Path) -> None:
    file = program(tmp_path, "my-chromium")
    assert find(file).path == file
    assert find(file).version() == "Chromium 1.2.3"


def test_a_named_program_that_is_not_there_is_an_error_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BrowserNotFound, match="nothing is not a program; install one with `journey install`") as caught:
        find(tmp_path / "nothing")
    assert caught.value.exit_code == 3


def test_no_browser_at_all_is_an_error_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with pytest.raises(BrowserNotFound, match=r"no Chromium on this machine; install one with `\S*journey install`"):
        find()


@pytest.mark.thorough
@needs("real_time")
def test_a_download_that_fails_ends_with_one_reason_and_the_systems_own_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    # Nobody listens there, as behind a firewall.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(BrowserNotFound) as caught:
        install()
    assert str(caught.value).startswith("Playwright's Chromium could not be downloaded: connect ECONNREFUSED 127.0.0.1:9\n")
    assert "\n  sudo apt-get install chromium-headless-shell\n" in str(caught.value)
    printed = capfd.readouterr()
    assert (printed.out, "    at " in printed.err + str(caught.value)) == ("", False)


def test_a_headless_shell_on_path_comes_before_a_full_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "none"))
    full, shell = program(tmp_path, "chromium"), program(tmp_path, "chrome-headless-shell")
    assert find().path == shell
    assert find(headed=True).path == full


def test_playwrights_own_browser_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import json
    from importlib.util import find_spec

    package = find_spec("playwright")
    assert package is not None
    assert package.origin is not None
    listing = json.loads((Path(package.origin).parent / "driver" / "package" / "browsers.json").read_text())
    revision = next(one["revision"] for one in listing["browsers"] if one["name"] == "chromium-headless-shell")
    folder = tmp_path / f"chromium_headless_shell-{revision}"
    own = program(folder / "chrome-linux", "headless_shell")
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrowserNotFound):
        find()  # the download has not been finished
    (folder / "INSTALLATION_COMPLETE").touch()
    assert find().path == own
