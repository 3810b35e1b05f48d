"""All artifacts of one attempt: recorded as the policies say, kept or dropped at its end.

What goes wrong with an artifact becomes a note in the result and never changes the run.
"""

from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from typing import Any

from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError

from runner.artifacts import policy, screenshot, trace
from runner.browser import can_record_video
from runner.deadline import DeadlineReached, deadline
from runner.plan import Plan
from runner.result import Artifact, StepResult

PATIENCE = 10.0
"""Seconds that one piece of work on artifacts may take: a hanging page must not hold the runner."""
HIDDEN = ".recording"


class Recording:
    """Made before the browser context, started with it, told of its steps, and finished: which closes the context."""

    def __init__(self, plan: Plan, attempt: int, folder: Path) -> None:
        self._plan = plan
        self._attempt = attempt
        self._folder = folder
        self._context: BrowserContext | None = None
        self._traces = policy.records(plan.trace, attempt)
        self._pictures: dict[str, Path] = {}
        self._films = policy.records(plan.video, attempt)
        self.artifacts: list[Artifact] = []
        self.notes: list[str] = []
        if self._films and not can_record_video():
            self._films = False
            self.notes.append("video: not recorded, Playwright's ffmpeg is missing; get it with `playwright install ffmpeg`")

    def context_options(self) -> dict[str, Any]:
        """What the browser context has to know before it is opened."""
        return {"record_video_dir": self._folder / HIDDEN} if self._films else {}

    def start(self, context: BrowserContext) -> None:
        """Begins to record `context`."""
        self._context = context
        if self._traces:
            trace.start(context, self._plan.journey)

    def step_started(self, name: str) -> None:
        """Opens the step's group in the trace; to be called before the step's clock starts."""
        if self._traces and self._context:
            self._context.tracing.group(name)

    def step_ended(self, step: StepResult) -> None:
        """Closes the step's group, and takes its picture; to be called after the step's clock was read."""
        if self._traces and self._context:
            self._guard("trace", self._context.tracing.group_end)
        if step.failure is not None or self._plan.screenshots == "on":
            self.take_picture(step.name)

    def take_picture(self, name: str) -> None:
        """A screenshot under the name of a step, if the policy records any."""
        context = self._context
        if context is None or not policy.records(self._plan.screenshots, self._attempt):
            return
        stem = screenshot.slug(name)
        while any(taken.stem == stem for taken in self._pictures.values()):
            stem += "-2"
        file = self._folder / HIDDEN / f"{stem}.png"

        def take() -> None:
            if screenshot.take(context, file) is not None:
                self._pictures[name] = file

        self._guard(f"screenshot of {name!r}", take)

    def finish(self, passed: bool, last: bool) -> None:
        """Keeps or drops what was recorded and closes the context; `last`: no other attempt will follow."""
        context = self._context
        if context is None:
            return
        pages = list(context.pages)
        if self._traces:
            self._guard("trace", lambda: self._finish_trace(context, passed, last))
        self._guard("closing the browser context", context.close)
        if self._films:
            self._guard("video", lambda: self._finish_videos(pages, passed, last))
        self._guard("screenshots", lambda: self._finish_pictures(passed, last))
        rmtree(self._folder / HIDDEN, ignore_errors=True)

    def _finish_trace(self, context: BrowserContext, passed: bool, last: bool) -> None:
        kept = policy.keeps(self._plan.trace, self._attempt, passed)
        name = policy.numbered("trace", ".zip", self._attempt, last)
        # A trace that could not be finished must not stand there under its name.
        unfinished = self._folder / HIDDEN / name
        trace.stop(context, unfinished if kept else None)
        if kept:
            unfinished.replace(self._folder / name)
            self._add("trace", name)

    def _finish_videos(self, pages: list[Page], passed: bool, last: bool) -> None:
        kept = policy.keeps(self._plan.video, self._attempt, passed)
        for number, page in enumerate((page for page in pages if page.video is not None), start=1):
            if page.video is None:
                continue
            recorded = Path(page.video.path())
            if not kept:
                recorded.unlink(missing_ok=True)
                continue
            stem = "video" if number == 1 else f"video-{number}"
            name = policy.numbered(stem, ".webm", self._attempt, last)
            recorded.replace(self._folder / name)
            self._add("video", name)

    def _finish_pictures(self, passed: bool, last: bool) -> None:
        kept = policy.keeps(self._plan.screenshots, self._attempt, passed)
        for step, taken in self._pictures.items():
            if not kept:
                taken.unlink()
                continue
            name = f"screenshots/{policy.numbered(taken.stem, '.png', self._attempt, last)}"
            (self._folder / name).parent.mkdir(exist_ok=True)
            taken.replace(self._folder / name)
            self._add("screenshot", name, step)

    def _add(self, kind: Any, name: str, step: str | None = None) -> None:
        size = (self._folder / name).stat().st_size
        self.artifacts.append(Artifact(kind=kind, path=name, bytes=size, attempt=self._attempt, step=step))

    def _guard(self, what: str, work: Callable[[], object]) -> None:
        try:
            with deadline(PATIENCE):
                work()
        except DeadlineReached:
            self.notes.append(f"{what}: not done within {PATIENCE:g} s, given up")
        except (PlaywrightError, OSError) as error:
            first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            self.notes.append(f"{what}: {first}")
