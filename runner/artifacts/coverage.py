"""Which parts of scripts and style sheets a journey's pages have used: Chromium's coverage, read at the end of each step."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import msgspec
from msgspec import Struct
from playwright.sync_api import BrowserContext

from runner.artifacts.recorder import Recorded, Recorder
from runner.browser.driver.instruments import Command, Instruments, SessionAnswer
from runner.result import StepResult

START: tuple[Command, ...] = (
    ("Profiler.enable", {}),
    ("Profiler.startPreciseCoverage", {"callCount": True, "detailed": True}),
    ("DOM.enable", {}),
    ("CSS.enable", {}),
    ("CSS.startRuleUsageTracking", {}),
)
READ: tuple[Command, ...] = (("Profiler.takePreciseCoverage", {}), ("CSS.takeCoverageDelta", {}))
SHEET = "CSS.styleSheetAdded"
Span = tuple[int, int]
FileType = Literal["script", "style"]


class _File(Struct):
    type: FileType
    address: str
    length: int
    used: list[Span] = []


class CoverageRecorder(Recorder):
    """All files that the pages have loaded so far, by address and length: a script that several pages load is one."""

    def start(self, context: BrowserContext) -> None:
        """Begins before the first page."""
        self._instruments: Instruments | None = None
        self._files: dict[tuple[str, str], _File] = {}
        """By address and the engine's number."""
        self._sheets: dict[tuple[int, str], tuple[str, int]] = {}
        self.workspace.guard("coverage", lambda: self._begin(context))

    def _begin(self, context: BrowserContext) -> None:
        self._instruments = Instruments(context, "coverage", START, [SHEET])

    def step_ended(self, step: StepResult) -> None:
        """Adds what has been used since the last step."""
        if self._instruments is not None:
            self.workspace.guard("coverage", self._read)
            self.findings[step.name] = {"coverage": self._sum()}

    def _read(self) -> None:
        if self._instruments is None:
            return
        for session in self._instruments.collect(*READ):
            scripts, sheets = session.answers
            for script in scripts["result"] if scripts else ():
                self._add_script(script)
            self._add_sheets(session, sheets["coverage"] if sheets else ())

    def _add_script(self, script: Mapping[str, Any]) -> None:
        ranges = [one for function in script["functions"] for one in function["ranges"]]
        # The page's own have an address; what the runner evaluates has none.
        if script["url"].startswith("http") and ranges:
            self._use("script", script["url"], script["scriptId"], max(one["endOffset"] for one in ranges), find_used(ranges))

    def _add_sheets(self, session: SessionAnswer, rules: Iterable[Mapping[str, Any]]) -> None:
        for _, event in session.events:
            header = event["header"]
            self._sheets[session.id, header["styleSheetId"]] = (header["sourceURL"], round(header["length"]))
        used: dict[tuple[int, str], list[Span]] = {key: [] for key in self._sheets if key[0] == session.id}
        for rule in rules:
            if rule["used"] and (session.id, rule["styleSheetId"]) in used:
                used[session.id, rule["styleSheetId"]].append((round(rule["startOffset"]), round(rule["endOffset"])))
        for key, spans in used.items():
            address, length = self._sheets[key]
            if address.startswith("http"):
                self._use("style", address, f"{key}", length, spans)

    def _use(self, kind: FileType, address: str, number: str, length: int, used: Sequence[Span]) -> None:
        file = self._files.setdefault((address, number), _File(kind, address, length))
        # Only the first reading of a script is sure to contain it from its beginning to its end.
        file.length = max(file.length, length)
        file.used = unite([*file.used, *used])

    def _unite(self) -> list[_File]:
        """The files; one that several pages have loaded is one, and used where any of them has used it."""
        found: dict[tuple[FileType, str, int], _File] = {}
        for one in self._files.values():
            known = found.setdefault((one.type, one.address, one.length), _File(one.type, one.address, one.length))
            known.used = unite([*known.used, *one.used])
        return list(found.values())

    def _sum(self) -> dict[str, Any]:
        found, all_files = {}, self._unite()
        for kind in ("script", "style"):
            files = [one for one in all_files if one.type == kind]
            total = sum(one.length for one in files)
            found[kind] = {"files": len(files), "bytes": total, "unused_bytes": total - sum(map(_used, files))}
        return found

    def save(self) -> Iterator[Recorded]:
        """A line for each file, that with the most unused first."""
        files = sorted(self._unite(), key=lambda one: _used(one) - one.length)
        lines = [
            self.workspace.redact_json(
                msgspec.json.encode(
                    {
                        "type": one.type,
                        "url": one.address,
                        "text": f"{(one.length - _used(one)) / 1000:.1f} of {one.length / 1000:.1f} kB not used",
                        "bytes": one.length,
                        "unused_bytes": one.length - _used(one),
                        "unused": [(start, end) for start, end in find_gaps(one.used, one.length)][:200],
                    }
                )
            )
            for one in files
        ]
        if lines:
            yield Recorded(b"".join(line + b"\n" for line in lines))


def _used(file: _File) -> int:
    return sum(end - start for start, end in file.used)


def find_used(ranges: Iterable[Mapping[str, int]]) -> list[Span]:
    """What has been used of nested ranges with counts, of which the innermost at each place says it.

    >>> outer, inner = {"startOffset": 0, "endOffset": 10, "count": 1}, {"startOffset": 4, "endOffset": 8, "count": 0}
    >>> find_used([outer, inner])
    [(0, 4), (8, 10)]
    """
    ordered = sorted(ranges, key=lambda one: (one["startOffset"], -one["endOffset"]))
    places = sorted({place for one in ordered for place in (one["startOffset"], one["endOffset"])})
    around: list[Mapping[str, int]] = []
    found: list[Span] = []
    coming = iter([*ordered, None])
    following = next(coming)
    for start, end in pairwise(places):
        while around and around[-1]["endOffset"] <= start:
            around.pop()
        while following is not None and following["startOffset"] <= start:
            around.append(following)
            following = next(coming)
        while around and around[-1]["endOffset"] <= start:
            around.pop()
        if around and around[-1]["count"]:
            found.append((start, end))
    return unite(found)


def unite(spans: Sequence[Span]) -> list[Span]:
    """The same places in as few spans as can be, in order.

    >>> unite([(5, 7), (0, 2), (1, 5)])
    [(0, 7)]
    """
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def find_gaps(used: Sequence[Span], length: int) -> Iterator[Span]:
    """What is not used of so many characters.

    >>> list(find_gaps([(0, 4), (8, 9)], 10))
    [(4, 8), (9, 10)]
    """
    for (_, end), (start, _) in pairwise([(0, 0), *used, (length, length)]):
        if start > end:
            yield (end, start)
