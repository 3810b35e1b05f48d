"""From a recording to the actions that a visitor would describe.

What only accompanies an action goes: focus, pointer, scrolling, the click into a field that is then filled in, the click on a label
beside that on its field, the click that a browser makes of Enter, the second of two clicks on what then leads away, a click
without effect. What was typed into a field is one action, with the last text.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from reports.codegen.action import RecordedAction, Said
from reports.codegen.rrweb.events import DecodedEvent, decode_events, page_key
from reports.codegen.rrweb.nodes import FULL
from reports.replay.recording import Recording
from runner.errors import RecordingError

SAME = 150.0
"""Milliseconds within which two events may be of one act."""
EFFECT = 1_500.0
"""Within which a click on something other than a button or a link must have an effect."""
ANSWER = 10_000.0
"""Within which an address is taken for what an action led to, and not for one that was opened by hand."""
REDIRECT = 3_000.0
"""Within which an address that follows another is taken for where that one led."""
TWICE = 500.0
"""Within which a second click on the same element is one of impatience, if the page went on to another address."""
POPUP = 5_000.0


def reduce_to_actions(recording: Recording) -> list[RecordedAction]:
    """What was done, in the order of all tabs.

    Raises RecordingError for a recording that cannot be rebuilt, or in which nothing was done.
    """
    playable = [tab for tab in recording.tabs if any(event["type"] == FULL for event in tab.events)]
    if not playable:
        raise RecordingError(
            f"session {recording.session}: its recording has no full snapshot, so no page can be rebuilt; choose another session"
        )
    tabs = sorted(playable, key=lambda tab: float(tab.events[0]["timestamp"]))
    try:
        done = [_Reduction(recording.tabs.index(tab), list(decode_events(tab))).actions() for tab in tabs]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # It was sent by an untrusted browser.
        raise RecordingError(f"session {recording.session}: its data are not events of rrweb: {error}") from error
    _join(done)
    found = sorted((one for tab in done for one in tab), key=lambda one: one.at)
    if not any(one.node for one in found):
        raise RecordingError(f"session {recording.session}: the visitor only looked at pages; choose a session with clicks")
    return found


def _told(acts: Sequence[DecodedEvent], read: Sequence[DecodedEvent]) -> Iterator[int]:
    """Of each click that the agent has noted the place of rrweb's own, which is the nearest in time."""
    clicks = sorted((one for one in read if one.kind == "click" and not one.noted), key=lambda one: one.at)
    for act in acts:
        if act.kind == "click" or (act.kind == "change" and act.sort in {"check", "radio"}):
            after = bisect_left(clicks, act.at, key=lambda one: one.at)
            near = min(clicks[max(after - 1, 0) : after + 1], key=lambda one: abs(one.at - act.at), default=None)
            if near is not None and abs(near.at - act.at) <= SAME:
                yield near.place


class _Reduction:
    """One tab, read from its first moment to its last."""

    def __init__(self, tab: int, read: Sequence[DecodedEvent]) -> None:
        self._tab = tab
        self._moments = read
        self._acts = [one for one in read if one.noted]
        self._told = set(_told(self._acts, read))
        """Places of the clicks that the agent has noted too."""
        self._done: list[RecordedAction] = []
        self._fresh: list[RecordedAction] = []
        """Those since the page has got its address."""
        self._history: list[str] = []
        self._went_at = 0.0
        self._led: RecordedAction | None = None
        """What has led to the present address."""

    def actions(self) -> list[RecordedAction]:
        """All of them."""
        for moment in self._moments:
            match moment.kind:
                case "page":
                    self._page(moment)
                case "click":
                    self._click(moment)
                case "input":
                    self._input(moment)
                case "change":
                    self._change(moment)
                case "enter":
                    self._add("press", moment)
        return self._done

    def _add(self, kind: str, moment: DecodedEvent, before: RecordedAction | None = None) -> None:
        action = RecordedAction(
            kind=kind,  # type: ignore[arg-type]  # one of Kind
            tab=self._tab,
            # What is put before another is rebuilt where that one is: its field may be gone later.
            place=before.place if before else moment.place,
            at=before.at - 1 if before else moment.at,
            node=moment.node,
            tag=moment.tag,
            sort=moment.sort,
            said=moment.said,
            text=moment.text,
            index=moment.index,
            url=moment.url,
        )
        for some in (self._done, self._fresh):
            some.insert(some.index(before) if before in some else len(some), action)

    def _page(self, moment: DecodedEvent) -> None:
        last = self._fresh[-1] if self._fresh else None
        returns = len(self._history) > 1 and page_key(self._history[-2]) == page_key(moment.url)
        if last is not None and last.kind not in {"goto", "back"} and moment.at - last.at <= ANSWER:
            last.leads_to, self._led = moment.url, last
        elif returns and moment.back:
            self._back(moment)
        elif not self._fresh and self._led is not None and moment.at - self._went_at <= REDIRECT:
            self._led.leads_to = moment.url
        elif returns:
            self._back(moment)
        else:
            self._add("goto", moment)
            self._led = self._done[-1]
        self._history.append(moment.url)
        self._went_at = moment.at
        self._fresh = []

    def _back(self, moment: DecodedEvent) -> None:
        self._add("back", moment)
        self._led = self._done[-1]
        self._led.leads_to = moment.url
        del self._history[-2:]

    def _click(self, moment: DecodedEvent) -> None:
        if moment.place in self._told:
            return
        # A click on nothing in particular counts if it has an effect; most such clicks miss everything.
        if moment.said == Said() and moment.sort != "button" and moment.tag != "a" and not self._had_effect(moment):
            return
        if moment.label or moment.sort in {"check", "radio", "select", "file"}:
            return
        # Filling a field in is enough; what else it does, such as opening a list, is worth a click.
        if moment.sort == "text" and (self._is_filled_later(moment) or not self._had_effect(moment)):
            return
        last = self._done[-1] if self._done else None
        if last is not None and last.kind == "press" and moment.at - last.at <= SAME and moment.sort == "button":
            return  # what a browser makes of Enter
        if last is not None and last.kind == "click" and last.node == moment.node and moment.at - last.at <= TWICE:
            led = bool(last.leads_to) or self._leads_on(moment)
            if led or not moment.noted:
                return
        self._add("click", moment)

    def _leads_on(self, moment: DecodedEvent) -> bool:
        """Whether the page goes on to another address soon, and nothing else is done before."""
        for one in self._moments:
            if one.place > moment.place and one.at - moment.at <= REDIRECT:
                if one.kind == "page":
                    return True
                if one.kind in {"click", "input", "change", "enter"} and one.node != moment.node:
                    return False
        return False

    def _had_effect(self, moment: DecodedEvent) -> bool:
        for one in self._moments:
            if one.place > moment.place and one.at - moment.at <= EFFECT:
                if one.kind in {"effect", "page"}:
                    return True
                if one.kind in {"click", "enter"} and one.at - moment.at > SAME:
                    return False
        return False

    def _is_filled_later(self, moment: DecodedEvent) -> bool:
        for one in self._moments:
            if one.place > moment.place:
                if one.node == moment.node and one.kind in {"input", "change"}:
                    return True
                if one.kind in {"click", "page"} and one.node != moment.node:
                    return False
        return False

    def _input(self, moment: DecodedEvent) -> None:
        if moment.sort == "text":
            known = self._filled(moment)
            if known is not None:
                known.text = moment.text
            elif moment.text != "" or self._is_changed(moment):
                self._add("fill", moment, before=self._entered(moment))
        elif moment.sort == "check" or (moment.sort == "radio" and moment.checked):
            self._tick(moment)

    def _change(self, moment: DecodedEvent) -> None:
        if moment.sort == "select":
            self._choose(moment)
        elif moment.sort in {"check", "radio"}:
            self._tick(moment)
        elif moment.sort in {"text", "other"}:
            known = next((one for one in reversed(self._fresh) if one.kind == "fill" and one.node == moment.node), None)
            if known is not None:
                known.said = moment.said
                return
            self._add("fill", moment, before=self._entered(moment))

    def _entered(self, moment: DecodedEvent) -> RecordedAction | None:
        """Enter in the same field, which is recorded before the change that it makes."""
        last = self._fresh[-1] if self._fresh else None
        entered = last is not None and last.kind == "press" and last.node == moment.node and moment.at - last.at <= SAME
        return last if entered else None

    def _is_changed(self, moment: DecodedEvent) -> bool:
        """Whether the agent says so too; a script that empties a field that has the focus looks as if it was the visitor."""
        near = (one for one in self._acts if abs(one.at - moment.at) <= SAME)
        return any(one.kind == "change" and one.node == moment.node for one in near)

    def _filled(self, moment: DecodedEvent) -> RecordedAction | None:
        """The action that what is typed now goes on with: since then nothing was clicked or sent."""
        for one in reversed(self._fresh):
            if one.kind == "fill" and one.node == moment.node:
                return one
            if one.kind in {"click", "press"}:
                return None
        return None

    def _tick(self, moment: DecodedEvent) -> None:
        known = next((one for one in reversed(self._fresh) if one.node == moment.node), None)
        kind = "check" if moment.checked else "uncheck"
        if known is not None and known.kind in {"check", "uncheck"}:
            known.kind = kind  # type: ignore[assignment]  # one of Kind
            known.said = moment.said if moment.said != Said() else known.said
        else:
            self._add(kind, moment)

    def _choose(self, moment: DecodedEvent) -> None:
        last = self._fresh[-1] if self._fresh else None
        if last is not None and last.kind == "select" and last.node == moment.node:
            last.index = moment.index
        else:
            self._add("select", moment)


def _join(tabs: list[list[RecordedAction]]) -> None:
    """Finds what opened each tab after the first, and leaves out those in which nothing was done and that nothing opened."""
    for later in tabs[1:]:
        opening = next((one for one in later if one.kind == "goto"), None)
        if opening is None:
            continue
        earlier = (one for tab in tabs if tab is not later for one in tab)
        causes = [one for one in earlier if one.kind == "click" and 0 <= opening.at - one.at <= POPUP and not one.leads_to]
        if causes:
            cause = max(causes, key=lambda one: one.at)
            cause.opens, cause.leads_to = opening.tab, opening.url
            later.remove(opening)
        elif not any(one.node for one in later):
            later.clear()
