"""The relevant events of a tab: what was done, and where the page went."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from msgspec import Struct

from reports.codegen.action import Said, describe_action
from reports.codegen.rrweb.nodes import CUSTOM, FULL, INCREMENTAL, INPUT, META, MOUSE, MUTATION, Nodes, Sort
from reports.replay.recording import Tab

RELEASE, PRESS, CLICK, CONTEXT_MENU, FOCUS, BLUR = 0, 1, 2, 3, 5, 6
"""Types of rrweb's mouse interactions."""
DRAG = 12
"""The source of rrweb's events about dragging."""
STILL = 10.0
"""Pixels that a pointer may move between press and release; more is dragging."""
AFTER = 1_000.0
"""Milliseconds after a release within which its click must have come."""
BACKGROUND = {"html", "body"}
"""A click on them misses everything; repeating it would hit the middle of the page."""
NEAR = 20
"""Events within which a page's view is noted, once its document is."""
MASKS = "•*●∙▪█"
"""Characters that stand for others."""


class DecodedEvent(Struct, frozen=True, kw_only=True):
    """One event, understood."""

    kind: Literal["page", "click", "input", "change", "enter", "submit", "effect"]
    """`input` is what was typed or ticked so far, `change` that it is done; `effect` is any change of the document."""
    place: int
    at: float
    noted: bool = False
    """Whether the agent has noted it, with what the element is called; else only rrweb has."""
    node: int = 0
    tag: str = ""
    sort: Sort = "other"
    label: bool = False
    """Whether a field hears of it too."""
    said: Said = Said()
    text: str | None = None
    checked: bool = False
    index: int | None = None
    url: str = ""
    back: bool = False
    """Whether the browser's own buttons led there, as far as the agent has noted it."""


def decode_events(tab: Tab) -> Iterator[DecodedEvent]:
    """The moments of a tab, in order."""
    nodes = Nodes()
    focused = 0
    where = ""
    for place, event in enumerate(tab.events):
        data, at = event.get("data") or {}, float(event["timestamp"])
        nodes.take(event)
        address = _address(event)
        if address:
            if page_key(address) != where:
                where = page_key(address)
                yield DecodedEvent(kind="page", place=place, at=at, url=address, back=_is_back(tab.events, place))
        elif event["type"] == CUSTOM and data.get("tag") == "act":
            found = _noted(data.get("payload") or {}, place, at, nodes)
            if found is not None:
                yield found
        elif event["type"] == INCREMENTAL and data.get("source") == MOUSE:
            number = int(data.get("id") or 0)
            if data.get("type") == FOCUS:
                focused = number
            elif data.get("type") == BLUR:
                focused = 0
            elif nodes.tag(number) in BACKGROUND:
                continue
            elif data.get("type") == CLICK or (data.get("type") == PRESS and _is_unclicked(tab.events, place, nodes)):
                yield DecodedEvent(kind="click", place=place, at=at, **_node(nodes, number))
        elif event["type"] == INCREMENTAL and data.get("source") == INPUT:
            number = int(data.get("id") or 0)
            # A script that sets a field is not an action of the visitor. Older recordings do not say which it was.
            if data.get("userTriggered", number == focused or nodes.sort(number) in {"check", "radio", "select"}):
                yield DecodedEvent(
                    kind="input", place=place, at=at, text=text_unless_masked(data.get("text")), checked=bool(data.get("isChecked")),
                    **_node(nodes, number),
                )  # fmt: skip
        elif event["type"] == FULL or (event["type"] == INCREMENTAL and data.get("source") == MUTATION):
            yield DecodedEvent(kind="effect", place=place, at=at)


def _is_unclicked(events: Sequence[dict[str, Any]], place: int, nodes: Nodes) -> bool:
    """Whether what was pressed has acted without a click: browsers send none if the element is removed by then.

    Lists that imitate a `select` choose on press or release, and are drawn again at once (OOUI of MediaWiki, Select2, Selectize).
    """
    pressed = events[place]["data"]
    around = set(nodes.within(int(pressed.get("id") or 0)))
    gone, released = False, None
    for event in events[place + 1 :]:
        data = event.get("data") or {}
        if released is not None and float(event["timestamp"]) - released > AFTER:
            break
        source, kind = data.get("source"), data.get("type")
        if event["type"] == CUSTOM and data.get("tag") == "act" and (data.get("payload") or {}).get("type") == "click":
            return False
        if event["type"] != INCREMENTAL:
            continue
        if source == MUTATION:
            gone = gone or any(one.get("id") in around for one in data.get("removes") or ())
        elif source == DRAG or (source == MOUSE and kind in {CLICK, CONTEXT_MENU}):
            return False
        elif source == MOUSE and kind == PRESS:
            break
        elif source == MOUSE and kind == RELEASE:
            released = float(event["timestamp"])
            if any(abs((data.get(axis) or 0) - (pressed.get(axis) or 0)) > STILL for axis in ("x", "y")):
                return False
    return gone and released is not None


def _address(event: dict[str, Any]) -> str:
    data = event.get("data") or {}
    if event["type"] == META:
        address = data.get("href")
    elif event["type"] == CUSTOM and data.get("tag") == "view":
        address = (data.get("payload") or {}).get("url")
    else:
        return ""
    return str(address) if urlsplit(str(address or "")).scheme in {"http", "https"} else ""


def _is_back(events: Sequence[dict[str, Any]], place: int) -> bool:
    """What is noted of a page's view: with the event at this place, or soon after."""
    for event in events[place : place + NEAR]:
        data = event.get("data") or {}
        if event["type"] == CUSTOM and data.get("tag") == "view":
            return (data.get("payload") or {}).get("back") is True
    return False


def _noted(payload: dict[str, Any], place: int, at: float, nodes: Nodes) -> DecodedEvent | None:
    kinds: dict[str, Literal["click", "change", "enter", "submit"]] = {
        "click": "click", "change": "change", "keyboard": "enter", "enter": "enter", "submit": "submit",
    }  # fmt: skip
    kind = kinds.get(str(payload.get("type")))
    number = payload.get("id")
    if kind is None or not isinstance(number, int) or (kind == "click" and nodes.tag(number) in BACKGROUND):
        return None
    index = payload.get("index")
    return DecodedEvent(
        kind=kind,
        place=place,
        at=at,
        noted=True,
        said=describe_action(payload),
        checked=bool(payload.get("checked")),
        index=index if isinstance(index, int) and index >= 0 else None,
        **_node(nodes, number),
    )


def _node(nodes: Nodes, number: int) -> dict[str, Any]:
    return {"node": number, "tag": nodes.tag(number), "sort": nodes.sort(number), "label": nodes.is_label(number)}


def text_unless_masked(text: object) -> str | None:
    """The text; None if it is masked.

    >>> text_unless_masked("tea"), text_unless_masked("••••••"), text_unless_masked("")
    ('tea', None, '')
    """
    found = str(text or "")
    return None if found and not found.strip(MASKS + " ") else found


def page_key(address: str) -> str:
    """What two addresses of one page have in common: everything except the query, and the fragment unless it is a route.

    >>> page_key("https://shop.example/cart?x=1#top"), page_key("https://shop.example/#/cart")
    ('https://shop.example/cart', 'https://shop.example/#/cart')
    """
    parts = urlsplit(address)
    route = f"#{parts.fragment}" if parts.fragment.startswith(("/", "!")) else ""
    return f"{parts.scheme}://{parts.netloc}{parts.path or '/'}{route}"
