"""What records one kind of artifact: the base class of all recorders, and what the recorders of one attempt share."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import msgspec
from msgspec import Struct
from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from runner.artifacts.page_picture import VIEWPORT, Framing
from runner.browser.deadline import DeadlineReached, deadline
from runner.redaction import Redactor
from runner.redaction.document_forms import VALUE, DocumentForm
from runner.result import StepResult
from runner.settings.artifact_kinds import Policy

PATIENCE = 10.0
"""Seconds that one piece of work on artifacts may take: a hanging page must not hold the runner."""
SHORTEST = 0.5
"""Seconds that it gets in any case."""
LOOKING = 4.0
"""Seconds that looking at the pages may take after the run's timeout, all pieces of work together."""


class Recorded(Struct, frozen=True):
    """A finished file, redacted: its content, or where it was written."""

    content: bytes | Path
    step: str | None = None
    """For kinds that save one file per step."""


class Workspace:
    """What the recorders of one attempt share."""

    def __init__(self, journey: str, redactor: Redactor, redaction: bool, folder: Path, framing: Framing = VIEWPORT) -> None:
        """`folder` is for what is not redacted yet; it is removed at the end of the attempt."""
        self.journey = journey
        self.redactor = redactor
        self.redaction = redaction
        self.folder = folder
        self.framing = framing
        """What is on pictures that are compared."""
        self.notes: list[str] = []
        """For the result: what went wrong with an artifact."""
        self.kinds: set[str] = set()
        """The kinds that are recorded in this attempt, by their `option`."""
        self.looks_end = math.inf
        """When looking at pages is to end, by `time.monotonic()`: soon after the run's timeout, or the worker is taken for hanging."""
        self.silent = False
        """True once a page did not answer in time: no recorder asks it again."""

    def redact_json(self, document: bytes, form: DocumentForm = VALUE) -> bytes:
        """A JSON document of a form, redacted unless redaction is off."""
        return self.redactor.json(document, form) if self.redaction else document

    def redact_text(self, text: str) -> str:
        """A text, redacted unless redaction is off."""
        return self.redactor.text(text) if self.redaction else text

    def guard(self, what: str, work: Callable[[], object], patience: float = PATIENCE) -> None:
        """Calls `work` for at most `patience` seconds, and hardly past `looks_end`; what goes wrong becomes a note on `what`."""
        patience = min(patience, max(self.looks_end - time.monotonic(), SHORTEST))
        try:
            with deadline(patience):
                work()
        except DeadlineReached:
            self.silent = True
            self.notes.append(f"{what}: not done within {patience:g} s, given up")
        except (BadZipFile, msgspec.DecodeError, UnicodeError) as error:
            self.notes.append(f"{what}: not kept, it could not be redacted: {error}")
        except (PlaywrightError, OSError) as error:
            self.silent = self.silent or isinstance(error, PlaywrightTimeout)
            first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            self.notes.append(f"{what}: {self.redactor.text(first)}")


class Recorder:
    """Records one kind of artifact in one attempt. A subclass overrides the moments that it needs, in this order; without one, a kind has
    what `Recording.attach` is given.

    No moment is part of a step's time. Work that a page or the disk can hold up or spoil goes through `workspace.guard`, unless
    the moment says that it is guarded.
    """

    def __init__(self, workspace: Workspace, policy: Policy) -> None:
        self.workspace = workspace
        self.policy = policy
        self.findings: dict[str, dict[str, Any]] = {}
        """By step: further `signals` of its result."""

    def context_options(self) -> Mapping[str, Any]:
        """Options for `browser.new_context`."""
        return {}

    @classmethod
    def stand_by(cls, context: BrowserContext) -> None:
        """In place of all that follows, in an attempt that does not record this kind where another attempt would.

        What a journey may do must not depend on which of its attempts is recorded.
        """

    def start(self, context: BrowserContext) -> None:
        """The context is open and has no page yet."""

    def step_started(self, name: str) -> None:
        """A step is about to begin; its clock has not started."""

    def step_ended(self, step: StepResult) -> None:
        """A step has ended, and its clock was read; for what must happen before any recorder looks at the pages."""

    def look(self, context: BrowserContext, name: str, failed: bool) -> None:
        """The pages are as the step `name` left them, or, where a journey failed outside of its steps, as the journey did."""

    def stop(self, context: BrowserContext, kept: bool) -> None:
        """The context is about to be closed; guarded. What is not `kept` can be dropped."""

    def save(self) -> Iterator[Recorded]:
        """The context is closed: gives the files to keep, redacted; guarded. Not called for what is not kept."""
        yield from ()


def newest_page(context: BrowserContext) -> Page | None:
    """The newest open page; None when there is none."""
    return next((page for page in reversed(context.pages) if not page.is_closed()), None)
