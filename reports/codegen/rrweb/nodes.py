"""The elements of a recorded document by rrweb's ids, as far as events are understood by them: tags, attributes, parents."""

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct

FULL, INCREMENTAL, META, CUSTOM = 2, 3, 4, 5
"""Types of rrweb's events."""
MUTATION, MOUSE, INPUT = 0, 2, 5
"""Sources of its incremental events."""
ELEMENT = 2
"""The type of node that has a tag."""
Sort = Literal["text", "check", "radio", "select", "file", "button", "other"]
BUTTONS = {"submit", "button", "reset", "image"}


class Node(Struct):
    """One node; its tag is empty for other nodes than elements."""

    tag: str
    attributes: dict[str, Any]
    parent: int


class Nodes:
    """Grows with the events of a tab."""

    def __init__(self) -> None:
        self._nodes: dict[int, Node] = {}

    def take(self, event: dict[str, Any]) -> None:
        """Takes in what an event says of the document."""
        data = event.get("data") or {}
        if event["type"] == FULL:
            self._nodes = {}
            self._add(data.get("node") or {}, 0)
        elif event["type"] == INCREMENTAL and data.get("source") == MUTATION:
            for added in data.get("adds") or ():
                self._add(added.get("node") or {}, added.get("parentId") or 0)
            for changed in data.get("attributes") or ():
                node = self._nodes.get(changed.get("id", 0))
                if node is not None:
                    node.attributes.update(changed.get("attributes") or {})

    def _add(self, node: dict[str, Any], parent: int) -> None:
        # Documents may be deep: a list, and no recursion.
        waiting = [(node, parent)]
        while waiting:
            one, above = waiting.pop()
            number = one.get("id", 0)
            tag = str(one.get("tagName", "")).lower() if one.get("type") == ELEMENT else ""
            self._nodes[number] = Node(tag, dict(one.get("attributes") or {}), above)
            waiting += [(child, number) for child in one.get("childNodes") or ()]

    def tag(self, number: int) -> str:
        """The tag of an element; empty when there is none."""
        node = self._nodes.get(number)
        return node.tag if node else ""

    def type(self, number: int) -> str:
        """The `type` of an `input`, in small letters."""
        node = self._nodes.get(number)
        return str(node.attributes.get("type") or "text").lower() if node and node.tag == "input" else ""

    def sort(self, number: int) -> Sort:
        """What kind of field it is, if it is one."""
        tag, kind = self.tag(number), self.type(number)
        if tag == "textarea" or (tag == "input" and kind not in {"checkbox", "radio", "file", "hidden", *BUTTONS}):
            return "text"
        if tag in {"select", "option"}:
            return "select"
        if tag == "button" or kind in BUTTONS:
            return "button"
        return {"checkbox": "check", "radio": "radio", "file": "file"}.get(kind, "other")  # type: ignore[return-value]  # one of Sort

    def within(self, number: int) -> Iterator[int]:
        """The node and all around it, from the inside."""
        seen: set[int] = set()
        while number in self._nodes and number not in seen:
            seen.add(number)
            yield number
            number = self._nodes[number].parent

    def is_label(self, number: int) -> bool:
        """Whether a click on it is one on a field, which hears of it too: it is in a label, but not in a button or link."""
        for one in self.within(number):
            if self.tag(one) in {"a", "button", "input", "select", "textarea"}:
                return False
            if self.tag(one) == "label":
                return True
        return False
