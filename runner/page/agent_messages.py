"""What the page agent tells: its messages, decoded. Times are milliseconds since the epoch, spans milliseconds."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from runner.page.signals import decode_signals
from runner.untrusted_text import decode_json

# The page's own scripts can speak in the agent's name: what a number stands for has to exist.
Millis = Annotated[float, Meta(ge=-8.64e15, le=8.64e15)]
"""Milliseconds, in the range of ECMAScript's time values."""
Whole = Annotated[int, Meta(ge=0, le=2**53)]
LONGEST = 4_000_000
"""Characters of a message; the agent keeps a few hundred entries, whose names the site has chosen."""


class Inputs(Struct, frozen=True):
    """The first trusted act, and the first mouse move, since the document was last read."""

    first: Millis | None = None
    move: Millis | None = None
    waited: Millis | None = None
    """Since when checks had failed before the first act."""


class CheckReport(Struct, frozen=True):
    """Playwright's checks since the last act of the script; only with event-driven waits is it known which of them failed."""

    at: Millis
    """Of the newest."""
    changed: Millis | None
    """The newest change, before their check, of the elements that were found; 0 for no element, None for too many."""
    failed: Millis
    """The newest that failed; 0 if none did."""
    drawn: Millis | None = None
    """When the frame with the newest change was drawn, if that took long."""


class Effect(Struct, frozen=True):
    """Something that happened on the page: `signal` is `load`, `dom`, `response`, `paint` or `input`."""

    signal: str
    at: Millis


class ServerTimingEntry(Struct, frozen=True):
    """An entry of `PerformanceNavigationTiming.serverTiming`."""

    name: str
    duration: float | None = 0.0
    """None for a header that says more than a number can."""
    description: str = ""


class NavigationTiming(Struct, frozen=True, rename="camel"):
    """`PerformanceNavigationTiming`: stamps count from the start of the document, 0 = has not happened."""

    redirect_start: Millis
    redirect_end: Millis
    domain_lookup_start: Millis
    domain_lookup_end: Millis
    connect_start: Millis
    secure_connection_start: Millis
    connect_end: Millis
    request_start: Millis
    response_start: Millis
    response_end: Millis
    dom_complete: Millis
    load_event_start: Millis
    load_event_end: Millis
    redirect_count: Whole
    transfer_size: Whole
    decoded_body_size: Whole
    name: str
    """The address that was loaded; the page may have changed its own since."""
    type: str
    next_hop_protocol: str = ""
    response_status: Whole = 0
    server_timing: tuple[ServerTimingEntry, ...] = ()


class Vital(Struct, frozen=True):
    """A web vital; `at` is when its first entry began, None where it has no entry."""

    value: Millis
    at: Millis | None = None


class Snapshot(Struct, frozen=True, rename="camel"):
    """One document as its agent sees it; `effect`, `checks` and `now` only when the agent was read, not when it reported by itself."""

    origin: Millis = 0.0
    top: bool = False
    url: str = ""
    inputs: Inputs = Inputs()
    navigation: NavigationTiming | None = None
    vitals: dict[str, Vital] = {}
    signals: dict[str, Any] = {}
    """By their names, each of the type that its row in signals.py says."""
    now: Millis | None = None
    effect: Effect | None = None
    checks: CheckReport | None = None
    problem: str = ""
    asked: Millis | None = None
    """Nothing is reported, but the agent asks which step was under way at this moment."""


_decoder = msgspec.json.Decoder(Snapshot)


def decode(message: str) -> Snapshot:
    """One message of the agent. Raises msgspec.DecodeError for a message that is not the agent's."""
    if len(message) > LONGEST:
        raise msgspec.ValidationError(f"{len(message)} characters, and at most {LONGEST} are read")
    snapshot = decode_json(message, _decoder)
    return replace(snapshot, signals=decode_signals(snapshot.signals)) if snapshot.signals else snapshot
