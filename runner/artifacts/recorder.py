"""All artifacts of one attempt: recorded as the policies say, kept or dropped at its end.

What goes wrong with an artifact becomes a note in the result and never changes the run. What is recorded waits outside the
run's folder until everything secret in it is hidden; what cannot be redacted is not kept.
"""

import gzip
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from shutil import rmtree
from typing import Any
from zipfile import BadZipFile

import msgspec
from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from runner.archive.archive import RAW
from runner.artifacts import aria, mask, policy, screenshot, trace
from runner.artifacts.logs import NAMES, Logs
from runner.artifacts.replay import Replays
from runner.browser.chromium import can_record_video
from runner.browser.deadline import DeadlineReached, deadline
from runner.dsl.plan import Plan
from runner.redaction import Redactor
from runner.result import Artifact, ArtifactKind, StepResult
from runner.untrusted_text import well_formed

PATIENCE = 10.0
"""Seconds that one piece of work on artifacts may take: a hanging page must not hold the runner."""
REDACTION = 60.0
"""Seconds that the redaction of one artifact may take."""


class Recording:
    """Made before the browser context, started with it, told of its steps, and finished: which closes the context."""

    def __init__(self, plan: Plan, attempt: int, folder: Path, redactor: Redactor, room: int) -> None:
        """`folder` takes the artifacts, `room` is how many bytes they may have."""
        self._plan = plan
        self._attempt = attempt
        self._folder = folder
        self._raw = folder.with_name(folder.name + RAW)
        self._redactor = redactor
        self._room = room
        self._context: BrowserContext | None = None
        self._pictures: dict[str, Path] = {}
        self._trees: dict[str, str] = {}
        self._logs: Logs | None = None
        self._replays: Replays | None = None
        self._secret_seen = False
        self._silent = False
        """True once a page did not answer in time: it is not asked again."""
        self.artifacts: list[Artifact] = []
        self.notes: list[str] = []
        self._films = self._records("video")
        if self._films and not can_record_video():
            self._films = False
            self.notes.append("video: not recorded, Playwright's ffmpeg is missing; get it with `playwright install ffmpeg`")

    def _records(self, kind: str) -> bool:
        return policy.records(getattr(self._plan, kind), self._attempt)

    def _keeps(self, kind: str, passed: bool) -> bool:
        return policy.keeps(getattr(self._plan, kind), self._attempt, passed)

    def context_options(self) -> dict[str, Any]:
        """What the browser context has to know before it is opened."""
        options: dict[str, Any] = {"record_video_dir": self._raw} if self._films else {}
        if self._records("har"):
            options.update(record_har_path=self._raw / "requests.har", record_har_content="embed")
        return options

    def start(self, context: BrowserContext) -> None:
        """Begins to record `context`."""
        self._context = context
        self._logs = Logs(context, {kind for kind in NAMES if self._records(kind)})
        if self._records("replay"):
            self._replays = Replays(context)
        if self._redactor.secrets and any(map(self._records, ("trace", "screenshots", "video"))):
            mask.mask_fields(context, self._redactor)
        if self._records("trace"):
            trace.start(context, self._plan.journey)

    def step_started(self, name: str) -> None:
        """Opens the step's group in the trace; to be called before the step's clock starts."""
        if self._records("trace") and self._context:
            self._context.tracing.group(name)

    def step_ended(self, step: StepResult) -> None:
        """Closes the step's group, and takes its picture; to be called after the step's clock was read."""
        if self._records("trace") and self._context:
            self._guard("trace", self._context.tracing.group_end)
        if step.failure is not None or self._plan.screenshots == "on":
            self.take_picture(step.name)
        if step.failure is not None or self._plan.aria == "on":
            self.take_tree(step.name)
        if self._films and self._context and not self._secret_seen:
            self._guard("video", self._look_for_secrets)

    def _look_for_secrets(self) -> None:
        pages = self._context.pages if self._context else []
        self._secret_seen = any(mask.is_shown(page, self._redactor) for page in pages if not page.is_closed())

    def take_picture(self, name: str) -> None:
        """A screenshot under the name of a step, if the policy records any."""
        context = self._context
        if context is None or self._silent or not self._records("screenshots"):
            return
        file = self._raw / f"{_unused(screenshot.slug(name), {taken.stem for taken in self._pictures.values()})}.png"

        def take() -> None:
            if screenshot.take(context, file, self._redactor) is not None:
                self._pictures[name] = file

        self._guard(f"screenshot of {name!r}", take)

    def take_tree(self, name: str) -> None:
        """The accessibility tree of the page under the name of a step, if the policy records any."""
        context = self._context
        if context is None or self._silent or not self._records("aria"):
            return

        def take() -> None:
            tree = aria.take(context)
            if tree is not None:
                self._trees[name] = tree

        self._guard(f"accessibility tree of {name!r}", take)

    def finish(self, passed: bool, last: bool) -> None:
        """Keeps or drops what was recorded and closes the context; `last`: no other attempt will follow.

        The small and telling artifacts come first, so that the run's limit drops the large ones.
        """
        context = self._context
        if context is None:
            return
        pages = list(context.pages)
        replays = self._replays if self._keeps("replay", passed) else None
        if replays is not None and not self._silent:
            self._guard("replay", replays.gather)
        if self._logs is not None:
            self._guard("failed_requests", self._logs.gather)
        raw_trace = self._raw / "trace.zip" if self._keeps("trace", passed) else None
        if self._records("trace"):
            self._guard("trace", lambda: trace.stop(context, raw_trace))
        self._guard("closing the browser context", context.close)
        self._guard("screenshots", lambda: self._finish_pictures(passed, last))
        self._guard("accessibility tree", lambda: self._finish_trees(passed, last), REDACTION)
        for kind in NAMES:
            self._guard(kind, partial(self._finish_log, kind, passed, last), REDACTION)
        if replays is not None:
            self._guard("replay", lambda: self._finish_replays(replays, last), REDACTION)
        if raw_trace is not None and raw_trace.exists():
            self._guard("trace", lambda: self._finish_trace(raw_trace, last), REDACTION)
        if self._keeps("har", passed):
            self._guard("har", lambda: self._finish_har(last), REDACTION)
        if self._films and self._keeps("video", passed):
            self._guard("video", lambda: self._finish_videos(pages, last))
        rmtree(self._raw, ignore_errors=True)

    def _finish_trace(self, raw: Path, last: bool) -> None:
        if not self._plan.redaction:
            return self._keep("trace", raw, policy.numbered("trace", ".zip", self._attempt, last))
        redacted = self._raw / "redacted.zip"
        left_out = trace.redact(raw, redacted, self._redactor)
        if left_out:
            self.notes.append(f"trace: {left_out} pictures left out, a secret stood on the page")
        return self._keep("trace", redacted, policy.numbered("trace", ".zip", self._attempt, last))

    def _finish_har(self, last: bool) -> None:
        raw = self._raw / "requests.har"
        if self._plan.redaction:
            raw.write_bytes(self._redactor.json(raw.read_bytes()))
        self._keep("har", raw, policy.numbered("requests", ".har", self._attempt, last))

    def _finish_log(self, kind: ArtifactKind, passed: bool, last: bool) -> None:
        text = self._logs.text(kind) if self._logs and self._keeps(kind, passed) else None
        if text is None:
            return
        clean = b"\n".join(self._redactor.json(line) for line in text.splitlines()) + b"\n" if self._plan.redaction else text
        self._write(kind, clean, policy.numbered(NAMES[kind], ".jsonl", self._attempt, last))

    def _finish_replays(self, replays: Replays, last: bool) -> None:
        if replays.cut:
            self.notes.append("replay: not whole, a page changed more than is kept")
        for number, recording in enumerate(replays.written(self._plan.journey), start=1):
            clean = self._redactor.json(recording) if self._plan.redaction else recording
            stem = "replay" if number == 1 else f"replay-{number}"
            self._write("replay", gzip.compress(clean, 6), policy.numbered(stem, ".json.gz", self._attempt, last))

    def _finish_trees(self, passed: bool, last: bool) -> None:
        if not self._keeps("aria", passed):
            return
        stems: set[str] = set()
        for step, tree in self._trees.items():
            stem = _unused(screenshot.slug(step), stems)
            stems.add(stem)
            clean = self._redactor.text(tree) if self._plan.redaction else tree
            self._write(
                "aria", well_formed(clean).encode(), f"aria/{policy.numbered(stem, '.yaml', self._attempt, last)}", step
            )

    def _finish_videos(self, pages: list[Page], last: bool) -> None:
        if self._secret_seen and self._plan.redaction:
            self.notes.append("video: not kept, a secret stood on the page")
            return
        for number, page in enumerate((page for page in pages if page.video is not None), start=1):
            if page.video is not None:
                stem = "video" if number == 1 else f"video-{number}"
                self._keep("video", Path(page.video.path()), policy.numbered(stem, ".webm", self._attempt, last))

    def _finish_pictures(self, passed: bool, last: bool) -> None:
        if self._keeps("screenshots", passed):
            for step, taken in self._pictures.items():
                name = f"screenshots/{policy.numbered(taken.stem, '.png', self._attempt, last)}"
                self._keep("screenshot", taken, name, step)

    def _write(self, kind: ArtifactKind, content: bytes, name: str, step: str | None = None) -> None:
        self._raw.mkdir(parents=True, exist_ok=True)
        file = self._raw / "written"
        file.write_bytes(content)
        self._keep(kind, file, name, step)

    def _keep(self, kind: ArtifactKind, file: Path, name: str, step: str | None = None) -> None:
        """Gives a finished file its name in the run's folder, whole and synced, if there is room for it."""
        size = file.stat().st_size
        if size > self._room:
            self.notes.append(f"{name}: not kept, {size} bytes are over what artifact_limit leaves for it ({self._room})")
            return
        with file.open("rb") as written:
            os.fsync(written.fileno())
        (self._folder / name).parent.mkdir(exist_ok=True)
        file.replace(self._folder / name)
        self._room -= size
        self.artifacts.append(Artifact(kind=kind, path=name, bytes=size, attempt=self._attempt, step=step))

    def _guard(self, what: str, work: Callable[[], object], patience: float = PATIENCE) -> None:
        try:
            with deadline(patience):
                work()
        except DeadlineReached:
            self._silent = True
            self.notes.append(f"{what}: not done within {patience:g} s, given up")
        except (BadZipFile, msgspec.DecodeError, UnicodeError) as error:
            self.notes.append(f"{what}: not kept, it could not be redacted: {error}")
        except (PlaywrightError, OSError) as error:
            self._silent = self._silent or isinstance(error, PlaywrightTimeout)
            first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            self.notes.append(f"{what}: {self._redactor.text(first)}")


def _unused(stem: str, used: set[str]) -> str:
    while stem in used:
        stem += "-2"
    return stem
