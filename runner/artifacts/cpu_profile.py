"""A CPU profile of each step, as Chromium's profiler and speedscope open it, and its busiest functions."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from playwright.sync_api import BrowserContext

from runner.artifacts.profile_summary import summarize_profile
from runner.artifacts.recorder import Recorded, Recorder
from runner.browser.driver.instruments import Command, Instruments
from runner.result import StepResult
from runner.untrusted_text import LONGEST_NAME, tamed

INTERVAL = 500
"""Microseconds between two samples."""
BEGIN: Command = ("Profiler.start", {})
START: tuple[Command, ...] = (("Profiler.enable", {}), ("Profiler.setSamplingInterval", {"interval": INTERVAL}), BEGIN)
READ: Command = ("Profiler.stop", {})
PAGES = 3
"""Profiles that are kept of a step with several pages, or frames with processes of their own: the busiest."""


class CpuProfileRecorder(Recorder):
    """One profile for each step. Sampling slows scripts down, so a run with it should not be counted."""

    def start(self, context: BrowserContext) -> None:
        """Begins before the first page."""
        self._instruments: Instruments | None = None
        self._profiles: list[tuple[str, Mapping[str, Any]]] = []
        self.workspace.guard("cpu_profile", lambda: self._begin(context))

    def _begin(self, context: BrowserContext) -> None:
        self._instruments = Instruments(context, "cpu_profile", START)

    def step_started(self, name: str) -> None:
        """What has happened since the last step is not this one's."""
        self.workspace.guard("cpu_profile", self._read)

    def step_ended(self, step: StepResult) -> None:
        """Keeps what has been sampled since the step began."""
        self.workspace.guard("cpu_profile", lambda: self._keep(step.name))

    def _read(self) -> list[Mapping[str, Any]]:
        if self._instruments is None:
            return []
        answers = [session.answers[0] for session in self._instruments.collect(READ, BEGIN)]
        return [answer["profile"] for answer in answers if answer is not None and answer.get("profile", {}).get("samples")]

    def _keep(self, step: str) -> None:
        summaries = [(summarize_profile(profile), profile) for profile in self._read()]
        busy = sorted((one for one in summaries if one[0].busy_seconds), key=lambda one: -one[0].busy_seconds)[:PAGES]
        self._profiles += [(step, profile) for _, profile in busy]
        if busy:
            summary = busy[0][0]
            functions = [
                {
                    "function": tamed(one.function, LONGEST_NAME),
                    "url": self.workspace.redact_text(tamed(one.url)),
                    "line": one.line,
                    "column": one.column,
                    "self_seconds": one.self_seconds,
                    "total_seconds": one.total_seconds,
                }
                for one in summary.functions
            ]
            self.findings[step] = {"cpu_profile": {"busy_seconds": summary.busy_seconds, "functions": functions}}

    def save(self) -> Iterator[Recorded]:
        """A file for each profile."""
        for step, profile in self._profiles:
            yield Recorded(self.workspace.redact_json(msgspec.json.encode(profile)), step)
