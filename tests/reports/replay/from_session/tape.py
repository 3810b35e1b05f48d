"""Recordings made by hand: a few events, as rrweb writes them."""

from typing import Any, Self

from reports.replay.recording import Recording, Tab

SITE = "https://shop.example"
MASK = "••••••"
START = 1_795_560_000_000.0


def element(number: int, tag: str, *children: dict[str, Any], **attributes: str) -> dict[str, Any]:
    """An element, with `for_` for `for`."""
    named = {name.rstrip("_"): value for name, value in attributes.items()}
    return {"type": 2, "id": number, "tagName": tag, "attributes": named, "childNodes": list(children)}


def text(number: int, content: str) -> dict[str, Any]:
    """A text."""
    return {"type": 3, "id": number, "textContent": content}


class Tape:
    """One tab. Each event comes a second after the one before, unless it is told `after` how many milliseconds."""

    def __init__(self, at: float = START) -> None:
        self.events: list[dict[str, Any]] = []
        self.at = at

    def event(self, kind: int, data: dict[str, Any], after: float = 1000) -> Self:
        """Any event."""
        self.at += after
        self.events.append({"type": kind, "data": data, "timestamp": self.at})
        return self

    def page(self, path: str, *body: dict[str, Any], after: float = 1000) -> Self:
        """A document is loaded."""
        address = path if "://" in path else SITE + path
        self.event(4, {"href": address, "width": 1280, "height": 900}, after)
        document = {"type": 0, "id": 1, "childNodes": [element(2, "html", element(3, "head"), element(4, "body", *body))]}
        return self.event(2, {"node": document, "initialOffset": {"left": 0, "top": 0}}, 0)

    def view(self, path: str, after: float = 100, **more: Any) -> Self:
        """A route of a page's own."""
        return self.event(5, {"tag": "view", "payload": {"id": f"view-{len(self.events)}", "url": SITE + path, **more}}, after)

    def act(self, kind: str, number: int, after: float = 1000, **said: Any) -> Self:
        """The agent tells of an element that was acted on."""
        return self.event(5, {"tag": "act", "payload": {"type": kind, "id": number, **said}}, after)

    def mouse(self, number: int, kind: int = 2, after: float = 1000) -> Self:
        """What rrweb notes of a pointer: a click, if nothing else is said."""
        return self.event(3, {"source": 2, "type": kind, "id": number, "x": 1, "y": 1}, after)

    def click(self, number: int, after: float = 1000, **said: Any) -> Self:
        """A click, as rrweb and the agent note it."""
        for kind in (1, 5, 0, 2):
            self.mouse(number, kind, after if kind == 1 else 1)
        return self.act("click", number, 1, **{"role": "button", **said})

    def type(self, number: int, content: str = MASK, after: float = 1000, **more: Any) -> Self:
        """Something is typed, or ticked."""
        data = {"source": 5, "id": number, "text": content, "isChecked": False, "userTriggered": True, **more}
        return self.event(3, data, after)

    def change(self, after: float = 100, *, removed: int | None = None) -> Self:
        """The document changes; an element may be removed from it."""
        removes = [] if removed is None else [{"parentId": 4, "id": removed}]
        return self.event(3, {"source": 0, "adds": [], "removes": removes, "texts": [], "attributes": []}, after)


def recording(*tapes: Tape) -> Recording:
    """A session of these tabs."""
    tabs = tuple(Tab(id=f"tab-{number}", events=tape.events) for number, tape in enumerate(tapes))
    return Recording(app="shop", session="01a20fc0-aafa-7b1d-ac37-708720ccee0c", tabs=tabs, gaps=())
