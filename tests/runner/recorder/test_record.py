"""`journey record`, with a real recorder on a real site."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runner.recorder.conftest import Walk
from tests.support.services.servers import free_port


def journey(folder: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("JOURNEY_", "DISPLAY", "WAYLAND"))}
    command = [sys.executable, "-m", "runner.cli", *words]
    return subprocess.run(command, cwd=folder, env=plain | environment, capture_output=True, text=True, check=False, timeout=90)


@pytest.mark.thorough
def test_what_is_done_in_the_browser_becomes_a_journey_that_passes(
    recorder: Callable[..., Walk], tmp_path: Path, shop: str
) -> None:
    walk = recorder(shop, "--name", "sign-in")
    page = walk.page
    walk.click(page.get_by_role("link", name="Sign in"))
    walk.type(page.get_by_label("Email"), "tea@example.com")
    walk.type(page.get_by_label("Password"), "oolong-and-milk")
    walk.click(page.get_by_role("button", name="Sign in"))
    walk.assert_visible(page.get_by_text("tea@example.com"))
    walk.wait_for("to_be_visible")
    said, warned = walk.close()

    assert walk.process.returncode == 0, warned
    assert "wrote journeys/sign_in.py: 3 steps\n  open the home page\n  sign in\n  sign in 2\n" in said
    assert "export JOURNEY_SECRET_PASSWORD=…" in said
    assert "try it: journey run sign-in\n" in said
    file = tmp_path / "journeys" / "sign_in.py"
    written = file.read_text()
    assert "oolong-and-milk" not in written
    assert 'fill(secrets["PASSWORD"].reveal())' in written
    assert 'expect(page.get_by_text("tea@example.com")).to_be_visible()' in written

    assert "JOURNEY_SECRET_PASSWORD" in journey(tmp_path, "check").stderr
    assert journey(tmp_path, "check", JOURNEY_SECRET_PASSWORD="oolong-and-milk").stdout == "ok: 1 journey in 1 file\n"
    ran = journey(tmp_path, "run", "sign-in", JOURNEY_SECRET_PASSWORD="oolong-and-milk")
    assert (ran.returncode, "sign-in  ✓ passed" in ran.stdout) == (0, True), ran.stdout


@pytest.mark.thorough
def test_ctrl_c_ends_the_recording_and_keeps_what_was_done(recorder: Callable[..., Walk], tmp_path: Path, shop: str) -> None:
    walk = recorder(f"{shop}/app", "--out", "walks/find.py")
    walk.type(walk.page.get_by_label("What are you looking for?"), "black tea")
    walk.page.keyboard.press("Enter")
    walk.page.get_by_text("2 found").wait_for()
    walk.wait_for('press("Enter")')
    said, warned = walk.interrupt()

    assert walk.process.returncode == 0, warned
    assert "wrote walks/find.py: 2 steps\n  open app\n  search for black tea\n" in said
    assert "try it: journey run walks/find.py\n" in said
    assert journey(tmp_path, "run", "walks/find.py").returncode == 0
    assert not list(tmp_path.glob("**/*.txt"))


@pytest.mark.thorough
def test_what_is_wrong_is_said_before_a_window_opens(tmp_path: Path) -> None:
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys" / "buy.py").write_text("from runner import journey\n@journey(name='pay')\ndef buy(page): ...\n")
    for words, message in (
        (("shop.example",), "URL: 'shop.example' is not an address"),
        (("http://a.test", "--name", "a b"), "--name: 'a b' is not a name for a journey"),
        (("http://a.test", "--name", "buy"), "journeys/buy.py exists and is not overwritten; choose another with --out"),
        (("http://a.test", "--name", "pay", "--out", "x.py"), "--name: a journey named 'pay' is declared at"),
        (("http://a.test", "--out", "journeys/buy.py/x.py"), "buy.py is not a folder that can be written to"),
        (("http://a.test", "--out", "buy.txt"), "--out: buy.txt is not a Python file"),
        (("http://a.test",), "no display: the recorder shows two windows, and neither DISPLAY nor WAYLAND_DISPLAY is set"),
    ):
        ran = journey(tmp_path, "record", *words)
        assert (ran.returncode, message in ran.stderr, ran.stdout) == (2, True, ""), ran.stderr
    ran = journey(tmp_path, "record", "http://a.test", "--browser-path", "/usr/bin/chromium-headless-shell", DISPLAY=":1")
    assert (ran.returncode, "has no window; name a whole Chromium" in ran.stderr) == (2, True), ran.stderr
    assert [one.name for one in tmp_path.rglob("*.py")] == ["buy.py"]


@pytest.mark.thorough
def test_a_display_that_is_not_there_is_named(tmp_path: Path) -> None:
    ran = journey(tmp_path, "record", "http://a.test", DISPLAY=":987")
    assert (ran.returncode, "no display: nothing answers at DISPLAY=:987" in ran.stderr) == (2, True), ran.stderr


@pytest.mark.thorough
def test_a_site_that_does_not_answer_leaves_no_file(tmp_path: Path, display: str) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    ran = journey(tmp_path, "record", address, DISPLAY=display)
    assert ran.returncode == 2
    assert f"URL: {address} could not be opened: net::ERR_CONNECTION_REFUSED" in ran.stderr
    assert not list(tmp_path.iterdir())
