"""The messages between the supervisor and its workers: frozen structs that are sent as JSON."""

from pathlib import Path

from msgspec import Struct

from runner.browser.chromium import Browser, LaunchOptions
from runner.codec import decoder
from runner.dsl.plan import Plan
from runner.events import AttemptEnded, AttemptStarted, StepEnded, StepStarted
from runner.execution.outcome import Execution
from runner.result import FailureKind
from runner.settings.parsers.values import Engine


class BrowserWanted(Struct, frozen=True, tag=True):
    """The first message to a worker: the browser that its runs use."""

    browser: Browser
    paths: dict[Engine, Path] = {}
    """The programs that settings name, for other engines than this browser's."""
    launch: LaunchOptions = LaunchOptions()
    min_free_memory: int = 0
    """Bytes that must be free before it is started."""
    warm: bool = False
    """Start it at once, and send Ready then."""


class Ready(Struct, frozen=True, tag=True):
    """The worker has tried to start its browser. If that failed, its first run reports why."""


class Job(Struct, frozen=True, tag=True):
    """A run to do. `folder` exists and takes the artifacts."""

    run: str
    plan: Plan
    folder: Path


class Broken(Struct, frozen=True, tag=True):
    """The run could not start, as its journey's file no longer loads, or not end: its worker is broken, or it could not be ended."""

    run: str
    message: str
    kind: FailureKind = "journey"
    worker_spent: bool = False
    """Whether the process takes no more runs."""


class Kept(Struct, frozen=True, tag=True):
    """What a run has shown so far, as it goes on after an attempt. `settled`: what follows does not change its verdict."""

    execution: Execution
    settled: bool


ToWorker = BrowserWanted | Job
FromWorker = Ready | AttemptStarted | StepStarted | StepEnded | AttemptEnded | Kept | Execution | Broken
to_worker = decoder(ToWorker)
from_worker = decoder(FromWorker)
