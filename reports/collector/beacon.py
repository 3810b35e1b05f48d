"""What a page's agent sends: one JSON document, checked while it is decoded. Durations are seconds, moments seconds since the epoch.

A beacon tells what is new of one or more page views since the last one, so several may speak of the same view; a vital that was
reported before under its id is replaced. A beacon that arrives twice (it was sent again, since no answer came) has the same id and
counts once. docs/real-users.md describes every field.
"""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta, Struct

Identity = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{8,70}\Z")]
"""A UUIDv7 as our agent makes it; others' ids are taken as they are."""
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")]
Trace = Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?\Z")]
Short = Annotated[str, Meta(max_length=200)]
Text = Annotated[str, Meta(max_length=2_000)]
Long = Annotated[str, Meta(max_length=8_000)]
Address = Annotated[str, Meta(max_length=4_000)]
Span = Annotated[float, Meta(ge=0, le=86_400)]
Moment = Annotated[float, Meta(ge=0, le=253_402_300_799)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
ViewType = Literal["navigate", "reload", "back_forward", "bfcache", "prerender", "restore", "soft", "report"]
"""`report` is not a page view: it carries reports about a page outside its views, and is not counted."""
VitalName = Literal["ttfb", "fcp", "lcp", "inp", "cls"]


class Vital(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A web vital as the `web-vitals` library reports it: seconds, except for `cls`, a score without a unit."""

    name: VitalName
    id: Annotated[str, Meta(max_length=80)]
    value: Span
    attribution: Annotated[dict[Short, Short | float], Meta(max_length=40)] = {}
    """The attribution: the element, the address, the parts of the time."""


class Interaction(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a user did, and to what; never what was typed."""

    type: Literal["click", "change", "submit", "keyboard", "scroll", "custom", "dead-click", "back"]
    """`dead-click` and `back` are observations about what the user did, not further interactions."""
    at_seconds: Span = 0.0
    """From the start of the view."""
    role: Short = ""
    name: Short = ""
    """The accessible name, of elements that are acted on: buttons, links, fields."""
    test_id: Short = ""
    element: Short = ""
    """A CSS selector of ids, tags and classes."""


OBSERVATIONS = frozenset(("dead-click", "back"))
INTERACTION_TYPES = frozenset(get_args(Interaction.__annotations__["type"])) - OBSERVATIONS
SCRIPT_KINDS = {"error", "unhandled-rejection", "resource", "reported"}
"""The kinds of errors in the page's scripts; the others are reported by the browser itself."""


class ScriptError(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An uncaught error of the page's scripts, or something that the page reported by hand."""

    kind: Literal[
        "error", "unhandled-rejection", "resource", "reported", "csp", "network", "deprecation", "intervention", "crash"
    ]
    message: Text
    at_seconds: Span = 0.0
    type: Short = ""
    """Such as `TypeError`."""
    stack: Long = ""
    source: Address = ""
    line: Count = 0
    column: Count = 0
    count: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    """How often the same came in this beacon."""


class SlowRequest(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A request of the page that failed or took long."""

    url: Address
    method: Annotated[str, Meta(max_length=20)] = "GET"
    kind: Short = ""
    """`fetch`, `xhr`, or the initiator that Resource Timing names."""
    at_seconds: Span = 0.0
    duration_seconds: Span = 0.0
    status: Annotated[int, Meta(ge=0, le=999)] = 0
    """0 where it is not known."""
    failure: Short = ""


class View(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A page view, or what is new of it."""

    id: Identity
    url: Address
    started_at: Moment
    type: ViewType = "navigate"
    referrer: Address = ""
    title: Short = ""
    hidden: bool = False
    """Whether it was in the background from its start: its paints say nothing then."""
    ended: bool = False
    """Whether the page has gone for good: nothing more will come."""
    trace: Trace = ""
    """The id of the trace of its requests (`/trace.js`); empty where they have none."""
    visible_seconds: Span | None = None
    """How long it has been visible so far."""
    phases: Annotated[dict[Annotated[str, Meta(max_length=20)], Span], Meta(max_length=20)] = {}
    """Navigation Timing: `redirect dns connect tls request response dom load`, and `ttfb`, `total` from the start."""
    status: Annotated[int, Meta(ge=0, le=999)] = 0
    protocol: Annotated[str, Meta(max_length=20)] = ""
    transfer_bytes: Annotated[int, Meta(ge=0, le=10_000_000_000)] = 0
    vitals: Annotated[tuple[Vital, ...], Meta(max_length=50)] = ()
    interactions: Annotated[tuple[Interaction, ...], Meta(max_length=200)] = ()
    interaction_counts: Annotated[dict[Short, Count], Meta(max_length=10)] = {}
    """How many of each type since the last beacon: more than are listed, if there were many."""
    errors: Annotated[tuple[ScriptError, ...], Meta(max_length=50)] = ()
    requests: Annotated[tuple[SlowRequest, ...], Meta(max_length=50)] = ()


class Synthetic(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The journey that the page is loaded by."""

    journey: Short
    run: Identity
    step: Short = ""
    location: Short = ""


class Beacon(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One message of one tab."""

    id: Identity
    app: Name
    session: Identity
    sent_at: Moment
    views: Annotated[tuple[View, ...], Meta(min_length=1, max_length=50)]
    key: Annotated[str, Meta(max_length=100)] = ""
    release: Short = ""
    environment: Short = ""
    webdriver: bool = False
    """Whether the browser says that a program drives it."""
    synthetic: Synthetic | None = None
    viewport: tuple[Count, Count] | None = None
    """Width and height in CSS pixels."""
    connection: Annotated[str, Meta(max_length=20)] = ""
    """`effectiveType` of the Network Information API."""
    version: Literal[1] = 1


_decoder = msgspec.json.Decoder(Beacon)


def decode_beacon(body: bytes) -> Beacon:
    """One beacon. Raises msgspec.ValidationError, which names the field, and msgspec.DecodeError for invalid JSON."""
    return _decoder.decode(body)
