"""One check of a page: its documents one after the other, and what was found as frozen values."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import Struct
from playwright.sync_api import Page

from runner.accessibility import IMPACTS, AffectedElement, Audit, AuditScope, Violation
from runner.page.accessibility.frame_sessions import AuditFailed, Box, DocumentWorld, FrameSessions, read_axe
from runner.redaction import Redactor
from runner.untrusted_text import LONGEST_NAME, tamed

MOST_ELEMENTS = 100
"""Of one check, that are described."""
MOST_FRAMES = 20
SHARE = 0.7
"""Of the time, after which no further rule is begun: the one that runs then has the rest."""
READ_HTML = 20_000
"""Characters of an element's HTML that are read. Secrets are searched for in all of it; then it is cut."""
LONGEST_HTML = 300
LONGEST_SELECTOR = 500
LONGEST_SUMMARY = 600


class FoundElement(Struct):
    """An element while its page is still open."""

    world: DocumentWorld
    index: int
    offset: tuple[float, float]
    """Of its document's process in the window."""
    described: AffectedElement

    def find_clip(self, margin: float, widest: float, highest: float) -> Box | None:
        """Where it is on the page, with a margin; of a larger element its beginning. None for one that is not drawn. Raises AuditFailed."""
        box = self.world.find_box(f"globalThis.journeyAudit.elements[{self.index}]")
        if box is None or box[2] <= 0 or box[3] <= 0:
            return None
        x, y = self.world.sessions.find_scroll()
        left, top = box[0] + self.offset[0] + x, box[1] + self.offset[1] + y
        right, bottom = left + min(box[2], widest), top + min(box[3], highest)
        left, top = max(left - margin, 0.0), max(top - margin, 0.0)
        width, height = right + margin - left, bottom + margin - top
        return (left, top, width, height) if width > margin and height > margin else None


class PageAudit:
    """What was found, and the elements, as long as the block goes on."""

    def __init__(self, sessions: FrameSessions, scope: AuditScope, redactor: Redactor) -> None:
        self._sessions = sessions
        self._scope = scope
        self._redactor = redactor
        self._violations: dict[str, dict[str, Any]] = {}
        self._unclear: set[str] = set()
        self._left_out = 0
        self._frames = 0
        self.elements: dict[str, list[FoundElement]] = {}
        """By rule."""
        self.problems: list[str] = []
        self.failed = False

    def check_documents(self, framed: bool) -> None:
        """Checks the page and the frames in it. Raises AuditFailed if the page itself could not be checked."""
        self._check(self._sessions.open_page(), "", (0.0, 0.0), framed)

    def result(self, url: str, seconds: float) -> Audit:
        """What was found; without pictures."""
        found = [
            Violation(
                rule=rule,
                impact=one["impact"] if one["impact"] in IMPACTS else "minor",
                help=tamed(one["help"]),
                help_url=tamed(one["helpUrl"]),
                tags=tuple(tamed(tag, LONGEST_NAME) for tag in one["tags"] if tag.startswith(("wcag", "best-practice"))),
                count=one["count"],
                elements=tuple(element.described for element in self.elements[rule]),
            )
            for rule, one in self._violations.items()
        ]
        return Audit(
            url=self._redactor.text(tamed(url)),
            violations=tuple(sorted(found, key=lambda one: IMPACTS.index(one.impact))),
            unclear=len(self._unclear),
            left_out=self._left_out,
            problems=tuple(self.problems),
            off=self._scope.off,
            seconds=round(seconds, 3),
            failed=self.failed,
        )

    def _check(self, frame: str, above: str, offset: tuple[float, float], framed: bool) -> None:
        self._frames += 1
        world = self._sessions.open_document(frame, _axe())
        top = not above
        answer = world.check(
            _function(),
            {
                "include": list(self._scope.include) if top else [],
                "exclude": list(self._scope.exclude) if top else [],
                "tags": list(self._scope.tags),
                "off": list(self._scope.off),
                "top": top,
                "framed": framed,
                "milliseconds": self._sessions.seconds_left * SHARE * 1000,
                "most": MOST_ELEMENTS - sum(map(len, self.elements.values())),
                "longest": READ_HTML,
            },
        )
        self._take_in(answer, world, above, offset)
        for index, target in enumerate(answer["frames"]):
            place = f"{above}{target} >>> "
            if self._frames >= MOST_FRAMES:
                self.problems.append(f"only the first {MOST_FRAMES} documents of the page were checked")
                return
            try:
                element = f"globalThis.journeyAudit.frames[{index}].frame"
                within = world.find_frame(element)
                x, y = self._sessions.find_offset(within, world, element)
                self._check(within, place, (offset[0] + x, offset[1] + y), framed)
            except AuditFailed as error:
                self.problems.append(self._clean(f"the frame {place.removesuffix(' >>> ')} was not checked: {error}"))

    def _take_in(self, answer: dict[str, Any], world: DocumentWorld, above: str, offset: tuple[float, float]) -> None:
        self._unclear.update(answer["unclear"])
        self._left_out += answer["leftOut"]
        where = f" in the frame {above.removesuffix(' >>> ')}" if above else ""
        if answer["late"]:
            rules = ", ".join(answer["late"])
            self.problems.append(self._clean(f"not checked{where}, as it took too long: {rules}"))
        if answer["unknown"] and not above:
            self.problems.append(f"axe has no rule {', '.join(answer['unknown'])}, which is to be off")
        for one in answer["violations"]:
            known = self._violations.setdefault(one["rule"], {**one, "count": 0})
            known["count"] += one["count"]
            listed = self.elements.setdefault(one["rule"], [])
            listed += [FoundElement(world, each["index"], offset, self._describe(each, above)) for each in one["elements"]]

    def _describe(self, element: dict[str, Any], above: str) -> AffectedElement:
        # axe shortens addresses in a selector: what is cut in two cannot be found any more.
        hidden = self._redactor.text(element["addresses"]) != element["addresses"]
        target = element["path"] if hidden else element["target"]
        return AffectedElement(
            target=self._clean(f"{above}{target}", LONGEST_SELECTOR),
            path=self._clean(f"{above}{element['path']}", LONGEST_SELECTOR),
            html=self._clean(element["html"], LONGEST_HTML),
            summary=self._clean(element["summary"], LONGEST_SUMMARY),
            count=element["count"],
        )

    def _clean(self, text: str, longest: int = LONGEST_SUMMARY) -> str:
        """A text of the page: without secrets first, then cut."""
        return tamed(self._redactor.text(text), longest)


@contextmanager
def audit_page(page: Page, scope: AuditScope, redactor: Redactor, seconds: float) -> Iterator[tuple[Audit, PageAudit]]:
    """Checks a page within `seconds`; gives what was found, and the elements, of which pictures can be taken in the block.

    What kept it from being checked is among the problems of what was found.
    """
    began = time.monotonic()
    url = page.url
    with FrameSessions(page, seconds) as sessions:
        audit = PageAudit(sessions, scope, redactor)
        try:
            audit.check_documents(framed=len(page.frames) > 1)
        except AuditFailed as error:
            audit.failed = True
            audit.problems.append(redactor.text(tamed(f"the page was not checked: {_explain(error, scope)}", LONGEST_SUMMARY)))
        yield audit.result(url, time.monotonic() - began), audit


def _explain(error: AuditFailed, scope: AuditScope) -> str:
    if "No elements found for include" in str(error):
        return f"it has no element that matches {', '.join(scope.include)}"
    return str(error)


@cache
def _axe() -> str:
    return read_axe()


@cache
def _function() -> str:
    return files("runner.page.accessibility").joinpath("check_document.js").read_text(encoding="utf-8").strip()
