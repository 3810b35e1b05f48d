"""What a scheduler needs of whatever makes its runs: the worker processes of this machine, or the workers of other machines."""

from collections.abc import Sequence, Sized
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from runner.archive.archive import Archive
from runner.browser.chromium import Browser
from runner.dsl.plan import Plan
from runner.events import Listener
from runner.result import RunResult, Status
from runner.settings.settings import Settings
from runner.workers.run_state import Slot


class Abandoned(Struct, frozen=True):
    """A run that was sent away and of which nothing more is expected."""

    run: str
    plan: Plan
    slot: Slot
    status: Status
    """`error` if it had begun, else `cancelled`."""
    message: str
    started_at: datetime
    nobody_there: bool = False
    """Whether its location has no worker: then its slot was missed, and there was no run."""
    taken_elsewhere: bool = False
    """Whether another scheduler has taken in its result: nothing is left to be done."""


class RunPool(Protocol):
    """Starts runs, and notifies the listeners of what happens in them, in `poll` only."""

    def open(self, browser: Browser | None, settings: Settings, archive: Archive, listeners: Sequence[Listener]) -> None:
        """Sets what the coming runs use."""

    def recycle_after(self, runs: int, memory: int) -> None:
        """Replaces workers after so many runs, or when they hold more than `memory` bytes."""

    @property
    def running(self) -> Sized:
        """The runs under way."""

    @property
    def count(self) -> int:
        """The number of workers with a browser."""

    def can_start(self, plan: Plan) -> bool:
        """Whether a run can begin now."""

    def explain_lack(self, plan: Plan) -> str:
        """Why no worker that is there could ever start a run, as the reason of a missed slot; empty where one could."""

    def start_run(self, plan: Plan, slot: Slot) -> object:
        """Starts a run that can begin. Raises ConfigError when that fails."""

    def poll(self, timeout: float, also: Sequence[int] = ()) -> list[int]:
        """Waits for messages and handles them; returns the file descriptors in `also` that are ready to be read."""

    def adopt(self, plan: Plan, slot: Slot) -> bool:
        """Whether a run that an earlier scheduler had started goes on, and its result is expected now."""

    def revoke_runs(self, journey: str | None = None, location: str | None = None) -> None:
        """Takes back the runs, of one journey at a location or all, that have not begun."""

    def take_abandoned(self) -> Sequence[Abandoned]:
        """The runs that were given up since the last call."""

    def take_strays(self) -> Sequence[RunResult]:
        """Results that have come, since the last call, of runs of which this pool does not know, or no longer expects one."""

    def confirm(self, run: str) -> None:
        """The result of a run is stored: it need not be kept elsewhere. From any thread."""

    def cancel_runs(self, why: str) -> int:
        """Ends the runs under way as `cancelled`; returns how many go on elsewhere, for the next scheduler to take in."""
