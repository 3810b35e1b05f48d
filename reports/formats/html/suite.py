"""Many tests or runs as one page: what failed first, then quarantine, flaky ones, slowest steps, workers over time, and all of them."""

import shlex
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from reports.formats.html import page, run
from reports.suite.entries import Entry, EntryAttempt, Group, list_slowest_steps
from reports.suite.timeline import ROW, WIDTH, draw_timeline

TEMPLATE = "suite.html"
SLOWEST = 15
"""Steps, and tests, that are listed."""
WHOLE = 100
"""Failures that are shown with everything; of all others, the list has the beginning."""
LONGEST = 6_000
"""Characters of a failure that is shown whole."""
SHORTEST = 600
PICTURE_BYTES = 400_000
"""Of one picture in the page at most."""
ALL_PICTURES = 1_500_000
VIEWER = "viewer"
"""The folder of Playwright's trace viewer beside the page."""
GROUPS: dict[Group, str] = {
    "bad": "failed",
    "quarantined": "in quarantine",
    "flaky": "flaky",
    "passed": "passed",
    "other": "skipped",
}
"""In the order in which they are shown."""


class FileLink(Struct, frozen=True):
    """A file that was saved."""

    label: str
    address: str


class EntryView(Struct, frozen=True, kw_only=True):
    """What the template needs of one entry."""

    entry: Entry
    id: str
    longest: float
    """The longest step of the last attempt."""
    texts: tuple[str, ...]
    """The failure of each attempt, as much of it as is shown."""
    files: tuple[FileLink, ...]
    trace: str
    """The address of its trace in the viewer beside the page; empty without one."""
    trace_command: str
    picture: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to unfold."""
        shown = any(self.texts) or self.files or self.entry.remarks or any(one.message for one in self.entry.attempts)
        return not shown and not self.entry.last.steps and len(self.entry.attempts) == 1


class SuiteView(Struct, frozen=True, kw_only=True):
    """What the template needs."""

    title: str
    noun: str
    views: tuple[EntryView, ...]
    details: tuple[run.RunView, ...]
    """Runs that are shown with all they have loaded, where there are few."""
    viewer: bool

    def of_group(self, group: Group) -> list[EntryView]:
        """Those of a group."""
        return [one for one in self.views if one.entry.group == group]

    @property
    def detailed(self) -> set[str]:
        """The ids of the runs that are shown with everything."""
        return {one.result.id for one in self.details}

    @property
    def counts(self) -> list[tuple[Group, str, int]]:
        """How many there are of each group, without empty ones."""
        found = Counter(one.entry.group for one in self.views)
        return [(group, label, found[group]) for group, label in GROUPS.items() if found[group]]


def suite_html(
    entries: Sequence[Entry],
    beside: Path,
    noun: str = "test",
    title: str = "",
    details: Sequence[run.RunView] = (),
    viewer: bool = False,
) -> bytes:
    """The page, which will lie in the folder `beside`; `viewer`: Playwright's trace viewer is in a folder of it."""
    ordered = sorted(entries, key=lambda one: list(GROUPS).index(one.group))
    views = _build_views(ordered, beside, viewer)
    ids = {id(one.entry): one for one in views}
    slowest = [(ids[id(entry)], step) for entry, step in list_slowest_steps(entries, SLOWEST)]
    longest = sorted(views, key=lambda one: -one.entry.seconds)[:SLOWEST]
    return page.render_template(
        TEMPLATE,
        view=SuiteView(
            title=title or describe_suite(entries, noun),
            noun=noun,
            views=tuple(views),
            details=tuple(details),
            viewer=viewer and any(one.trace for one in views),
        ),
        whole=WHOLE,
        slowest=slowest,
        longest=[] if slowest else [one for one in longest if one.entry.seconds > 0],
        timeline=draw_timeline(entries),
        axis=WIDTH,
        lane=ROW,
        environment=next((one.environment for one in entries if one.environment), None),
        release=next((one.run.result.release for one in entries if one.run), ""),
        started=min((one.attempts[0].started_at for one in entries), default=None),
        ended=max((one.last.ended_at for one in entries), default=None),
        **run.waterfall_measures(),
    )


def describe_suite(entries: Sequence[Entry], noun: str) -> str:
    """The heading: how many ended how.

    >>> describe_suite([], "test")
    'No tests'
    """
    if not entries:
        return f"No {noun}s"
    found = Counter(one.group for one in entries)
    counts = ", ".join(f"{found[group]} {label}" for group, label in GROUPS.items() if found[group])
    return f"{len(entries)} {noun}{'s' if len(entries) > 1 else ''}: {counts}"


def _build_views(entries: Sequence[Entry], beside: Path, viewer: bool) -> list[EntryView]:
    room = ALL_PICTURES
    views = []
    for number, entry in enumerate(entries):
        whole = number < WHOLE
        picture = _find_picture(entry, room) if whole and entry.group != "passed" else ""
        room -= len(picture)
        trace = next((one for one in reversed(entry.artifacts) if one.kind == "trace"), None)
        file = entry.folder / trace.path if trace and entry.folder else None
        views.append(
            EntryView(
                entry=entry,
                id=f"t{number + 1}",
                longest=max((step.wall_seconds or 0.0 for step in entry.last.steps), default=0.0) or 1.0,
                texts=tuple(_shorten(one, LONGEST if whole else SHORTEST) for one in entry.attempts),
                files=_list_files(entry, beside),
                trace=_viewer_address(file, beside) if viewer and file else "",
                trace_command=_trace_command(entry, file),
                picture=picture,
            )
        )
    return views


def _shorten(attempt: EntryAttempt, most: int) -> str:
    """The beginning says which step failed; the end is the last line of a traceback."""
    text = attempt.text
    return text if len(text) <= most else f"{text[: most // 2]}\n…\n{text[-most // 2 :]}"


def _find_picture(entry: Entry, room: int) -> str:
    """The last picture as an address that has it in itself; empty if there is none, or no room for it."""
    shown = [one for one in entry.artifacts if one.kind == "screenshot" and one.path.endswith((".png", ".jpeg", ".jpg"))]
    at_failure = [one for one in shown if entry.last.step and one.step == entry.last.step] or shown
    if not at_failure or entry.folder is None:
        return ""
    chosen = at_failure[-1]
    file = entry.folder / chosen.path
    size = file.stat().st_size if file.is_file() else 0
    if not 0 < size <= PICTURE_BYTES or size * 4 / 3 > room:
        return ""
    kind = "png" if chosen.path.endswith(".png") else "jpeg"
    return f"data:image/{kind};base64,{b64encode(file.read_bytes()).decode()}"


def _list_files(entry: Entry, beside: Path) -> tuple[FileLink, ...]:
    if entry.folder is None:
        return ()
    found = [FileLink(one.path, page.format_link(entry.folder / one.path, beside)) for one in entry.artifacts]
    own = entry.folder / run.FILE
    return (*([FileLink(run.FILE, page.format_link(own, beside))] if entry.stored and own.is_file() else []), *found)


def _viewer_address(file: Path, beside: Path) -> str:
    """The viewer reads the address of the trace from its own."""
    return f"./{VIEWER}/index.html?trace={quote(f'../{page.format_link(file, beside)[2:]}')}"


def _trace_command(entry: Entry, file: Path | None) -> str:
    if file is None:
        return ""
    return f"journey trace {entry.run.result.id if entry.stored and entry.run else shlex.quote(str(file))}"
