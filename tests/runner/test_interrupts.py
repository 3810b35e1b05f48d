"""Ctrl-C and SIGTERM at the moment in which a run ends."""

import signal
from pathlib import Path

import pytest

from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.events import Moment, RunEnded
from runner.settings.load_settings import load_settings
from runner.workers.interrupts import held_interrupts
from runner.workers.run_plans import run_plans
from tests.conftest import Monitor
from tests.support.commands import Ended, run_here


def interrupt(times: int, reached: list[str]) -> None:
    with held_interrupts():
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        reached.append("the end")


@pytest.mark.parametrize(("times", "reached"), [(1, ["the end"]), (2, [])])
def test_one_interrupt_is_held_back_until_the_end_of_the_block_but_not_a_second(times: int, reached: list[str]) -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupt(times, done)
    assert done == reached
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_while_the_command_is_loaded_ends_it_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("runner.cli.application.make_app", lambda _: signal.raise_signal(signal.SIGTERM))
    assert run_here(tmp_path, ["list"], {}) == Ended(130, "", "")


def test_a_run_that_is_interrupted_as_it_ends_has_one_end(monitor: Monitor) -> None:
    ended: list[RunEnded] = []

    def stop(moment: Moment) -> None:
        if isinstance(moment, RunEnded):
            signal.raise_signal(signal.SIGINT)
            ended.append(moment)

    (walk,) = load_journeys(monitor.write("@journey\ndef walk(page):\n    page.goto('/')\n"))
    settings = load_settings(monitor.folder, {"base_url": monitor.shop}, {})
    with pytest.raises(KeyboardInterrupt):
        run_plans(monitor.pool, [plan(walk, settings)], monitor.chromium, settings, monitor.archive, [stop])
    assert [(one.result.status, one.result.notes) for one in ended] == [("passed", ())]
    assert len(list(monitor.archive.runs())) == 1
