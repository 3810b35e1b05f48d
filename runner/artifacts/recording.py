"""All artifacts of one attempt: recorded as the policies say, kept or dropped at its end.

What goes wrong with an artifact becomes a note in the result and never changes the run. What is recorded waits outside the
run's folder until everything secret in it is hidden; what cannot be redacted is not kept.
"""

import hashlib
import math
import os
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from shutil import rmtree
from typing import Any

from msgspec.structs import replace
from playwright.sync_api import BrowserContext

from runner.accessibility import Audit, AuditRequest
from runner.archive.archive import RAW
from runner.artifacts import mask, policy
from runner.artifacts.page_picture import Framing
from runner.artifacts.recorder import LOOKING, Recorded, Recorder, Workspace, newest_page
from runner.artifacts.script_cpu import ScriptCpuMeter
from runner.dsl.plan import Plan
from runner.private_files import FILE, make_private_folder
from runner.redaction import Redactor
from runner.result import Artifact, StepResult
from runner.settings.artifact_kinds import ARTIFACT_KINDS, ArtifactKind

AUDIT_PICTURES = "accessibility_pictures"
REDACTION = 60.0
"""Seconds that the redaction of one kind of artifact may take."""

for _kind in ARTIFACT_KINDS.values():
    # Imported now, while a worker starts, and not in its first run.
    _kind.load_recorder()


class Recording:
    """Created before the browser context, started with it, notified of its steps, and finished, which closes the context."""

    def __init__(self, plan: Plan, attempt: int, folder: Path, redactor: Redactor, room: int, seconds: float) -> None:
        """`folder` is where the artifacts are kept, `room` the number of bytes they may take, `seconds` how long the attempt may last."""
        self._attempt = attempt
        self._folder = folder
        self._room = room
        framing = Framing(area=plan.picture_area, ignore=plan.picture_ignore)
        self._workspace = Workspace(plan.journey, redactor, plan.redaction, folder.with_name(folder.name + RAW), framing)
        self._workspace.looks_end = time.monotonic() + seconds + LOOKING
        self._context: BrowserContext | None = None
        self._recorders: list[tuple[ArtifactKind, Recorder]] = []
        self._standing_by: list[type[Recorder]] = []
        for kind in sorted(ARTIFACT_KINDS.values(), key=lambda kind: kind.order):
            wanted = plan.artifact_policies.get(kind.option, kind.policy)
            if policy.is_recorded(wanted, attempt):
                self._workspace.kinds.add(kind.option)
                self._recorders.append((kind, kind.load_recorder()(self._workspace, wanted)))
            elif wanted != "off":
                self._standing_by.append(kind.load_recorder())
        self._meters: list[Recorder] = [ScriptCpuMeter(self._workspace, "on")] if plan.measures_script_cpu else []
        self.artifacts: list[Artifact] = []
        self._attached: list[tuple[ArtifactKind, str, Recorded]] = []
        self._plan = plan

    @property
    def notes(self) -> list[str]:
        """What went wrong, for the result."""
        return self._workspace.notes

    @property
    def _all(self) -> list[Recorder]:
        """Those that keep no file first: what the others do with a page is not the step's."""
        return [*self._meters, *(recorder for _, recorder in self._recorders)]

    def add_findings(self, steps: Sequence[StepResult]) -> tuple[StepResult, ...]:
        """The steps with what recorders have found beside their files."""
        return tuple(self._add_findings(step) for step in steps)

    def _add_findings(self, step: StepResult) -> StepResult:
        found = {name: value for one in self._all for name, value in one.findings.get(step.name, {}).items()}
        known = step.signals if isinstance(step.signals, dict) else {}
        return replace(step, signals={**known, **found}) if found else step

    def context_options(self) -> dict[str, Any]:
        """What the browser context has to know before it is opened."""
        return {name: value for _, recorder in self._recorders for name, value in recorder.context_options().items()}

    def start(self, context: BrowserContext) -> None:
        """Begins to record `context`."""
        self._context = context
        if self._workspace.redactor.secrets and any(kind.pictures for kind, _ in self._recorders):
            mask.mask_fields(context, self._workspace.redactor)
        for recorder in self._all:
            recorder.start(context)
        for waiting in self._standing_by:
            waiting.stand_by(context)

    def step_started(self, name: str) -> None:
        """To be called before the step's clock starts."""
        for recorder in self._all:
            recorder.step_started(name)

    def step_ended(self, step: StepResult) -> None:
        """To be called after the step's clock was read."""
        for recorder in self._all:
            recorder.step_ended(step)
        self.look(step.name, step.failure is not None)

    def look(self, name: str, failed: bool) -> None:
        """Lets the recorders look at the pages, under the name of a step or, after a failure outside of all steps, the journey's."""
        if self._context is not None:
            for _, recorder in self._recorders:
                recorder.look(self._context, name, failed)

    def attach_picture(self, name: str, content: bytes, step: str) -> str:
        """Keeps a picture that the journey itself has taken, whatever the policy; returns its path in the run's folder."""
        return self._attach("pictures", name, content, step)

    def audit(self, step: str, asked: AuditRequest | None) -> Audit | None:
        """Checks the newest page for accessibility, if the plan says so or the journey has asked for it; to be called after `step_ended`."""
        page = newest_page(self._context) if self._context is not None else None
        if page is None or (asked is None and self._plan.accessibility == "off"):
            return None
        # Only a run that checks pages needs it.
        from runner.artifacts.accessibility.step_audit import audit_step

        stem = policy.slug(self._workspace.redact_text(step))
        pictured = any(kind.option == AUDIT_PICTURES for kind, _ in self._recorders)

        def keep(content: bytes) -> str:
            return self._attach(AUDIT_PICTURES, f"{stem}.png", content, step)

        scope = (asked or AuditRequest()).resolve(self._plan.audit_scope)
        return audit_step(self._workspace, page, step, scope, keep if pictured else None)

    def _attach(self, option: str, name: str, content: bytes, step: str) -> str:
        kind = ARTIFACT_KINDS[option]
        stem, _, suffix = name.rpartition(".")
        folder = kind.file.partition("/")[0]
        used = {name.removeprefix(f"{folder}/").partition(".")[0] for _, name, _ in self._attached}
        stem = _find_unused(policy.number_file(stem, "", self._attempt, self._attempt == 1), used)
        file = f"{folder}/{stem}.{suffix}"
        self._attached.append((kind, file, Recorded(content, step)))
        return file

    def finish(self, passed: bool, last: bool) -> None:
        """Keeps or drops what was recorded and closes the context; `last`: no other attempt will follow."""
        context = self._context
        if context is None:
            return
        self._workspace.looks_end = math.inf
        guard = self._workspace.guard
        kept = []
        for kind, recorder in self._recorders:
            keeps = policy.is_kept(recorder.policy, self._attempt, passed)
            guard(kind.option, partial(recorder.stop, context, keeps))
            if keeps:
                kept.append((kind, recorder))
        guard("closing the browser context", context.close)
        for kind, recorder in kept:
            guard(kind.option, partial(self._save, kind, recorder, last), REDACTION)
        dropped = {kind.option for kind, _ in self._recorders} - {kind.option for kind, _ in kept} - {"pictures"}
        for kind, name, recorded in self._attached:
            if kind.option not in dropped:
                guard(name, partial(self._keep, kind, recorded, name))
        rmtree(self._workspace.folder, ignore_errors=True)

    def discard(self) -> None:
        """Drops what was recorded and closes the context."""
        context = self._context
        if context is None:
            return
        for kind, recorder in self._recorders:
            self._workspace.guard(kind.option, partial(recorder.stop, context, False))
        self._workspace.guard("closing the browser context", context.close)
        rmtree(self._workspace.folder, ignore_errors=True)

    def _save(self, kind: ArtifactKind, recorder: Recorder, last: bool) -> None:
        folder, _, name = kind.file.rpartition("/")
        pattern, dot, suffix = name.partition(".")
        used: set[str] = set()
        for recorded in recorder.save():
            stem = _find_unused(pattern.replace("<step>", policy.slug(self._workspace.redact_text(recorded.step or ""))), used)
            used.add(stem)
            file = policy.number_file(stem, dot + suffix, self._attempt, last)
            self._keep(kind, recorded, f"{folder}/{file}" if folder else file)

    def _keep(self, kind: ArtifactKind, recorded: Recorded, name: str) -> None:
        """Gives a finished file its name in the run's folder, whole and synced, if there is room for it."""
        if isinstance(recorded.content, Path):
            file = recorded.content
        else:
            make_private_folder(self._workspace.folder)
            file = self._workspace.folder / "written"
            file.write_bytes(recorded.content)
        size = file.stat().st_size
        if size > self._room:
            self.notes.append(f"{name}: not kept, {size} bytes are over what artifact_limit leaves for it ({self._room})")
            return
        with file.open("rb") as written:
            os.fsync(written.fileno())
            digest = hashlib.file_digest(written, "sha256").hexdigest()
        # Playwright writes some of them.
        file.chmod(FILE)
        make_private_folder((self._folder / name).parent)
        file.replace(self._folder / name)
        self._room -= size
        self.artifacts.append(
            Artifact(kind=kind.name, path=name, bytes=size, sha256=digest, attempt=self._attempt, step=recorded.step)
        )


def _find_unused(stem: str, used: set[str]) -> str:
    """`stem`, or where it is taken the first of `stem-2`, `stem-3` … that is not."""
    return next(one for one in (stem, *(f"{stem}-{number}" for number in range(2, len(used) + 2))) if one not in used)
