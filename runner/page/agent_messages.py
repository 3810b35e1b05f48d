"""What the page agent tells: its messages, decoded. Times are milliseconds since the epoch, spans milliseconds."""

import msgspec
from msgspec import Struct


class Inputs(Struct, frozen=True):
    """The first trusted act, and the first mouse move, since the document was last read."""

    first: float | None = None
    move: float | None = None


class Effect(Struct, frozen=True):
    """Something that happened on the page: `signal` is `load`, `dom`, `response`, `paint` or `input`."""

    signal: str
    at: float


class ServerTimingEntry(Struct, frozen=True):
    """An entry of `PerformanceNavigationTiming.serverTiming`."""

    name: str
    duration: float = 0.0
    description: str = ""


class NavigationTiming(Struct, frozen=True, rename="camel"):
    """`PerformanceNavigationTiming`: stamps count from the start of the document, 0 = has not happened."""

    redirect_start: float
    redirect_end: float
    fetch_start: float
    domain_lookup_start: float
    domain_lookup_end: float
    connect_start: float
    secure_connection_start: float
    connect_end: float
    request_start: float
    response_start: float
    response_end: float
    dom_interactive: float
    dom_content_loaded_event_end: float
    dom_complete: float
    load_event_start: float
    load_event_end: float
    redirect_count: int
    transfer_size: int
    decoded_body_size: int
    name: str
    """The address that was loaded; the page may have changed its own since."""
    type: str
    next_hop_protocol: str = ""
    response_status: int = 0
    server_timing: tuple[ServerTimingEntry, ...] = ()


class Vital(Struct, frozen=True):
    """A web vital; `at` is when its first entry began, None where it has no entry."""

    value: float
    at: float | None = None


class Timing(Struct, frozen=True):
    """A mark or a measure of the site's own."""

    kind: str
    name: str
    at: float
    duration: float


class Task(Struct, frozen=True):
    """A long task or long animation frame."""

    kind: str
    at: float
    duration: float
    blocking: float


class Snapshot(Struct, frozen=True, rename="camel"):
    """One document as its agent sees it; `effect` and `now` only when the agent was read, not when it reported by itself."""

    origin: float = 0.0
    top: bool = False
    url: str = ""
    inputs: Inputs = Inputs()
    navigation: NavigationTiming | None = None
    vitals: dict[str, Vital] = {}
    user_timings: tuple[Timing, ...] = ()
    long_tasks: tuple[Task, ...] = ()
    now: float | None = None
    effect: Effect | None = None
    problem: str = ""
    asked: float | None = None
    """Nothing is told, but which step was under way at this moment is asked."""


_decoder = msgspec.json.Decoder(Snapshot)


def decode(message: str) -> Snapshot:
    """One message of the agent. Raises msgspec.ValidationError for a message that is not the agent's."""
    return _decoder.decode(message)
