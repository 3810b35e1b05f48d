"""Playwright's trace: every action with snapshots of the page before and after, network, console and sources.

Playwright writes it as a ZIP of lines of JSON (`*.trace`, `*.network`, `*.stacks`), what the site sent and was sent
(`resources/`), pictures (`screencast/`) and source files (`src/`). Playwright cannot hide anything in it; `redact_trace` does.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import msgspec
from playwright.sync_api import BrowserContext

from runner.artifacts.mask import MASK
from runner.artifacts.recorder import Recorded, Recorder
from runner.browser.driver.playwright_internals import reserve_tracing
from runner.private_files import make_private_folder
from runner.redaction import Redactor
from runner.redaction.document_forms import PLAYWRIGHT
from runner.result import StepResult
from runner.untrusted_text import decode_json

LINES = (".trace", ".network")
PICTURES = (".jpeg", ".jpg", ".png", ".webp", ".gif", ".woff", ".woff2", ".mp4", ".webm")
LEVEL = 4
"""Of deflate: a trace is written in a run and read by few."""
SEEN = ("__playwright_value_", "value", "placeholder", "alt", "label", "title")
"""Attributes that a browser shows: of fields, buttons, pictures that are missing, options."""
_anything = msgspec.json.Decoder()
_SNAPSHOT = b'{"type":"frame-snapshot"'
_FRAME = b'{"type":"screencast-frame"'
_REFERENCE = re.compile(rb"\[\[\d+,\d+\]\]")
"""The place of a node that has not changed since an earlier snapshot."""

_RESOURCE = re.compile(rb'"((?:src@)?[0-9a-f]{40}[^"\\]{0,20})"')
"""A whole string that names a file of `resources/`: a digest and an extension."""


class TraceRecorder(Recorder):
    """The trace of one context, in which each step is a group."""

    _context: BrowserContext | None = None

    def start(self, context: BrowserContext) -> None:
        self._context = context
        # The film costs more than all the rest of a trace. A replay is one too, except where no step's time counts.
        film = self.policy == "on-first-retry" or "replay" not in self.workspace.kinds
        start_trace(context, self.workspace.journey, film)

    @classmethod
    def stand_by(cls, context: BrowserContext) -> None:
        reserve_tracing(context)

    def step_started(self, name: str) -> None:
        if self._context is not None:
            self._context.tracing.group(name)

    def step_ended(self, step: StepResult) -> None:
        if self._context is not None:
            self.workspace.guard("trace", self._context.tracing.group_end)

    def stop(self, context: BrowserContext, kept: bool) -> None:
        stop_trace(context, self._raw if kept else None)

    @property
    def _raw(self) -> Path:
        return self.workspace.folder / "trace.zip"

    def save(self) -> Iterator[Recorded]:
        if not self._raw.exists():
            return
        if not self.workspace.redaction:
            yield Recorded(self._raw)
            return
        redacted = self.workspace.folder / "redacted.zip"
        left_out = redact_trace(self._raw, redacted, self.workspace.redactor)
        if left_out:
            self.workspace.notes.append(f"trace: {left_out} pictures left out, a secret stood on the page")
        yield Recorded(redacted)


def start_trace(context: BrowserContext, title: str, film: bool = True) -> None:
    """Starts to record, with pictures of the page at each of its frames if `film`. docs/artifacts.md has what it costs."""
    context.tracing.start(title=title, snapshots=True, screenshots=film, sources=True)


def stop_trace(context: BrowserContext, file: Path | None) -> None:
    """Ends the recording; writes it to `file`, or drops it if None."""
    if file is None:
        context.tracing.stop()
        return
    make_private_folder(file.parent)
    context.tracing.stop(path=file)


def redact_trace(file: Path, redacted: Path, redactor: Redactor) -> int:
    """Writes the trace `file` to `redacted` with everything hidden that `redactor` hides; returns the pictures left out.

    A resource whose content changes gets the name that its new content asks for, wherever it is named. The pictures that were
    recorded while a snapshot shows a secret as text of the page are left out. Raises zipfile.BadZipFile, msgspec.DecodeError,
    UnicodeError or OSError when the trace cannot be read or written.
    """
    with ZipFile(file) as source, ZipFile(redacted, "w", ZIP_DEFLATED, compresslevel=LEVEL) as target:
        names = source.namelist()
        renamed: dict[bytes, bytes] = {}
        for name in names:
            if not name.endswith((*LINES, ".stacks")):
                content = source.read(name)
                # In our own pictures nothing is searched: what they show was masked when they were taken.
                clean = content if name.startswith("screencast/") else redactor.body(content)
                if clean is not content and name.startswith(("resources/", "src/")):
                    fresh = f"{hashlib.sha1(clean, usedforsecurity=False).hexdigest()}{Path(name).suffix}"
                    renamed[Path(name).name.encode()] = fresh.encode()
                    name = f"{Path(name).parent.as_posix()}/{fresh}"
                if not name.startswith("screencast/"):
                    _write(target, name, clean)
        left_out: set[bytes] = set()
        for name in (one for one in names if one.endswith((*LINES, ".stacks"))):
            lines = source.read(name).split(b"\n") if name.endswith(LINES) else [source.read(name)]
            if name.endswith(".trace"):
                dropped = _frames_to_leave_out(lines, redactor)
                left_out |= dropped
                lines = [line for line in lines if not (line.startswith(_FRAME) and _file(line) in dropped)]
            _write(
                target, name, b"\n".join(_renamed(redactor.json(line, PLAYWRIGHT), renamed) if line else line for line in lines)
            )
        for name in names:
            if name.startswith("screencast/") and name.encode() not in left_out:
                _write(target, name, source.read(name))
    return len(left_out)


def _write(target: ZipFile, name: str, content: bytes) -> None:
    entry = ZipInfo(name)
    entry.compress_type = ZIP_STORED if name.endswith(PICTURES) else ZIP_DEFLATED
    target.writestr(entry, content)


def _renamed(line: bytes, names: dict[bytes, bytes]) -> bytes:
    return _RESOURCE.sub(lambda found: b'"%s"' % names.get(found[1], found[1]), line) if names else line


def _file(line: bytes) -> bytes:
    name: str = decode_json(line, _anything)["file"]
    return name.encode()


def _frames_to_leave_out(lines: list[bytes], redactor: Redactor) -> set[bytes]:
    """The pictures between the last snapshot before one that shows a secret and the first after it that does not.

    A snapshot may stand for parts of earlier ones of its frame; so what has shown a secret shows it until the frame has a
    new document, or the page has.
    """
    dropped: set[bytes] = set()
    waiting: list[bytes] = []
    showing: dict[str, set[str]] = {}
    for line in lines:
        if line.startswith(_FRAME):
            waiting.append(_file(line))
        elif line.startswith(_SNAPSHOT):
            before = any(showing.values())
            snapshot = decode_json(line, _anything)["snapshot"]
            page, frame = snapshot["pageId"], snapshot["frameId"]
            frames = showing.setdefault(page, set())
            if not _REFERENCE.search(line):
                frames.clear() if snapshot.get("isMainFrame") else frames.discard(frame)
            if redactor.holds_secret(line) and any(map(redactor.holds_secret, _shown(snapshot["html"]))):
                frames.add(frame)
            if before or any(showing.values()):
                dropped.update(waiting)
            waiting = []
    if any(showing.values()):
        dropped.update(waiting)
    return dropped


def _shown(node: object) -> Iterator[str]:
    """The texts that a person sees in a snapshot: those of its elements, and the values of its fields that are not masked."""
    if isinstance(node, str):
        yield node
        return
    if not isinstance(node, list) or not node or not isinstance(node[0], str) or node[0] in {"SCRIPT", "STYLE", "HEAD"}:
        return
    attributes = node[1] if len(node) > 1 and isinstance(node[1], dict) else {}
    if MASK in str(attributes.get("style", "")) or attributes.get("type") in {"hidden", "password"}:
        return
    yield from (attributes[name] for name in SEEN if isinstance(attributes.get(name), str))
    for child in node[1:]:
        yield from _shown(child)
