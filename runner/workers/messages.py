"""The messages between the supervisor and its workers: frozen structs that travel as JSON, paths as text."""

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from runner.browser.chromium import Browser
from runner.dsl.plan import Plan
from runner.events import AttemptEnded, AttemptStarted, StepEnded, StepStarted
from runner.result import Artifact, Attempt, Environment
from runner.untrusted_text import encode_json


class BrowserWanted(Struct, frozen=True, tag=True):
    """The first message to a worker: which browser its runs use."""

    browser: Browser
    headed: bool = False
    slow_mo: float = 0.0
    min_free_memory: int = 0
    """Bytes that have to be free before it is started."""
    warm: bool = False
    """Start it at once, and say when it is ready."""


class Ready(Struct, frozen=True, tag=True):
    """The browser that was to be started at once has been, or has failed to: the first run will say so."""


class Job(Struct, frozen=True, tag=True):
    """A run to do. `folder` exists and takes the artifacts."""

    run: str
    plan: Plan
    folder: Path


class Broken(Struct, frozen=True, tag=True):
    """The run could not be begun: its journey's file no longer loads."""

    run: str
    message: str


class Execution(Struct, frozen=True, kw_only=True, tag=True):
    """All that a run has produced, before it is given its place among the saved runs."""

    run: str
    started_at: datetime
    ended_at: datetime
    duration_seconds: float
    attempts: tuple[Attempt, ...]
    artifacts: tuple[Artifact, ...] = ()
    notes: tuple[str, ...] = ()
    environment: Environment = Environment()


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} cannot be sent to a worker")


def _rich(wanted: type, value: Any) -> Any:
    if wanted is Path:
        return Path(value)
    raise NotImplementedError(f"{wanted.__name__} cannot be received from a worker")


def encode(message: object) -> bytes:
    """One message as JSON. Raises NotImplementedError for what has no JSON form."""
    return encode_json(message, enc_hook=_plain)


def decoder(wanted: Any) -> "msgspec.json.Decoder[Any]":
    """A decoder for messages of the type, or union of types, `wanted`."""
    return msgspec.json.Decoder(wanted, dec_hook=_rich)


ToWorker = BrowserWanted | Job
FromWorker = Ready | AttemptStarted | StepStarted | StepEnded | AttemptEnded | Execution | Broken
to_worker = decoder(ToWorker)
from_worker = decoder(FromWorker)
