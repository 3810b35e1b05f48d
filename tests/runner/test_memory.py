"""The memory that is left, and what is said when there is none."""

from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Error as PlaywrightError

from runner.browser import memory
from runner.execution.failure import explain_failure
from tests.conftest import Monitor


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the kernel tells in a container with a gigabyte, of which 700 MB are used and 100 of those can be had back."""
    files = {
        "max": "1000000000",
        "current": "700000000",
        "stat": "anon 5\ninactive_file 100000000\n",
        "events": "oom 1\noom_kill 3\n",
    }
    for name, content in files.items():
        (tmp_path / f"memory.{name}").write_text(content)
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    return tmp_path


def test_a_container_has_what_its_limit_leaves(container: Path) -> None:
    assert memory.available() == 400_000_000
    assert memory.kills() == 3


def test_a_container_without_a_limit_has_what_the_machine_has(container: Path) -> None:
    (container / "memory.max").write_text("max")
    assert memory.available() == pytest.approx(psutil.virtual_memory().available, rel=0.2)


def test_a_browser_that_the_oom_killer_has_ended_is_named_as_such() -> None:
    failure = explain_failure(PlaywrightError("Target crashed"), __file__, "https://shop.example/", True, True)
    assert failure.kind == "crash"
    assert "OOM killer ended the browser or one of its processes at https://shop.example/: run fewer" in failure.message
    assert "OOM" not in explain_failure(PlaywrightError("Target crashed"), __file__, "https://shop.example/").message
    assert explain_failure(AssertionError("no"), __file__, None, True, True).message == "no"


def test_no_browser_is_started_without_memory_for_it(monitor: Monitor) -> None:
    result = monitor.run(
        "@journey\ndef walk(page, step):\n    with step('a'):\n        page.goto('/')\n", min_free_memory="900TB"
    )
    assert (result.status, result.failure and result.failure.kind) == ("error", "browser")
    assert result.failure
    assert "less than min_free_memory (900000000 MB): no browser was started; use fewer workers" in result.failure.message
