"""One run as a page: steps, waterfall, pictures, errors, web vitals, environment; nothing is loaded from elsewhere."""

from base64 import b64encode
from pathlib import Path

from msgspec import Struct

from reports.formats.html import page
from reports.text import formatting
from reports.text.problems import Problem, list_run_problems
from runner.accessibility import Audit, read_audit
from runner.archive.archive import Saved
from runner.result import Artifact, Navigation, Request, RunResult, StepResult
from runner.settings.artifact_kinds import list_shown_as

FILE = "report.html"
TEMPLATE = "run.html"
PARTS = ("base.html", "run_parts.html", "parts.html", "phases.html", "waterfall.html", "accessibility.html")
"""What the template is made of."""
ELEMENTS = 2_000_000
"""Bytes of all pictures of elements in a page; the others are among the run's artifacts."""
AUDIT_PICTURE = "accessibility"
WIDTH = 1000
"""Of the waterfall's time axis, in units of its drawing."""
ROW = 18
PHASES = ("redirect", "dns", "connect", "tls", "request", "response", "dom", "load")
"""In the order in which they follow each other (W3C Navigation Timing Level 2)."""
VITALS = {
    # Good up to the first, poor above the second, as web.dev/articles/vitals has them.
    "ttfb": (0.8, 1.8),
    "fcp": (1.8, 3.0),
    "lcp": (2.5, 4.0),
    "inp": (0.2, 0.5),
    "cls": (0.1, 0.25),
}


class WaterfallBar(Struct, frozen=True):
    """A rectangle of the waterfall: `x` and `width` in units of WIDTH, `y` in units of the drawing."""

    x: float
    width: float
    y: float
    kind: str
    title: str


class WaterfallRow(Struct, frozen=True):
    """A line of the waterfall: its text, its rectangles."""

    y: float
    label: str
    figure: str
    bars: tuple[WaterfallBar, ...]
    bad: bool = False


class Waterfall(Struct, frozen=True):
    """What a step has loaded, over time from the step's start."""

    rows: tuple[WaterfallRow, ...]
    seconds: float
    latency: WaterfallBar | None

    @property
    def height(self) -> int:
        """Of the drawing."""
        return ROW * (len(self.rows) + 1) + 4


class RatedVital(Struct, frozen=True):
    """A web vital with what it is worth: `good`, `fair` or `poor`."""

    name: str
    text: str
    worth: str
    limits: str


class RunView(Struct, frozen=True):
    """What a template needs of one run."""

    result: RunResult
    problems: tuple[Problem, ...]
    longest: float
    """The longest stopwatch time of a step, in seconds; never 0."""
    pictures: tuple[tuple[str, str], ...]
    """Caption and data of each."""
    waterfalls: dict[str, Waterfall | None]
    vitals: dict[str, list[RatedVital]]
    audits: dict[str, Audit]
    """By step, of those whose page was checked."""
    elements: dict[str, str]
    """The data of pictures of elements, by their paths."""
    folder: Path
    beside: Path

    def link(self, path: str) -> str:
        """The address of an artifact."""
        return page.format_link(self.folder / path, self.beside)


def render_run(saved: Saved) -> bytes:
    """The page of a run, which lies in the run's folder."""
    return page.render_template(TEMPLATE, view=build_view(saved, saved.folder), **waterfall_measures())


def build_view(saved: Saved, beside: Path) -> RunView:
    """The run for a page that lies in the folder `beside`."""
    result = saved.result
    images = {kind.name: kind.media_type for kind in list_shown_as("image") if kind.filmed}
    pictures = tuple(
        (_caption(one, result.attempts), _data_uri(saved, one.path, images[one.kind]))
        for one in result.artifacts
        if one.kind in images and (saved.folder / one.path).is_file()
    )
    return RunView(
        result=result,
        problems=tuple(list_run_problems(result)),
        longest=max((step.wall_seconds or 0.0 for step in result.steps), default=0.0) or 1.0,
        pictures=pictures,
        waterfalls={step.name: draw_waterfall(step) for step in result.steps},
        vitals={step.name: rate_vitals(step) for step in result.steps},
        audits=list_audits(result),
        elements=_read_elements(saved),
        folder=saved.folder,
        beside=beside,
    )


def list_audits(result: RunResult) -> dict[str, Audit]:
    """What was found on the pages of the steps that were checked, by step."""
    return {step.name: audit for step in result.steps if (audit := read_audit(step)) is not None}


def _read_elements(saved: Saved) -> dict[str, str]:
    found: dict[str, str] = {}
    room = ELEMENTS
    for one in saved.result.artifacts:
        if one.kind == AUDIT_PICTURE and one.bytes <= room and (saved.folder / one.path).is_file():
            found[one.path] = _data_uri(saved, one.path, "image/png")
            room -= one.bytes
    return found


def waterfall_measures() -> dict[str, object]:
    """The measures of the waterfall, as the templates need them."""
    return {"width": WIDTH, "row": ROW, "phases": PHASES}


def load_run_templates() -> None:
    """Reads the templates ahead of the first page."""
    page.preload_templates(TEMPLATE, *PARTS)


def _caption(picture: Artifact, attempts: int) -> str:
    step = picture.step or "the run"
    return f"{step}, attempt {picture.attempt}" if attempts > 1 else step


def _data_uri(saved: Saved, path: str, media_type: str) -> str:
    return f"data:{media_type};base64,{b64encode((saved.folder / path).read_bytes()).decode()}"


def rate_vitals(step: StepResult) -> list[RatedVital]:
    """The vitals that the step has."""
    found = []
    for name, (good, poor) in VITALS.items():
        value = getattr(step.vitals, name)
        if value is not None:
            worth = "good" if value <= good else "poor" if value > poor else "fair"
            text = f"{value:.3f}" if name == "cls" else formatting.format_seconds(value)
            unit = "" if name == "cls" else " s"
            found.append(RatedVital(name, text, worth, f"good up to {good:g}{unit}, poor above {poor:g}{unit}"))
    return found


def draw_waterfall(step: StepResult) -> Waterfall | None:
    """The step's documents with their phases and its requests; None when it has loaded nothing."""
    if step.started_at is None or not (step.navigations or step.requests.entries):
        return None
    start = step.started_at.timestamp()
    documents = [(one.started_at.timestamp() - start, one) for one in step.navigations]
    ends = [at + one.phases.get("total", 0.0) for at, one in documents]
    ends += [one.at_seconds + one.duration_seconds for one in step.requests.entries]
    seconds = max([*ends, step.wall_seconds or 0.0, 0.001])
    scale = WIDTH / seconds
    rows = [_document_row(one, at, scale, index) for index, (at, one) in enumerate(documents)]
    rows += [_request_row(one, scale, len(rows) + index) for index, one in enumerate(step.requests.entries)]
    latency = None
    if step.latency_seconds is not None:
        title = f"latency {formatting.format_seconds(step.latency_seconds)}, from {step.cause or 'the start'} to {step.ended_by or 'the end'}"
        latency = WaterfallBar(step.cause_at_seconds * scale, max(step.latency_seconds * scale, 1.0), ROW, "latency", title)
    return Waterfall(tuple(rows), seconds, latency)


def _document_row(document: Navigation, at: float, scale: float, index: int) -> WaterfallRow:
    y = ROW * (index + 1)
    bars: list[WaterfallBar] = []
    reached = at
    for phase in PHASES:
        length = document.phases.get(phase, 0.0)
        if length > 0:
            bars.append(WaterfallBar(reached * scale, max(length * scale, 0.5), y, phase, f"{phase} {length * 1000:.1f} ms"))
            reached += length
    figure = formatting.format_seconds(document.phases.get("total"))
    return WaterfallRow(y, f"page {document.url}", figure, tuple(bars), (document.status or 0) >= 400)


def _request_row(request: Request, scale: float, index: int) -> WaterfallRow:
    y = ROW * (index + 1)
    title = (
        f"{request.method} {request.url} {request.status or request.failure}, {formatting.format_size(request.transfer_bytes)}"
    )
    bar = WaterfallBar(request.at_seconds * scale, max(request.duration_seconds * scale, 1.0), y, "request-bar", title)
    figure = f"{request.duration_seconds * 1000:.0f} ms"
    bad = bool(request.failure) or (request.status or 0) >= 400
    return WaterfallRow(y, f"{request.kind} {request.url}", figure, (bar,), bad)
