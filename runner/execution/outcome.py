"""The outcome of a run: all that its attempts have produced."""

from datetime import datetime

from msgspec import Struct

from runner.result import Artifact, Attempt, Certificate, Environment


class Execution(Struct, frozen=True, kw_only=True, tag=True):
    """All that a run has produced, before it is saved."""

    run: str
    started_at: datetime
    ended_at: datetime
    duration_seconds: float
    attempts: tuple[Attempt, ...]
    second_look: Attempt | None = None
    """The walk after the last attempt that only recorded artifacts."""
    artifacts: tuple[Artifact, ...] = ()
    notes: tuple[str, ...] = ()
    environment: Environment = Environment()
    certificates: tuple[Certificate, ...] = ()
    """Of the hosts that any attempt has met."""
    worker_spent: bool = False
    """Whether the worker cannot make another run, as its browser cannot be used any more."""
