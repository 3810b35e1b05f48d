"""Somebody who types what a page says, on a machine with Python, make and nothing else of ours."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path

from tests.support.wait import wait_until

ROOT = Path(__file__).parents[2]
BUILT = ("runner/page/*.js", "reports/collector/*.js", "reports/web/static/*", "reports/codegen/*.js")
"""What an installation builds with npm, which is not tried here."""
LONGEST = 240
"""Seconds for one command."""


def commands(page: Path) -> list[str]:
    """The commands in the blocks of a page, each with what follows in its lines; without comments at their ends."""
    found: list[str] = []
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
        if language == "console":
            found += [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]
        elif language == "sh":
            lines: list[str] = []
            for line in block.splitlines():
                lines = [*lines[:-1], f"{lines[-1]}\n{line}"] if lines and _is_open(lines[-1]) else [*lines, line]
            found += [line for line in lines if line.strip()]
    return [re.sub(r"\s{2,}#\s.*$", "", one) for one in found]


def _is_open(text: str) -> bool:
    """Whether a quotation goes on in the next line."""
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return True
    return False


def clone(into: Path) -> None:
    """A copy of the files that git knows or would add, with what an installation builds, and with the bytecode that there is of them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    files = {Path(name) for name in listed if name and not name.startswith(("tests/", "benchmarks/"))}
    files |= {file.relative_to(ROOT) for pattern in BUILT for file in ROOT.glob(pattern)}
    files |= {Path(cache_from_source(str(file))) for file in files if file.suffix == ".py"}
    for file in files:
        if (ROOT / file).is_file():
            (into / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, into / file)


class Reader:
    """Types commands one after the other into a shell; environment and folder last from one to the next.

    What it installs from a clone is built once for all readers, in `wheels`.
    """

    def __init__(self, home: Path, replaced: dict[str, str], environment: dict[str, str], wheels: Path) -> None:
        self.home = home
        self.folder = home / "shop"
        self.folder.mkdir()
        clone(home / "journey-runner")
        self.replaced = replaced
        self._state = home / ".state"
        self._started: list[subprocess.Popen[bytes]] = []
        self._programs()
        temporary = home / "tmp"
        temporary.mkdir()
        kept = ("LANG", "NODE_COMPILE_CACHE", "PLAYWRIGHT_BROWSERS_PATH", "XDG_CACHE_HOME")
        self.environment = {name: os.environ[name] for name in kept if name in os.environ} | {
            "HOME": str(home),
            "PATH": f"{home / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "TMPDIR": str(temporary),
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
            "OFFLINE_WHEELS": str(wheels),
            **environment,
        }

    def _programs(self) -> None:
        """`python3` makes environments whose pip needs no network; a browser of the desktop opens nothing."""
        folder = self.home / "bin"
        folder.mkdir()
        python = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
        offline = shlex.join([sys.executable, str(ROOT / "tests" / "support" / "offline_pip.py"), "venv", str(python)])
        texts = {
            "python3": f'#!/bin/sh\n[ "$1 $2" = "-m venv" ] && {{ shift 2; exec {offline} "$@"; }}\nexec {python} "$@"\n',
            "xdg-open": "#!/bin/sh\n",
        }
        for name, text in texts.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)

    def type(self, command: str, *codes: int) -> str:
        """Types a command and returns what it says. Raises AssertionError when it does not end with one of `codes` (0 if none are given)."""
        saved = f"export -p > {self._state}; pwd > {self._state}.folder"
        process, output = self._start(f"trap '{saved}' EXIT; set -eo pipefail\n{command}")
        ended = process.wait(LONGEST)
        said = output.read_text(errors="replace")
        assert ended in (codes or (0,)), f"{command}: {ended}\n{said}"
        self.folder = Path(Path(f"{self._state}.folder").read_text().strip())
        return said

    def type_and_stop(self, command: str, until: str) -> None:
        """Types a command that runs until it is stopped; presses Ctrl-C once `until` has come."""
        process, output = self._start(f"exec env {command}")
        self._wait(process, output, until)
        process.send_signal(signal.SIGINT)
        ended = process.wait(LONGEST)
        assert ended in {0, 130, -signal.SIGINT}, f"{command}: {ended}\n{output.read_text(errors='replace')}"

    def type_and_leave(self, command: str, until: str) -> None:
        """Types a command in another terminal, where it goes on after `until` has come, till the end of the test."""
        self._wait(*self._start(f"exec env {command}" if not command.endswith("&") else f"{command}\nwait"), until)

    def _start(self, script: str) -> "tuple[subprocess.Popen[bytes], Path]":
        for before, after in self.replaced.items():
            script = script.replace(before, after)
        output = self.home / f"output-{len(self._started)}"
        before_it = f". {self._state}; " if self._state.exists() else ""
        with output.open("wb") as written:
            process = subprocess.Popen(
                ["bash", "-c", before_it + script],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        return process, output

    def _wait(self, process: "subprocess.Popen[bytes]", output: Path, until: str) -> None:
        """Waits for a text in the output, or with `file:` for one in the file that Playwright's recorder writes."""
        wait_until(lambda: self._has_come(until, output) or process.poll() is not None, until, LONGEST)
        assert self._has_come(until, output), output.read_text(errors="replace")

    def _has_come(self, until: str, output: Path) -> bool:
        if until.startswith("file:"):
            return any(until.removeprefix("file:") in one.read_text() for one in self.home.glob("tmp/*/recorded.py"))
        return until in output.read_text(errors="replace")

    def leave(self) -> None:
        """Ends what commands have left running, each with its own group of processes."""
        for process in self._started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(LONGEST)


def pages() -> Iterator[Path]:
    """The pages whose commands are followed."""
    yield from (ROOT / "README.md", ROOT / "CONTRIBUTING.md")
    for page in sorted((ROOT / "docs").rglob("*.md")):
        # Written by the program; its blocks show how commands are spelt.
        if page.name != "commands.md":
            yield page
