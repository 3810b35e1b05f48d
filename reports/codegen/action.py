"""What a visitor did, one thing at a time."""

from typing import Any, Literal

from msgspec import Struct

Kind = Literal["goto", "back", "click", "fill", "check", "uncheck", "select", "press"]


class Said(Struct, frozen=True):
    """What was noted of an element while it was acted on: how a user would name it. It is not masked as the page's text may be."""

    role: str = ""
    name: str = ""
    test_id: str = ""


class RecordedAction(Struct, kw_only=True):
    """One action. It is changed while the events after it are read, and no more then."""

    kind: Kind
    tab: int
    """The number of the tab."""
    place: int
    """Before which event of the tab it was done."""
    at: float
    """Milliseconds since the epoch."""
    node: int = 0
    """The element's id in rrweb's numbering."""
    tag: str = ""
    sort: str = ""
    """What kind of field it is, as in `Nodes.sort`."""
    said: Said = Said()
    text: str | None = None
    """What was typed; None when the recording masks it."""
    index: int | None = None
    """Of the option that was chosen."""
    url: str = ""
    """The address that was opened."""
    leads_to: str = ""
    """The address that the page had when it had answered; empty when that stayed as it was."""
    opens: int | None = None
    """The number of the tab that came up."""


def describe_action(payload: dict[str, Any]) -> Said:
    """The descriptor of an element in an `act` event, texts cut to what a descriptor may hold."""
    role, name, test_id = (str(payload.get(key) or "")[:200] for key in ("role", "name", "testId"))
    return Said(role, name, test_id)
