"""The reader of the page agent: puts it into every document of a context, and asks all documents what they saw."""

import time
from bisect import bisect_right
from collections.abc import Coroutine, Sequence
from importlib.resources import files
from typing import Any
from weakref import WeakSet

import msgspec
from msgspec import Struct
from playwright.sync_api import BrowserContext, Frame, Page
from playwright.sync_api import Error as PlaywrightError

from runner.browser.driver import event_waits
from runner.browser.driver.page_channel import REPORT, Question, open_channel
from runner.page import agent_messages as messages
from runner.page.agent_messages import Snapshot, decode
from runner.page.clock import Checks, Stamp, Window
from runner.settings.parsers.values import Waits
from runner.untrusted_text import tamed

MARK = "__journeySynthetic"
# The bounds are part of the text: for an argument Playwright would call array methods in the page, which a site may have replaced.
READ = "(async () => {{ const agent = globalThis.__journeyAgent; agent?.begin(); {first} return agent?.read?.({since!r}, {until!r}); }})()"
PAINTED = "await agent?.firstPaints?.();"
BEGIN = "globalThis.__journeyAgent?.begin()"
PATIENCE = 10.0
"""Seconds that a page whose main thread is busy gets to answer. No step is under way, and the next one could not act on it either."""
SHORT_PATIENCE = 2.0
"""Seconds that a frame gets, whose process may be another, and a page after a failure, which may hang forever."""
EMPTY_PATIENCE = 0.1
"""Seconds for a frame without an address. Where it is to be loaded later (`loading=lazy`), it has nothing that could answer."""
PROBLEMS = 20
"""Of a context, that are noted."""
LONGEST_PROBLEM = 500
"""Characters of one."""
SKEW = 0.005
"""A page's clock may differ by this much from ours before it is called another clock, in seconds."""


def source() -> str:
    """The agent's JavaScript, as the build made it (see hatch_build.py). Raises FileNotFoundError in a bare checkout."""
    return files("runner.page").joinpath("agent.js").read_text(encoding="utf-8")


class AgentMark(Struct, frozen=True, kw_only=True):
    """Whose pages these are: passed to the site's own agent for real users, so that it can distinguish a journey from a visitor."""

    journey: str
    run: str
    location: str


class PageAgent:
    """The agents of all documents in one browser context, from `install` to the end of the context."""

    def __init__(self, context: BrowserContext, mark: AgentMark | None = None, waits: Waits = "events") -> None:
        self._context = context
        self._steps: list[tuple[float, str]] = []
        self.documents: dict[float, Snapshot] = {}
        """The newest snapshot of each document that was loaded, by its `performance.timeOrigin`."""
        self.causes: list[Stamp] = []
        self.effects: list[Stamp] = []
        self.waiting: list[float] = []
        """Since when the script had waited when it acted, in seconds since the epoch."""
        self.checks: list[Checks] = []
        self.problems: set[str] = set()
        """What kept an agent or event-driven waits from working, in words."""
        self._unloaded: WeakSet[Frame] = WeakSet()
        """Frames without an address that have not answered."""
        self.trusted = True
        """False once an agent could not start, or a site has spoken in its name: then only the stopwatch is believed."""
        self.channel = open_channel(context, self._receive)
        marking = f"globalThis.{MARK} = {{ mark: {msgspec.json.encode(mark).decode()} }};" if mark else ""
        if waits == "events" and (unavailable := event_waits.unavailable()):
            self.problems.add(unavailable)
            waits = "polling"
        self._waits = waits
        context.add_init_script(self.channel.mark + (event_waits.MARK if waits == "events" else "") + marking + source())
        context.on("page", lambda page: page.once("domcontentloaded", self._begin))

    def step_started(self, name: str) -> None:
        """Notes that from now on everything belongs to step `name`."""
        self._steps.append((time.time(), name))

    def step_at(self, at: float) -> str:
        """The step that had begun last at a moment, in seconds since the epoch; the first one for what was before it."""
        position = bisect_right(self._steps, at, key=lambda step: step[0])
        return self._steps[max(position - 1, 0)][1] if self._steps else ""

    def _begin(self, page: Page) -> None:
        """Starts the agent in the first real document of a popup, for which Chromium may not run init scripts again."""
        self.channel.ask([Question(page.main_frame, BEGIN, PATIENCE)])

    def _receive(self, message: object) -> str | None:
        """Takes in what an agent reports, or answers what it asks: the name of a step."""
        try:
            snapshot = decode(str(message))
        except msgspec.DecodeError as error:
            # The binding can be called by the site as well: what is not the agent's is named, not believed.
            self._distrust(f"a message on {REPORT} was not the page agent's: {error}")
            return None
        if snapshot.asked is not None:
            return self.step_at(snapshot.asked / 1000)
        self._note(snapshot, 0.0)
        return None

    def _distrust(self, problem: str) -> None:
        self.trusted = False
        self._complain(problem)

    def _complain(self, problem: str) -> None:
        """Notes what kept an agent from working. A page can say as many different things as it likes."""
        if len(self.problems) < PROBLEMS:
            self.problems.add(tamed(problem, LONGEST_PROBLEM))

    def _note(self, snapshot: Snapshot, skew: float) -> None:
        def stamp(what: str, milliseconds: float) -> Stamp:
            return Stamp(what, milliseconds / 1000 - skew)

        if snapshot.problem:
            self._distrust(f"the page agent could not start: {snapshot.problem}")
        if snapshot.inputs.first is not None:
            self.causes.append(stamp("input", snapshot.inputs.first))
        if snapshot.inputs.move is not None:
            self.causes.append(stamp("move", snapshot.inputs.move))
        if snapshot.inputs.waited is not None:
            self.waiting.append(snapshot.inputs.waited / 1000 - skew)
        if snapshot.checks is not None and self._waits == "events":
            self.checks.append(_checks(snapshot.checks, skew))
        if snapshot.effect is not None:
            self.effects.append(stamp(snapshot.effect.signal, snapshot.effect.at))
        timing = snapshot.navigation
        if snapshot.top and timing is not None:
            if snapshot.origin not in self.documents:
                self.causes.append(stamp("navigation", snapshot.origin))
            if timing.load_event_end > 0:
                self.effects.append(stamp("load", snapshot.origin + timing.load_event_end))
            self.documents[snapshot.origin] = snapshot

    def read(self, window: Window, patience: float = PATIENCE) -> bool:
        """Asks every frame of every page what happened in `window`; False when a page did not answer within `patience` seconds."""
        questions = [self._question(frame, window, patience) for frame in self._frames()]
        asked = time.time()
        answers = self.channel.ask(questions)
        return self._take_in(questions, answers, window, asked, time.time())

    def read_late(self, beside: Sequence[Coroutine[Any, Any, None]]) -> list[object]:
        """Asks once more for what comes late: the first paints of pages that have not shown them yet are waited for, 250 ms
        at most. The calls `beside` are made at the same time; their results are returned as `bridge.gather` gives them."""
        asked = time.time()
        window = Window(asked, asked)
        unpainted = {
            page.main_frame
            for page in self._context.pages
            if any(document.url == page.url and "lcp" not in document.vitals for document in self.documents.values())
        }
        questions = [self._question(frame, window, PATIENCE, PAINTED if frame in unpainted else "") for frame in self._frames()]
        answers = self.channel.ask(questions, beside)
        self._take_in(questions, answers[: len(questions)], window, asked, time.time())
        return answers[len(questions) :]

    def _frames(self) -> list[Frame]:
        return [frame for page in self._context.pages for frame in page.frames if frame.url or frame not in self._unloaded]

    def _take_in(self, questions: list[Question], answers: list[object], window: Window, asked: float, answered: float) -> bool:
        if self.channel.dropped:
            self._distrust(f"the pages have reported more than can be kept; {self.channel.dropped} reports were lost")
        complete = True
        for question, given in zip(questions, answers, strict=True):
            frame = question.frame
            if isinstance(given, TimeoutError) and question.seconds == EMPTY_PATIENCE and frame.url:
                # It was given little time as long as it had no address. Now it has a document that can answer.
                given = self._ask_again(frame, window)
            answer = self._answer(frame, given, window)
            if answer is None:
                complete = False
                continue
            skew = _skew(answer, asked, answered)
            if skew:
                there = Window(window.start + skew, window.end + skew)
                again = self._answer(frame, self._ask_again(frame, there), there)
                answer = msgspec.structs.replace(again, inputs=answer.inputs) if again else answer
            self._note(answer, skew)
        return complete

    def _question(self, frame: Frame, window: Window, patience: float, first: str = "") -> Question:
        expression = READ.format(first=first, since=window.start * 1000, until=window.end * 1000)
        if frame.parent_frame is not None:
            patience = SHORT_PATIENCE if frame.url else EMPTY_PATIENCE
        return Question(frame, expression, patience)

    def _ask_again(self, frame: Frame, window: Window) -> object:
        return self.channel.ask([self._question(frame, window, PATIENCE)])[0]

    def _answer(self, frame: Frame, answer: object, window: Window) -> Snapshot | None:
        """One frame's answer; None when it should have given one and did not. A frame that has gone has nothing to say."""
        if isinstance(answer, PlaywrightError | TimeoutError) and (frame.is_detached() or frame.page.is_closed()):
            return Snapshot()
        if isinstance(answer, PlaywrightError):
            # Its document was being replaced while it was asked: the new one can answer for both.
            answer = self._ask_again(frame, window)
            if isinstance(answer, PlaywrightError):
                self._complain(f"the page agent of {frame.url} could not be read: {_first_line(answer)}")
                return None
        if isinstance(answer, TimeoutError) and not frame.url:
            self._unloaded.add(frame)
            return Snapshot()
        if isinstance(answer, TimeoutError):
            self._complain(f"{frame.url} was too busy to say its timing")
            return None
        if isinstance(answer, Exception) and not isinstance(answer, PlaywrightError):
            # The page has put something in the place of the agent's answer that Playwright cannot read.
            self._distrust(
                f"the answer of {frame.url} was not the page agent's: {type(answer).__name__}: {_first_line(answer)}"
            )
            return None
        return self._decoded(frame, answer) if isinstance(answer, str) else Snapshot()

    def _decoded(self, frame: Frame, answer: str) -> Snapshot | None:
        try:
            return decode(answer)
        except msgspec.DecodeError as error:
            # A site may have replaced what the agent is made of, or the agent.
            self._distrust(f"the answer of {frame.url} was not the page agent's: {error}")
            return None


def _checks(told: messages.CheckReport, skew: float) -> Checks:
    changed = None if told.changed is None else told.changed / 1000 - skew
    drawn = None if told.drawn is None else told.drawn / 1000 - skew
    return Checks(at=told.at / 1000 - skew, changed=changed, failed=told.failed / 1000 - skew, drawn=drawn)


def _first_line(error: Exception) -> str:
    text = next(iter(str(error).splitlines()), type(error).__name__)
    return text.partition("._wrap_api_call: ")[2] or text  # what Playwright calls a call that is not of its API


def _skew(answer: Snapshot, asked: float, answered: float) -> float:
    """Seconds by which the page's clock is ahead of ours, 0 where it lies between question and answer as it should."""
    if answer.now is None:
        return 0.0
    now = answer.now / 1000
    if asked - SKEW <= now <= answered + SKEW:
        return 0.0
    return now - (asked + answered) / 2
