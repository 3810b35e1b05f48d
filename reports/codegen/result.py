"""A journey created from a session, and how reliable it is."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

Verdict = Literal["verified", "flaky", "failed", "untried"]


class Made(Struct, frozen=True):
    """A journey made from a session."""

    source: str
    """The text of its file."""
    report: "Report"


class Acted(Struct, frozen=True, kw_only=True):
    """An action of the session, and its place in the journey."""

    number: int
    """From 1."""
    kind: str
    seconds: float
    """From the start of the recording."""
    step: str
    line: int
    """In the journey's file."""
    code: str
    """The statement; empty for an action whose element was not found again."""
    locators: tuple[str, ...] = ()
    """The one that is used, then others that might do."""
    danger: str | None = None
    """Why it must not be repeated without confirmation."""


class Trial(Struct, frozen=True, kw_only=True):
    """The result of running the journey."""

    verdict: Verdict
    statuses: tuple[str, ...] = ()
    """Of each run."""
    action: int | None = None
    """The number of the action at which the first bad run failed."""
    step: str | None = None
    message: str = ""
    """Why it failed, or why it was not run."""
    folder: str | None = None
    """Where the first bad run is saved, with its trace."""


class Report(Struct, frozen=True, kw_only=True):
    """Everything about a journey created from a session."""

    session: str
    name: str
    recorded_at: datetime
    base_url: str
    steps: tuple[str, ...]
    actions: tuple[Acted, ...]
    resolved: int
    """How many of the actions have their element."""
    params: tuple[str, ...] = ()
    """Values that the journey must be given."""
    secrets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    trial: Trial = Trial(verdict="untried")

    @property
    def dangers(self) -> tuple[Acted, ...]:
        """The actions that need confirmation."""
        return tuple(one for one in self.actions if one.danger)
