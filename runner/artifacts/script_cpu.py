"""How long scripts have run in each step: Chromium's own sums (Performance.getMetrics), read before and after it.

Long tasks say only what takes 50 ms or more; a profile slows down what it measures. These sums are kept by the renderer anyway once
they are asked for, and reading them is one message for each page, while no step is timed.
"""

from typing import Any

from playwright.sync_api import BrowserContext

from runner.artifacts.recorder import Recorder
from runner.browser.driver.instruments import Command, Instruments
from runner.result import StepResult

START: tuple[Command, ...] = (("Performance.enable", {"timeDomain": "timeTicks"}),)
READ: Command = ("Performance.getMetrics", {})
SUMS = {"ScriptDuration": "script_seconds", "TaskDuration": "task_seconds"}


class ScriptCpuMeter(Recorder):
    """Keeps no file. What a page did is lost where another process has replaced its renderer within a step."""

    def start(self, context: BrowserContext) -> None:
        """Begins before the first page."""
        self._instruments: Instruments | None = None
        self._known: dict[int, dict[str, float]] = {}
        self._busy: dict[str, float] = {}
        self.workspace.guard("script_cpu", lambda: self._begin(context))

    def _begin(self, context: BrowserContext) -> None:
        self._instruments = Instruments(context, "script_cpu", START)

    def step_started(self, name: str) -> None:
        """What has happened since the last step is not this one's."""
        self.workspace.guard("script_cpu", self._read)

    def step_ended(self, step: StepResult) -> None:
        """Reads what has been added since the step began."""
        self._busy = {}
        self.workspace.guard("script_cpu", self._read)
        if self._busy:
            self.findings[step.name] = {"cpu": {key: round(value, 6) for key, value in self._busy.items()}}

    def _read(self) -> None:
        if self._instruments is None:
            return
        busy = dict.fromkeys(SUMS.values(), 0.0)
        for session in self._instruments.collect(READ):
            (answer,) = session.answers
            if answer is None:
                continue
            now = _read_sums(answer)
            before = self._known.get(session.id, {})
            for key, value in now.items():
                # A new process counts from zero.
                busy[key] += value - before[key] if value >= before.get(key, 0.0) and key in before else value
            self._known[session.id] = now
        self._busy = busy


def _read_sums(answer: dict[str, Any]) -> dict[str, float]:
    return {SUMS[one["name"]]: float(one["value"]) for one in answer["metrics"] if one["name"] in SUMS}
