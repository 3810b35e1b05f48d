"""The parts that tests are made of: the shop, and a monitor that runs journeys against it."""

import json
import os
import sys
import textwrap
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

# Hypothesis's one plugin here is trio's, for programs that no test has.
os.environ.setdefault("HYPOTHESIS_NO_PLUGINS", "1")
from hypothesis import settings as examples

from runner.archive.archive import Archive
from runner.browser.chromium import Browser, find
from runner.demo import running_shop
from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.events import Moment
from runner.result import RunResult, StepResult
from runner.settings.load_settings import load_settings
from runner.workers.pool import Workers
from runner.workers.run_plans import run_plans
from tests.support.needs import MARKERS, needed, needs, unannounced

# As in an activated environment: what a hint proposes is `journey …`, not `.venv/bin/journey …`.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
# Playwright's driver starts faster when it finds its program compiled.
os.environ.setdefault("NODE_COMPILE_CACHE", str(Path(__file__).parents[1] / ".pytest_cache" / "node"))
# Property tests: the same examples in every run, however slow the machine is, and no folder of old ones. `make quick` asks for less,
# `make thorough` for many.
examples.register_profile("quick", max_examples=8, derandomize=True, deadline=None, database=None)
examples.register_profile("few", max_examples=25, derandomize=True, deadline=None, database=None)
examples.register_profile("many", max_examples=200, derandomize=True, deadline=None, database=None)
examples.load_profile("few")
pytest_plugins = [
    "tests.support.collection",
    "tests.support.examples",
    "tests.support.services.servers",
    "tests.support.services.databases",
    "tests.support.services.object_storage",
    "tests.support.services.storage_server",
    "tests.support.services.brokers",
    "tests.support.services.daemon",
    "tests.support.services.journey_worker",
    "tests.support.services.cut_off",
    "tests.support.services.collector",
    "tests.support.services.serve",
    "tests.support.services.dashboard",
    "tests.support.services.otlp",
]

started: list[str] = []
"""Programs that were started since the test began."""


def _note(event: str, args: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        started.append(str(args[0]))


def pytest_configure(config: pytest.Config) -> None:
    """Declares the markers that tests get by themselves."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    sys.addaudithook(_note)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
    """Marks each test with what it needs, before `-m` chooses among them; then has the long tests begin first."""
    for item in items:
        for marker in sorted(needed(item)) if isinstance(item, pytest.Function) else ():
            item.add_marker(marker)
        if item.get_closest_marker("thorough") and not item.get_closest_marker("timeout"):
            # Harm that is done again and again takes minutes where other work goes on.
            item.add_marker(pytest.mark.timeout(1200))
    yield
    items[:] = long_first(items, int(getattr(config, "workerinput", {}).get("workercount", 1)))


def long_first(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """The tests in an order in which no worker is left with a long one at the end.

    `--dist worksteal` gives each worker an equal part of the list; each part begins with its share of the long tests.
    """
    long = [item for item in items if item.get_closest_marker("long") or item.get_closest_marker("thorough")]
    others = [item for item in items if not (item.get_closest_marker("long") or item.get_closest_marker("thorough"))]
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        share = long[worker::workers]
        remaining = max((len(items) - len(ordered)) // (workers - worker) - len(share), 0)
        ordered += [*share, *others[:remaining]]
        del others[:remaining]
    return [*ordered, *others]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Fails a test that starts a program although nothing that it uses has announced one."""
    started.clear()
    yield
    if started and not any(item.get_closest_marker(name) for name in MARKERS):
        pytest.fail(f"it started {', '.join(dict.fromkeys(started))}; put @needs(…) on the fixture or helper that does")
    if missing := unannounced(item):
        pytest.fail(f"its fixtures need {', '.join(sorted(missing))}, but it is not marked so: name them where `needed` looks")


@pytest.fixture(scope="session")
def shop() -> Iterator[str]:
    """The demo shop's address."""
    with running_shop() as address:
        yield address


@pytest.fixture(scope="session")
def slow_shop() -> Iterator[str]:
    """Another shop, in which every answer takes 400 ms longer."""
    with running_shop(delay=400) as address:
        yield address


@pytest.fixture(scope="session")
@needs("browser")
def chromium() -> Browser:
    """The Chromium of this machine."""
    return find()


@pytest.fixture(scope="session")
def pool() -> Iterator[Workers]:
    """One worker with a warm browser, shared by all tests that run journeys one after the other."""
    with Workers(1) as workers:
        yield workers


class Monitor:
    """Writes journey files and runs them, as `journey run` would."""

    def __init__(self, folder: Path, shop: str, chromium: Browser, pool: Workers) -> None:
        self.folder = folder
        self.shop = shop
        self.chromium = chromium
        self.pool = pool
        self.archive = Archive(folder / "runs")
        self.moments: list[Moment] = []

    def write(self, code: str, name: str = "walk.py") -> Path:
        """A file with `from runner import expect, journey` above `code`."""
        file = self.folder / name
        file.write_text("from runner import expect, journey\n" + textwrap.dedent(code))
        return file

    def run(self, code: str, **options: Any) -> RunResult:
        """Runs the one journey declared in `code` once; `options` are settings."""
        (journey,) = load_journeys(self.write(code))
        settings = load_settings(self.folder, {"base_url": self.shop, **options}, {})
        (result,) = run_plans(
            self.pool, [plan(journey, settings)], self.chromium, settings, self.archive, [self.moments.append]
        )
        return result

    def step(self, body: str, before: str = "", **options: Any) -> StepResult:
        """Runs a journey whose first step is `before` and whose second is `body`; returns the second."""
        code = "@journey\ndef walk(page, context, step, request):\n"
        code += "    with step('before'):\n" + textwrap.indent(textwrap.dedent(before) or "pass", " " * 8) + "\n"
        code += "    with step('measured'):\n" + textwrap.indent(textwrap.dedent(body), " " * 8) + "\n"
        step = self.run(code, **options).steps[1]
        if step.latency_seconds is not None and step.wall_seconds is not None:
            assert step.latency_seconds <= step.wall_seconds
        return step

    def saved(self) -> Path:
        """The folder of the newest run."""
        return self.archive.find("last").folder


@pytest.fixture
def monitor(tmp_path: Path, shop: str, chromium: Browser, pool: Workers) -> Monitor:
    """A monitor with an empty folder, whose base URL is the shop."""
    return Monitor(tmp_path, shop, chromium, pool)


@pytest.fixture
def no_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Playwright looks for its ffmpeg in this empty folder; it must be set before a worker starts."""
    folder = tmp_path / "browsers"
    folder.mkdir()
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(folder))
    return folder


@pytest.fixture
def ffmpeg(no_ffmpeg: Path) -> str:
    """An ffmpeg from PyPI where Playwright looks for its own; the program's path."""
    import imageio_ffmpeg
    import playwright

    listing = json.loads((Path(playwright.__file__).parent / "driver/package/browsers.json").read_text())
    revision = next(one["revision"] for one in listing["browsers"] if one["name"] == "ffmpeg")
    home = no_ffmpeg / f"ffmpeg-{revision}"
    home.mkdir()
    program: str = imageio_ffmpeg.get_ffmpeg_exe()
    (home / "ffmpeg-linux").symlink_to(program)
    (home / "INSTALLATION_COMPLETE").touch()
    return program
