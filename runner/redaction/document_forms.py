"""Which strings of a JSON document are names and references of our own or Playwright's, and must stay as they are.

A key says so only outside of what a page has said: an attribute of an element may be called `id` or `status` too.
"""

from msgspec import Struct


class DocumentForm(Struct, frozen=True):
    """What of a kind of document is left as it is."""

    own: frozenset[str] = frozenset()
    """Keys whose values are made by the runner or by Playwright."""
    times: bool = False
    """Whether a key that ends with `_at` holds a time."""


PAGE_KEYS = frozenset(
    {"html", "attributes", "params", "result", "value", "args", "headers", "cookies", "queryString", "payload", "style", "text"}
)
"""Keys under which everything is the page's or the journey's, keys of objects too."""

VALUE = DocumentForm()
"""Any JSON value."""
MESSAGE = DocumentForm(own=frozenset({"run", "type", "kind", "status", "clock", "cause", "ended_by", "path"}), times=True)
"""The result of a run; result.json."""
LOG_LINE = DocumentForm(own=frozenset({"at", "kind", "level", "method"}))
"""A line of console.jsonl and its like."""
PLAYWRIGHT = DocumentForm(
    own=frozenset(
        {
            *(
                "type",
                "id",
                "callId",
                "parentId",
                "stepId",
                "pageId",
                "pageref",
                "frameId",
                "_frameref",
                "guid",
                "sha1",
                "_sha1",
            ),
            *(
                "file",
                "_file",
                "class",
                "method",
                "snapshotName",
                "beforeSnapshot",
                "afterSnapshot",
                "inputSnapshot",
                "messageType",
            ),
            *("contextId", "_monotonicTime", "resourceType", "_resourceType"),
        }
    )
)
"""A line of a trace, or a HAR: references between its parts, and the names of Playwright's own methods and kinds."""
