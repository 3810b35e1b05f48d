"""The messages between schedulers and workers: JSON in an envelope that never changes, so that every version can say what it cannot read."""

import re
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import replace

from runner.bundles.signature import is_signed, sign
from runner.codec import decoder, encode
from runner.dsl.plan import Plan
from runner.events import AttemptEnded, AttemptStarted, StepEnded, StepStarted
from runner.result import RunResult, Trigger
from runner.settings.parsers.values import parse_journey_name
from runner.settings.secrets import Secret
from runner.untrusted_text import decode_strictly

PROTOCOL = 1
"""Goes up when a message of the old form would be misunderstood."""
PURPOSE = "message"
"""Of the signature."""
UNDERSTOOD = frozenset({PROTOCOL})
"""The protocols that this version can read."""
Moment = Annotated[datetime, Meta(tz=True)]
_RUN_ID = re.compile("[0-9A-Za-z-]{1,64}")


class Envelope(Struct, frozen=True, kw_only=True):
    """What every version reads of a message: never changed, only added to."""

    protocol: int
    kind: str
    run: str = ""
    sender: str = ""
    body: Raw = Raw(b"null")
    signature: str = ""
    """Of all of this, with the key that signs bundles; empty where there is none."""


class NotSigned(Exception):
    """A message that nobody with the key has written: whoever can write to the broker could else have journeys sign in elsewhere."""

    def __init__(self, envelope: Envelope) -> None:
        super().__init__(
            f"it has no valid signature ({envelope.kind} of {envelope.sender or 'nobody'}); "
            "set the same bundle_key_file for schedulers and workers"
        )
        self.envelope = envelope


class WrongProtocol(Exception):
    """A message in a form of another version; `run` is the run that it is about."""

    def __init__(self, envelope: Envelope) -> None:
        super().__init__(f"its messages are of protocol {envelope.protocol}, those of this version of protocol {PROTOCOL}")
        self.envelope = envelope


class RunOrder(Struct, frozen=True, kw_only=True):
    """To a worker: make this run. Times are by the scheduler's clock; `sent_at` lets a worker compare its own."""

    run: str
    plan: Plan
    slot_at: Moment | None
    """None for a run on demand."""
    trigger: Trigger
    due_at: Moment
    begin_by: Moment
    """A run that has not begun by then is not made."""
    sent_at: Moment
    version: str
    """Of the scheduler's package."""
    bundle: str = ""
    """The digest of the bundle that holds the journey; empty where workers read the same folder."""
    followed: bool = False
    """Whether somebody waits for it, and wants to know what happens in it before it has ended."""


class Begun(Struct, frozen=True, kw_only=True):
    """From a worker: the run has begun."""

    run: str
    worker: str
    redelivered: bool = False


class Happened(Struct, frozen=True, kw_only=True):
    """From a worker: what has happened in a run that is followed. A message that is lost does no harm, as the result has everything."""

    run: str
    worker: str
    moment: AttemptStarted | StepStarted | StepEnded | AttemptEnded


class Ended(Struct, frozen=True, kw_only=True):
    """From a worker: the run has ended, and its files are uploaded, or wait for the storage."""

    result: RunResult
    worker: str
    redelivered: bool = False
    """Whether the broker had delivered it before, to a worker that never acknowledged it."""


class Refused(Struct, frozen=True, kw_only=True):
    """From a worker: this worker does not make the run."""

    run: str
    worker: str
    message: str


class Expired(Struct, frozen=True, kw_only=True):
    """From a worker: the run came too late to be begun."""

    run: str
    worker: str


class Heartbeat(Struct, frozen=True, kw_only=True):
    """From a worker, every few seconds: it is there, and these are the runs that it has, results that wait to be sent among them."""

    worker: str
    location: str
    version: str
    sent_at: Moment
    concurrency: int = 1
    runs: tuple[str, ...] = ()
    sending: tuple[str, ...] = ()
    """Those of them that have ended: their results are on the way. A process before this one may have made them."""
    leaving: bool = False
    """Whether it takes no more runs."""


class Taken(Struct, frozen=True, kw_only=True):
    """From a scheduler to the others: it has taken in the results of these runs."""

    runs: tuple[str, ...]


class Clock(Struct, frozen=True, kw_only=True):
    """From a scheduler to all workers: what time it is."""

    now: float
    """Seconds since the epoch."""
    sender: str


Message = RunOrder | Begun | Happened | Ended | Refused | Expired | Heartbeat | Taken | Clock
_BODIES: dict[str, "msgspec.json.Decoder[Any]"] = {
    one.__name__: decoder(one) for one in (RunOrder, Begun, Happened, Ended, Refused, Expired, Heartbeat, Taken, Clock)
}
_envelope = msgspec.json.Decoder(Envelope)


def write_message(message: Message, sender: str, key: Secret | None = None) -> bytes:
    """A message as it is sent, signed if there is a key."""
    run = message.result.id if isinstance(message, Ended) else getattr(message, "run", "")
    envelope = Envelope(protocol=PROTOCOL, kind=type(message).__name__, run=run, sender=sender, body=Raw(encode(message)))
    if key is not None:
        envelope = replace(envelope, signature=sign(PURPOSE, _signed_part(envelope), key))
    return msgspec.json.encode(envelope)


def read_message(content: bytes | str, key: Secret | None = None) -> Message:
    """A message that has come. With a key, only what was signed with it counts, whatever version has written it.

    Raises WrongProtocol, NotSigned, and msgspec.DecodeError for what is not a message.
    """
    envelope = decode_strictly(content, _envelope)
    _check_run_id(envelope.run, may_be_empty=True)
    if key is not None and not is_signed(PURPOSE, _signed_part(envelope), envelope.signature, key):
        raise NotSigned(envelope)
    if envelope.protocol not in UNDERSTOOD:
        raise WrongProtocol(envelope)
    reader = _BODIES.get(envelope.kind)
    if reader is None:
        raise msgspec.ValidationError(f"there is no message {envelope.kind!r}")
    found: Message = decode_strictly(bytes(envelope.body), reader)
    _check_names(found)
    return found


def _check_names(message: Message) -> None:
    """What becomes part of a path. Raises msgspec.ValidationError."""
    if isinstance(message, Heartbeat | Clock | Taken):
        return
    if isinstance(message, Ended):
        _check_run_id(message.result.id)
        _check_journey(message.result.journey)
        return
    _check_run_id(message.run)
    if isinstance(message, RunOrder):
        _check_journey(message.plan.journey)
    if isinstance(message, Happened) and message.moment.run != message.run:
        raise msgspec.ValidationError(f"it is about run {message.run}, and what happened was in another")


def _check_journey(name: str) -> None:
    try:
        parse_journey_name(name)
    except ValueError as error:
        raise msgspec.ValidationError(str(error)) from error


def _check_run_id(run: str, may_be_empty: bool = False) -> None:
    if not (_RUN_ID.fullmatch(run) or (may_be_empty and not run)):
        raise msgspec.ValidationError(f"{run[:80]!r} is not the id of a run")


def _signed_part(envelope: Envelope) -> bytes:
    """What a signature covers. The parts of the head are JSON texts, so that none can pass for two."""
    head = msgspec.json.encode((envelope.protocol, envelope.kind, envelope.run, envelope.sender))
    return head + b"\n" + bytes(envelope.body)
