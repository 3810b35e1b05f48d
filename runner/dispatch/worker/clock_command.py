"""A remote control command of Celery's: a scheduler says what time it is, so that clocks which differ make no run late."""

from typing import Any

from celery.worker.control import control_command


@control_command(args=[("now", float)], signature="<seconds since 1970>")  # type: ignore[untyped-decorator]  # Celery has no types
def journey_clock(state: Any, now: float) -> None:
    """Sets what time it is at the scheduler."""
    state.app.journey_worker.set_clock(now)
