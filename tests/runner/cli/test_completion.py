"""TAB after `journey`, in the shells themselves."""

import os
import pty
import select
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import Monitor

ROOT = Path(__file__).parents[3]
WALKS = """
import playwright.sync_api
from runner import journey

raise SystemExit("nobody runs this file")

@journey(name="buy-tea", tags=["checkout"])
def buy(page):
    '''Buys a tea [oolong], "at once": it's 2 €.'''

@journey
def browse(page): ...
"""


class Desk:
    """A user's home and project, and a `journey` on PATH."""

    def __init__(self, path: Path) -> None:
        self.home = path / "home"
        self.project = path / "project"
        for folder in (self.home, self.project / "journeys", path / "bin"):
            folder.mkdir(parents=True)
        program = path / "bin" / "journey"
        program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -P -m runner.cli "$@"\n')
        program.chmod(0o755)
        plain = {key: value for key, value in os.environ.items() if not key.startswith(("JOURNEY_", "_JOURNEY"))}
        self.environment = plain | {"HOME": str(self.home), "PATH": f"{path / 'bin'}:{os.environ['PATH']}", "TERM": "dumb"}
        self.environment.pop("ZDOTDIR", None)
        self.environment.pop("XDG_CONFIG_HOME", None)
        (self.project / "journeys" / "walks.py").write_text(WALKS)
        (self.project / "journeys" / "broken.py").write_text("def (\n")

    def shell(self, shell: str, *words: str) -> str:
        """Runs a shell's command line; returns what it prints."""
        assert shutil.which(shell), f"{shell} is missing; on Debian: apt-get install {shell}"
        ended = subprocess.run(
            [shell, *words], cwd=self.project, env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert ended.stderr == "", ended.stderr
        return ended.stdout

    def bash(self, line: str) -> list[str]:
        """What bash offers after `line`."""
        words = line.split() + ([""] if line.endswith(" ") else [])
        script = (
            f"source ~/.bashrc; COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}; complete -p journey >/dev/null; "
            '_journey_completion journey; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        return [one for one in self.shell("bash", "--norc", "-c", script).splitlines() if one]

    def fish(self, line: str) -> list[str]:
        """What fish offers after `line`, without the descriptions."""
        return [one.partition("\t")[0] for one in self.shell("fish", "-c", f"complete -C '{line}'").splitlines()]

    def zsh(self, line: str, until: str = "") -> str:
        """What stands on a zsh's screen after `line` and one TAB, as soon as that holds `until`."""
        assert shutil.which("zsh"), "zsh is missing; on Debian: apt-get install zsh"
        process, terminal = pty.fork()
        if process == 0:
            os.chdir(self.project)
            os.execvpe("zsh", ["zsh", "-i"], self.environment | {"PROMPT": "READY> "})
        try:
            _read(terminal, "READY> ")
            os.write(terminal, line.encode())
            _read(terminal, line)
            os.write(terminal, b"\t")
            return _read(terminal, until, quiet=20.0 if until else 2.0)
        finally:
            os.close(terminal)
            os.waitpid(process, 0)


def _read(terminal: int, until: str, quiet: float = 20.0) -> str:
    """What a terminal shows until it shows a text, or nothing new for a while."""
    shown, ends = "", time.monotonic() + 30
    while time.monotonic() < ends and select.select([terminal], [], [], quiet)[0]:
        shown += os.read(terminal, 4096).decode(errors="replace")
        if until and until in shown:
            break
    return shown


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.thorough
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_installs_itself_in_the_shell_it_is_called_from(desk: Desk, shell: str) -> None:
    assert f"{shell} completion installed in {desk.home}" in desk.shell(shell, "-c", "journey --install-completion; true")
    assert "_JOURNEY_COMPLETE=complete_" in desk.shell(shell, "-c", "journey --show-completion; true")
    if shell == "zsh":
        # The journey that begins so, at the first TAB of the session.
        assert "uy-tea" in desk.zsh("journey run b", until="uy-tea")
        assert "-tea" in desk.zsh("journey run buy", until="-tea")
        assert "shell" not in desk.zsh("journey run nothing")
        return
    offered = desk.bash if shell == "bash" else desk.fish
    assert sorted(offered("journey run b")) == ["browse", "buy-tea"]
    assert offered("journey pause bu") == ["buy-tea"]
    assert offered("journey run --tag c") == ["checkout"]
    assert "runs" in offered("journey ru")


def test_no_file_of_journeys_is_run_and_playwright_is_not_imported(desk: Desk) -> None:
    script = (
        "import sys\nfrom runner.cli import main\n"
        "try: main()\nfinally: sys.stderr.write(str(sorted({'playwright'} & set(sys.modules))))"
    )
    environment = desk.environment | {"_JOURNEY_COMPLETE": "complete_bash", "COMP_WORDS": "journey run b", "COMP_CWORD": "2"}
    ended = subprocess.run(
        [sys.executable, "-P", "-c", script],
        cwd=desk.project,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.stdout.split(), ended.stderr) == (["buy-tea", "browse"], "[]")


@pytest.mark.thorough
def test_saved_runs_are_offered_by_what_names_them(monitor: Monitor, tmp_path_factory: pytest.TempPathFactory) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    result = monitor.run("@journey\ndef walk(page, step):\n    with step('a'): ...\n")
    shutil.copytree(monitor.folder / "runs", desk.project / "runs")
    desk.shell("bash", "-c", "journey --install-completion; true")
    assert desk.bash("journey show ") == ["last", "last-failed", "walk@last", result.id]
    assert desk.bash(f"journey diff last {result.id[:5]}") == [result.id]


@pytest.mark.thorough
def test_settings_that_are_wrong_offer_nothing_and_say_nothing(desk: Desk) -> None:
    desk.shell("bash", "-c", "journey --install-completion; true")
    (desk.project / "journey.toml").write_text("bases = [\n")
    assert desk.bash("journey run b") == []
    assert desk.bash("journey show ") == []
    (desk.project / "journey.toml").write_text('journeys = ["nowhere"]\n')
    assert desk.bash("journey run b") == []
