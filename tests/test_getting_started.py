"""docs/getting-started.md, followed line by line."""

import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import typer
from typer.core import TyperGroup

from runner.cli import app
from tests.support.wait import wait_until

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "getting-started.md").read_text()
LINES = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]
MAIN = typer.main.get_command(app)


class Reader:
    """Somebody who types what the page says, in an empty folder."""

    def __init__(self, folder: Path, temporary: Path, shop: str, display: str) -> None:
        self.folder = folder
        self.temporary = temporary
        self.shop = shop
        plain = {key: value for key, value in os.environ.items() if not key.startswith(("JOURNEY_", "GITHUB_"))}
        self.environment = plain | {"DISPLAY": display, "JOURNEY_LISTEN": "127.0.0.1:0", "TMPDIR": str(self.temporary)}

    def start(self, words: list[str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "runner.cli", *(word.replace("https://shop.example", self.shop) for word in words)],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def type(self, line: str) -> None:
        program, *words = shlex.split(line)
        if program == "pip":
            name = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"]
            assert words == ["install", name]
        elif program == "export":
            name, _, value = words[0].partition("=")
            self.environment[name] = value
        else:
            assert program == "journey"
            with self.start(words) as process:
                try:
                    if words[0] == "record":
                        self._look(process)
                    elif words == ["schedule"]:
                        assert process.stdout is not None
                        assert any("metrics at" in said for said in process.stdout)
                        process.send_signal(signal.SIGTERM)
                    said, _ = process.communicate(timeout=120)
                finally:
                    process.kill()
            assert process.returncode == 0, said

    def _look(self, process: "subprocess.Popen[str]") -> None:
        """Lets the recorder show the site, then ends it as Ctrl-C does."""
        assert process.stdout is not None
        assert "close the site's window when you are done" in process.stdout.readline()
        wait_until(lambda: any("goto" in one.read_text() for one in self.temporary.glob("*/recorded.py")))
        process.send_signal(signal.SIGINT)


@pytest.mark.timeout(240)
def test_every_command_of_the_page_works_in_its_turn(tmp_path: Path, shop: str, display: str) -> None:
    assert isinstance(MAIN, TyperGroup)
    # Chromium's sockets have a limit to the length of their paths, which pytest's own folders exceed.
    with TemporaryDirectory(prefix="journey-") as temporary:
        reader = Reader(tmp_path, Path(temporary), shop, display)
        for line in LINES:
            if not line.startswith("journey smoke") or "smoke" in MAIN.commands:
                reader.type(line)
        assert not list(reader.temporary.rglob("recorded.py"))
    assert {"home.py", "look.py"} <= {one.name for one in (tmp_path / "journeys").iterdir()}


def test_the_journey_on_the_page_is_the_one_that_is_made() -> None:
    (shown,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    made = (ROOT / "runner" / "authoring" / "scaffold" / "templates" / "journey.py.txt").read_text()
    lines = made.replace("<<option>>", "").replace("<<function>>", "home").splitlines()
    assert [line for line in shown.splitlines() if line not in lines] == []


def test_it_can_be_read_in_ten_minutes() -> None:
    assert len(TEXT.splitlines()) < 120
